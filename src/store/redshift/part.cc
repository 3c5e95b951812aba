#include "store/redshift/part.h"

#include "store/redshift/data_database.h"
#include "store/redshift/pq_database.h"
#include "store/redshift/s3_staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <initializer_list>
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
using Access = DataDatabase::Access;

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
  // The first of these that is given.
  const char* first_of(std::initializer_list<const char*> fields) const {
    const auto* found =
        std::ranges::find_if(fields, [&](auto* one) { return with(one).find(one) != nullptr; });
    return found == fields.end() ? nullptr : *found;
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

// What the port is reached with.
struct Port {
  ConnectionSettings connection;
  std::shared_ptr<Logins> logins;
};

Result<void> set_tls(const Reader& reader, Port& port) {
  auto& parameters = port.connection.parameters;
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
Result<void> set_login(const Reader& reader, const Access& access, IamPlace place, Port& port) {
  PENSTOCK_TRY(password, reader.text("password"));
  PENSTOCK_TRY(auth, reader.text("auth", password.empty() ? "iam" : "password"));
  PENSTOCK_TRY(user, reader.text("user"));
  if (auth == "password") {
    if (user.empty() || password.empty())
      return reader.wrong("auth: password needs a user and a password", "auth")
          .cure("add user: and password:, or leave all three out for a login by IAM");
    port.connection.parameters.emplace_back("user", user);
    port.connection.parameters.emplace_back("password", password);
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
  port.logins = *std::move(logins);
  return {};
}

Result<void> set_port(const Reader& reader, const Access& access, const std::string& host,
                      const std::string& database, StoreSettings& settings) {
  PENSTOCK_TRY(number, reader.text("port", "5439"));
  if (const char* other = reader.first_of({"secret"}))
    return reader.wrong(fmt::format("\"{}\" is for driver: data-api", other), other)
        .cure(fmt::format("leave out {}:, or add driver: data-api", other));
  Port port;
  port.connection.parameters = {{"host", host},
                                {"port", number},
                                {"dbname", database},
                                {"application_name", "penstock"},
                                {"client_encoding", "UTF8"},
                                {"keepalives_idle", "10"},
                                {"keepalives_interval", "5"},
                                {"keepalives_count", "3"},
                                {"tcp_user_timeout", "30000"}};
  PENSTOCK_TRY_VOID(set_tls(reader, port));
  PENSTOCK_TRY_VOID(set_login(reader, access, {.host = host, .database = database}, port));
  settings.where = fmt::format("{} on {}:{}", database, host, number);
  port.connection.where = settings.where;
  port.connection.answer_millis = kAnswerMinutesMillis;
  settings.database = [port = std::move(port)] {
    return std::make_unique<PqDatabase>(port.connection, port.logins);
  };
  return {};
}

// The cluster or the workgroup, by its name or by the host's.
Result<aws::RedshiftPlace> data_place(const Reader& reader, const std::string& host) {
  PENSTOCK_TRY(cluster, reader.text("cluster"));
  PENSTOCK_TRY(workgroup, reader.text("workgroup"));
  PENSTOCK_TRY(region, reader.text("region"));
  if (!cluster.empty() && !workgroup.empty())
    return reader.wrong("\"cluster\" and \"workgroup\" exclude each other", "workgroup")
        .cure("leave out one of the two");
  auto place = aws::redshift_place(host);
  if (!cluster.empty() || !workgroup.empty())
    place = aws::RedshiftPlace{cluster.empty(), cluster.empty() ? workgroup : cluster,
                               place ? place->region : ""};
  if (!place)
    return reader.wrong("driver: data-api needs a \"cluster\" or a \"workgroup\"", "driver")
        .cure("add cluster: or workgroup: with its name");
  if (!region.empty()) place->region = region;
  return *std::move(place);
}

Result<void> set_data_api(const Reader& reader, const Access& access, const std::string& host,
                          const std::string& database, StoreSettings& settings) {
  if (const char* other = reader.first_of({"password", "auth", "port", "tls", "ca"}))
    return reader.wrong(fmt::format("driver: data-api has no use for \"{}\"", other), other)
        .cure("leave it out: AWS is asked over HTTPS, with our own role");
  if (reader.first_of({"staging"}) == nullptr)
    return reader.wrong("driver: data-api needs a \"staging\"", "driver")
        .cure("add staging: s3://bucket/prefix/ and role:, as a statement takes 100 KB there");
  PENSTOCK_TRY(place, data_place(reader, host));
  PENSTOCK_TRY(user, reader.text("user"));
  PENSTOCK_TRY(secret, reader.text("secret"));
  if (!user.empty() && (place.serverless || !secret.empty()))
    return reader
        .wrong(fmt::format("\"user\" does not go together with {}",
                           secret.empty() ? "a workgroup" : "\"secret\""),
               "user")
        .cure("leave out user:");
  settings.where = fmt::format("{} by the Data API of {}", database, place.name);
  settings.tables_max = kDataTables;
  settings.load.insert_bytes_max = kDataInsertBytes;
  settings.load.inserts_max = 1;
  settings.database = [place = aws::RedshiftAccess{std::move(place), database, user, secret},
                       access] {
    return std::make_unique<DataDatabase>(place, access, kAnswerMinutesMillis);
  };
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
  FieldSpec driver = field(
      "driver", FieldType::choice,
      "port: the database's own. data-api: AWS's, over HTTPS, for networks without a way to it.",
      "data-api", "port");
  driver.choices = {"port", "data-api"};
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
      std::move(driver),
      field("secret", FieldType::text,
            "driver: data-api: the ARN in Secrets Manager of a user and a password.",
            "arn:aws:secretsmanager:eu-north-1:1:secret:penstock"),
      field("host", FieldType::text, "The endpoint.", "${env:REDSHIFT_HOST}"),
      field("port", FieldType::count, "Its port.", "5440", "5439"),
      field("database", FieldType::text, "The database.", "energy"),
      std::move(auth),
      field("user", FieldType::text, "The user to log in as.", "penstock"),
      field("password", FieldType::text, "Its password, as ${secret:name}.", "${secret:warehouse}"),
      field("cluster", FieldType::text,
            "auth: iam and driver: data-api, where the host does not name it.", "main"),
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
  PENSTOCK_TRY(driver, reader.text("driver", "port"));
  PENSTOCK_TRY(host, reader.text("host"));
  PENSTOCK_TRY(database, reader.text("database"));
  const bool by_port = driver == "port";
  if ((host.empty() && by_port) || database.empty()) {
    const char* missing = host.empty() && by_port ? "host" : "database";
    return fail("S021"_code, fmt::format("the store has no \"{}\"", missing))
        .at((target != nullptr ? *target : config).place(missing))
        .cure(fmt::format("add {}: to the store's settings in the target", missing));
  }
  const Access access = access_of(clock);
  PENSTOCK_TRY_VOID(by_port ? set_port(reader, access, host, database, settings)
                            : set_data_api(reader, access, host, database, settings));
  PENSTOCK_TRY_VOID(set_staging(reader, access, settings));
  PENSTOCK_TRY(schema, reader.text("schema", "public"));
  settings.schema = schema;
  PENSTOCK_TRY(create, reader.text("create", "false"));
  settings.create = create == "true";
  return settings;
}

}  // namespace penstock::store::redshift
