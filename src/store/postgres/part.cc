#include "store/postgres/part.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace penstock::store::postgres {
namespace {

using flow::Config;
using flow::FieldSpec;
using flow::FieldType;

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

Result<void> set_tls(const Reader& reader, bool socket, StoreSettings& settings) {
  auto& parameters = settings.connection.parameters;
  PENSTOCK_TRY(tls, reader.text("tls", "verify"));
  if (tls != "verify" && tls != "off")
    return reader.wrong(fmt::format("\"{}\" in \"tls\"", tls), "tls").cure("write verify or off");
  // libpq uses no TLS on a socket of this machine, whatever sslmode says.
  parameters.emplace_back("sslmode", tls == "off" || socket ? "disable" : "verify-full");
  for (const auto& [name, parameter] :
       {std::pair{"ca", "sslrootcert"}, {"certificate", "sslcert"}, {"key_file", "sslkey"}}) {
    PENSTOCK_TRY(path, reader.text(name));
    if (path.empty()) continue;
    if (tls == "off")
      return reader.wrong(fmt::format("tls: off has no use for \"{}\"", name), name)
          .cure(fmt::format("remove {}:, or tls:", name));
    const std::string file = file::beside_file(reader.with(name), path);
    std::error_code error;
    if (!std::filesystem::exists(file, error))
      return reader.wrong(fmt::format("\"{}\": there is no file {}", name, file), name)
          .cure("name a PEM file, relative to the pipeline file");
    parameters.emplace_back(parameter, file);
  }
  PENSTOCK_TRY(ca, reader.text("ca"));
  if (!ca.empty() || socket || tls == "off") return {};
  for (const char* list : kSystemLists) {
    std::error_code error;
    if (!std::filesystem::exists(list, error)) continue;
    parameters.emplace_back("sslrootcert", list);
    break;
  }
  return {};
}

void append_connection(std::vector<FieldSpec>& fields) {
  FieldSpec tls = field("tls", FieldType::choice,
                        "verify: the server's certificate has to be good for the host. off: none.",
                        "off", "verify");
  tls.choices = {"verify", "off"};
  const std::initializer_list<FieldSpec> more = {
      field("host", FieldType::text, "The server, or the folder of its socket.", "db.internal"),
      field("port", FieldType::count, "Its port.", "5433", "5432"),
      field("database", FieldType::text, "The database.", "energy"),
      field("user", FieldType::text, "The role to log in as.", "penstock"),
      field("password", FieldType::text, "Its password, as ${secret:name}.", "${secret:warehouse}"),
      std::move(tls),
      field("ca", FieldType::text,
            "Who signed the server's certificate: a PEM file. Else the system's list.",
            "certs/ca.pem"),
      field("certificate", FieldType::text, "Our certificate: a PEM file.", "certs/penstock.pem"),
      field("key_file", FieldType::text, "Its key: a PEM file of this user alone.",
            "certs/penstock.key")};
  fields.insert(fields.end(), more);
}

}  // namespace

flow::PartSpec postgres_part() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::store;
  spec.name = "postgres";
  spec.doc = "A table in PostgreSQL 11 or newer.";
  spec.guarantee =
      "Exactly once: rows and positions are one transaction; a worker that was overtaken writes "
      "nothing.";
  FieldSpec name = field("postgres", FieldType::text,
                         "The table, also schema.table; <tenant> may stand in it.", "readings");
  name.required = true;
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
            "Where penstock_positions is, and tables without a schema of their own.", "energy",
            "public")};
  append_connection(spec.fields);
  return spec;
}

flow::PartSpec query_part() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::table;
  spec.name = "postgres";
  spec.doc = "Reference data that a query reads from PostgreSQL.";
  spec.guarantee = "All records of an epoch see one version, the answer of one query.";
  FieldSpec query = field("postgres", FieldType::text, "The query; each row is one of the table.",
                          "select meter_id, tenant from meters");
  query.required = true;
  FieldSpec key =
      field("key", FieldType::names,
            "The column or columns by which rows are found; each key occurs once.", "meter_id");
  key.required = true;
  spec.fields = {
      std::move(query),
      std::move(key),
      {.name = "refresh",
       .type = FieldType::duration,
       .unit = "ms",
       .doc = "How often the query is run again; without it, at start only.",
       .example = "1m"},
      field("types", FieldType::mapping, "The columns and their Avro types; never null.",
            "{meter_id: string, rated_kw: double}"),
      field("schema", FieldType::file, "An Avro record schema of the columns, instead of types.",
            "schemas/meter.avsc"),
      field("rows_max", FieldType::count, "More rows than these are an error.", "200000",
            "1000000")};
  append_connection(spec.fields);
  return spec;
}

Result<StoreSettings> settings_of(const Config& config, const Config* target,
                                  const file::SecretReader& secrets) {
  const Reader reader(config, target, secrets);
  StoreSettings settings;
  auto& parameters = settings.connection.parameters;
  PENSTOCK_TRY(host, reader.text("host"));
  PENSTOCK_TRY(database, reader.text("database"));
  if (host.empty() || database.empty()) {
    const char* missing = host.empty() ? "host" : "database";
    return fail("S021"_code, fmt::format("the store has no \"{}\"", missing))
        .at((target != nullptr ? *target : config).place(missing))
        .cure(fmt::format("add {}: to the store's settings in the target", missing));
  }
  parameters = {{"host", host},
                {"dbname", database},
                {"application_name", "penstock"},
                {"client_encoding", "UTF8"},
                {"target_session_attrs", "read-write"},
                {"keepalives_idle", "10"},
                {"keepalives_interval", "5"},
                {"keepalives_count", "3"},
                {"tcp_user_timeout", "30000"}};
  for (const std::string_view name : {"port", "user", "password"}) {
    PENSTOCK_TRY(value, reader.text(name));
    if (!value.empty()) parameters.emplace_back(name, value);
  }
  PENSTOCK_TRY_VOID(set_tls(reader, host.starts_with('/'), settings));
  PENSTOCK_TRY(port, reader.text("port", "5432"));
  settings.connection.where = fmt::format("{} on {}:{}", database, host, port);
  PENSTOCK_TRY(schema, reader.text("schema", "public"));
  settings.schema = schema;
  PENSTOCK_TRY(create, reader.text("create", "false"));
  settings.create = create == "true";
  return settings;
}

}  // namespace penstock::store::postgres
