#include "store/redshift/part.h"

#include "store/redshift/s3_staging.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace penstock::store::redshift {
namespace {

using flow::Config;
using flow::FieldSpec;
using flow::FieldType;
using Access = std::function<Result<std::shared_ptr<AwsAccess>>()>;

constexpr std::array kSystemLists = {"/etc/ssl/certs/ca-certificates.crt",
                                     "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

// The fields of two mappings, the second before the first.
class Reader {
 public:
  Reader(const Config& config, const Config* target, const file::SecretReader& secrets)
      : config_(config), target_(target), secrets_(secrets) {}

  Result<std::string> text(std::string_view field, std::string_view fallback = {}) const {
    const Config& of = with(field);
    const yaml::Node* node = of.find(field);
    if (node == nullptr) return std::string(fallback);
    return file::text_or_secret(of, *node, secrets_);
  }
  const Config& with(std::string_view field) const {
    return target_ != nullptr && target_->find(field) != nullptr ? *target_ : config_;
  }
  Failure wrong(std::string message, std::string_view field) const {
    return fail("S021"_code, std::move(message)).at(with(field).place(field));
  }

 private:
  const Config& config_;
  const Config* target_;
  const file::SecretReader& secrets_;
};

FieldSpec field(std::string_view name, FieldType type, std::string_view doc,
                std::string_view example, std::string_view fallback = {}) {
  return {.name = name, .type = type, .fallback = fallback, .doc = doc, .example = example};
}

Result<void> set_tls(const Reader& reader, StoreSettings& settings) {
  auto& parameters = settings.connection.parameters;
  PENSTOCK_TRY(tls, reader.text("tls", "verify"));
  if (tls != "verify" && tls != "off")
    return reader.wrong(fmt::format("\"{}\" in \"tls\"", tls), "tls").cure("write verify or off");
  parameters.emplace_back("sslmode", tls == "off" ? "disable" : "verify-full");
  PENSTOCK_TRY(ca, reader.text("ca"));
  if (tls == "off") return {};
  std::error_code error;
  if (!ca.empty()) {
    const std::string file = file::beside_file(reader.with("ca"), ca);
    if (!std::filesystem::exists(file, error))
      return reader.wrong(fmt::format("\"ca\": there is no file {}", file), "ca")
          .cure("name a PEM file, relative to the pipeline file");
    parameters.emplace_back("sslrootcert", file);
    return {};
  }
  for (const char* list : kSystemLists) {
    if (!std::filesystem::exists(list, error)) continue;
    parameters.emplace_back("sslrootcert", list);
    break;
  }
  return {};
}

Result<void> set_staging(const Reader& reader, Access access, StoreSettings& settings) {
  StagingPlace place;
  PENSTOCK_TRY(url, reader.text("staging"));
  PENSTOCK_TRY(role, reader.text("role"));
  PENSTOCK_TRY(region, reader.text("staging_region"));
  PENSTOCK_TRY(endpoint, reader.text("staging_endpoint"));
  if (url.empty()) {
    if (role.empty()) return {};
    return reader.wrong("the store has a \"role\" and no \"staging\"", "role")
        .cure("add staging: s3://bucket/prefix/");
  }
  if (auto where = staging_of(url); !where)
    return reader.wrong(where.error().message, "staging").cure(where.error().cure);
  if (role.empty())
    return reader.wrong("the store has a \"staging\" and no \"role\"", "staging")
        .cure("add role: the ARN of a role of the cluster that may read it, or role: default");
  PENSTOCK_TRY(above, reader.text("copy_above"));
  settings.load.role = role;
  settings.load.region = region;
  if (!above.empty())
    settings.load.insert_rows_max = static_cast<uint32_t>(std::strtoul(above.c_str(), nullptr, 10));
  settings.staging = [place = StagingPlace{url, region, endpoint},
                      access = std::move(access)]() -> Result<std::unique_ptr<Staging>> {
    PENSTOCK_TRY(aws, access());
    return S3Staging::open(place, std::move(aws));
  };
  return {};
}

// A user's password, or a login by the role that we have at AWS.
Result<void> set_login(const Reader& reader, const Access& access, IamPlace place,
                       StoreSettings& settings) {
  PENSTOCK_TRY(password, reader.text("password"));
  PENSTOCK_TRY(auth, reader.text("auth", password.empty() ? "iam" : "password"));
  PENSTOCK_TRY(user, reader.text("user"));
  if (auth == "password") {
    if (user.empty() || password.empty())
      return reader.wrong("auth: password needs a user and a password", "auth")
          .cure("add user: and password:, or leave all three out for a login by IAM");
    settings.connection.parameters.emplace_back("user", user);
    settings.connection.parameters.emplace_back("password", password);
    return {};
  }
  if (!password.empty())
    return reader.wrong("auth: iam has no use for a \"password\"", "password")
        .cure("leave out auth: or password:");
  PENSTOCK_TRY(cluster, reader.text("cluster"));
  PENSTOCK_TRY(workgroup, reader.text("workgroup"));
  PENSTOCK_TRY(region, reader.text("region"));
  if (!cluster.empty() && !workgroup.empty())
    return reader.wrong("\"cluster\" and \"workgroup\" exclude each other", "workgroup");
  place.cluster = cluster;
  place.workgroup = workgroup;
  place.region = region;
  place.user = user;
  auto logins = iam_logins(place, access);
  if (!logins) return reader.wrong(logins.error().message, "host").cure(logins.error().cure);
  settings.logins = *std::move(logins);
  return {};
}

// Of all that one store asks of AWS, opened when it is asked first.
Access access_of(const Clock& clock) {
  struct Opened {
    std::mutex mutex;
    std::shared_ptr<AwsAccess> access;
  };
  return [opened = std::make_shared<Opened>(), &clock]() -> Result<std::shared_ptr<AwsAccess>> {
    const std::scoped_lock lock(opened->mutex);
    if (!opened->access) {
      PENSTOCK_TRY(access, AwsAccess::open(clock));
      opened->access = std::move(access);
    }
    return opened->access;
  };
}

}  // namespace

flow::PartSpec redshift_part() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::store;
  spec.name = "redshift";
  spec.doc = "A table in Amazon Redshift, filled through S3.";
  spec.guarantee =
      "Exactly once: COPY, MERGE and positions are one transaction; a worker that was overtaken "
      "writes nothing.";
  FieldSpec name = field("redshift", FieldType::text,
                         "The table, also schema.table; <tenant> may stand in it.", "readings");
  name.required = true;
  FieldSpec tls = field("tls", FieldType::choice,
                        "verify: the server's certificate has to be good for the host. off: none.",
                        "off", "verify");
  tls.choices = {"verify", "off"};
  FieldSpec auth = field("auth", FieldType::choice,
                         "iam: a login that AWS gives our role for a while; without a password "
                         "that is the one.",
                         "iam");
  auth.choices = {"password", "iam"};
  spec.fields = {
      std::move(name),
      field("upsert_on", FieldType::fields, "The last written row of this key wins.",
            "[meter_id, at]"),
      field("key", FieldType::fields, "The key of newest_by.", "meter_id"),
      field("newest_by", FieldType::field, "The row with the greatest value of this field wins.",
            "at"),
      field("create", FieldType::boolean,
            "Make the table from the schema when it is missing, and columns that it lacks.", "true",
            "false"),
      field("schema", FieldType::text,
            "Where the positions are, and tables without a schema of their own.", "energy",
            "public"),
      field("host", FieldType::text, "The endpoint.", "${env:REDSHIFT_HOST}"),
      field("port", FieldType::count, "Its port.", "5440", "5439"),
      field("database", FieldType::text, "The database.", "energy"),
      std::move(auth),
      field("user", FieldType::text, "The user to log in as.", "penstock"),
      field("password", FieldType::text, "Its password, as ${secret:name}.", "${secret:warehouse}"),
      field("cluster", FieldType::text, "auth: iam, where the host does not name it.", "main"),
      field("workgroup", FieldType::text, "The same of Redshift Serverless.", "main"),
      field("region", FieldType::text, "Of the cluster, where the host does not name it.",
            "eu-north-1"),
      std::move(tls),
      field("ca", FieldType::text,
            "Who signed the server's certificate: a PEM file. Else the system's list.",
            "certs/ca.pem"),
      field("staging", FieldType::text,
            "Where in S3 epochs lie until COPY has read them; without it rows go in by INSERT.",
            "s3://bucket/prefix/"),
      field("staging_region", FieldType::text,
            "The bucket's region, where it is another one than the cluster's.", "eu-north-1"),
      field("staging_endpoint", FieldType::text, "Another S3 than AWS's.", "http://localhost:9000"),
      field("copy_above", FieldType::count,
            "Epochs of more rows than these go through S3, smaller ones are INSERTs.", "100",
            "500"),
      field("role", FieldType::text, "The role that COPY takes, or default.",
            "arn:aws:iam::1:role/copy")};
  return spec;
}

Result<StoreSettings> settings_of(const Config& config, const Config* target, const Clock& clock,
                                  const file::SecretReader& secrets) {
  const Reader reader(config, target, secrets);
  StoreSettings settings;
  PENSTOCK_TRY(host, reader.text("host"));
  PENSTOCK_TRY(database, reader.text("database"));
  if (host.empty() || database.empty()) {
    const char* missing = host.empty() ? "host" : "database";
    return fail("S021"_code, fmt::format("the store has no \"{}\"", missing))
        .at((target != nullptr ? *target : config).place(missing))
        .cure(fmt::format("add {}: to the store's settings in the target", missing));
  }
  PENSTOCK_TRY(port, reader.text("port", "5439"));
  auto& parameters = settings.connection.parameters;
  parameters = {{"host", host},
                {"port", port},
                {"dbname", database},
                {"application_name", "penstock"},
                {"client_encoding", "UTF8"},
                {"keepalives_idle", "10"},
                {"keepalives_interval", "5"},
                {"keepalives_count", "3"},
                {"tcp_user_timeout", "30000"}};
  PENSTOCK_TRY_VOID(set_tls(reader, settings));
  const Access access = access_of(clock);
  PENSTOCK_TRY_VOID(set_login(reader, access, {.host = host, .database = database}, settings));
  PENSTOCK_TRY_VOID(set_staging(reader, access, settings));
  settings.connection.where = fmt::format("{} on {}:{}", database, host, port);
  settings.connection.answer_millis = kAnswerMinutesMillis;
  PENSTOCK_TRY(schema, reader.text("schema", "public"));
  settings.schema = schema;
  PENSTOCK_TRY(create, reader.text("create", "false"));
  settings.create = create == "true";
  return settings;
}

}  // namespace penstock::store::redshift
