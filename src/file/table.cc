#include "file/table.h"

#include "file/digest.h"
#include "file/infer.h"
#include "file/table_version.h"
#include "flow/config_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::file {
namespace {

class FixedTable final : public flow::Table {
 public:
  explicit FixedTable(std::shared_ptr<const flow::TableVersion> version)
      : version_(std::move(version)) {}
  std::shared_ptr<const flow::TableVersion> current() override { return version_; }

 private:
  std::shared_ptr<const flow::TableVersion> version_;
};

Result<std::vector<InferredColumn>> columns_of(const TableSpec& spec, std::string_view text) {
  if (spec.format == Format::jsonl) return infer_columns(text, spec.path);
  PENSTOCK_TRY(names, csv_header(text, spec.path));
  std::vector<InferredColumn> columns;
  for (std::string& name : names) columns.push_back({std::move(name), "string", false});
  return columns;
}

Result<avro::SchemaPtr> schema_of(const TableSpec& spec, std::string_view text) {
  if (spec.schema != nullptr) return spec.schema;
  PENSTOCK_TRY(columns, columns_of(spec, text));
  for (const auto& [name, type] : spec.types) {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const InferredColumn& c) { return c.name == name; });
    if (found == columns.end())
      return fail("F004"_code, fmt::format("{}: there is no column \"{}\"", spec.path, name));
    found->type = type;
  }
  std::vector<avro::NewField> fields;
  std::vector<avro::SchemaPtr> kept;
  for (const InferredColumn& column : columns) {
    const std::string text_of_type =
        column.type.starts_with('{') ? column.type : '"' + column.type + '"';
    PENSTOCK_TRY(type, avro::parse(text_of_type));
    kept.push_back(type);
    const bool in_key = std::find(spec.key.begin(), spec.key.end(), column.name) != spec.key.end();
    const bool nullable = column.nullable && !in_key;
    if (nullable) {
      PENSTOCK_TRY(wider, avro::nullable(type->root()));
      kept.push_back(wider);
    }
    fields.push_back({column.name, &kept.back()->root(), nullable ? "null" : ""});
  }
  return avro::make_record("penstock.TableRow", fields);
}

Result<std::shared_ptr<const flow::TableVersion>> version_of(const TableSpec& spec,
                                                             std::string_view text) {
  PENSTOCK_TRY(schema, schema_of(spec, text));
  PENSTOCK_TRY(version, FileTableVersion::make(text, spec.path, spec.format, schema, spec.key));
  return version;
}

std::string in_folder(const std::string& folder, const std::string& path) {
  return folder.empty() || path.starts_with('/') ? path : folder + "/" + path;
}

}  // namespace

Result<std::unique_ptr<FileTable>> FileTable::open(TableSpec spec) {
  PENSTOCK_TRY(text, read_file(spec.path));
  PENSTOCK_TRY(version, version_of(spec, text));
  std::unique_ptr<FileTable> table(new FileTable(std::move(spec)));
  table->spec_.schema = nullptr;
  table->current_ = version;
  table->digest_ = sha256_hex(text);
  // Later versions must have the columns that the stages were built for.
  PENSTOCK_TRY(schema, avro::extract(version->schema().root()));
  table->spec_.schema = schema;
  return table;
}

std::shared_ptr<const flow::TableVersion> FileTable::current() {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::optional<Error> FileTable::refresh_if_due(Millis now) {
  if (spec_.refresh_millis == 0) return std::nullopt;
  if (!looked_) looked_ = now;
  if (now < *looked_ + spec_.refresh_millis) return std::nullopt;
  looked_ = now;
  auto text = read_file(spec_.path);
  if (!text) return std::move(text).error();
  std::string digest = sha256_hex(*text);
  if (digest == digest_) return std::nullopt;
  digest_ = std::move(digest);  // a bad version is told once
  auto version = version_of(spec_, *text);
  if (!version) return std::move(version).error();
  const std::lock_guard lock(mutex_);
  current_ = *std::move(version);
  return std::nullopt;
}

Result<std::unique_ptr<flow::Table>> table_from_jsonl(std::string_view lines,
                                                      avro::SchemaPtr schema,
                                                      std::vector<std::string> key) {
  PENSTOCK_TRY(version,
               FileTableVersion::make(lines, "table", Format::jsonl, std::move(schema), key));
  return std::make_unique<FixedTable>(version);
}

Result<avro::SchemaPtr> table_schema(const TableSpec& spec) {
  if (spec.schema != nullptr) return spec.schema;
  PENSTOCK_TRY(text, read_file(spec.path));
  return schema_of(spec, text);
}

Result<TableSpec> table_spec(const flow::Config& config, const std::string& folder) {
  TableSpec spec;
  const bool csv = config.find("csv") != nullptr;
  spec.format = csv ? Format::csv : Format::jsonl;
  spec.path = in_folder(folder, config.text(csv ? "csv" : "jsonl"));
  for (const yaml::Node* part : config.list("key")) spec.key.push_back(part->text);
  spec.refresh_millis = flow::duration_millis(config.text("refresh")).value_or(0);
  if (const yaml::Node* types = config.find("types"); types != nullptr) {
    for (const auto& [name, type] : types->entries) spec.types.emplace_back(name.text, type.text);
  }
  if (config.find("schema") != nullptr) {
    PENSTOCK_TRY(text, read_file(in_folder(folder, config.text("schema"))));
    PENSTOCK_TRY(schema, avro::parse(text));
    spec.schema = schema;
  }
  return spec;
}

Result<flow::MakeContext::TableShape> table_shape(const flow::PartSpec&, const flow::Config& config,
                                                  const std::string& folder) {
  PENSTOCK_TRY(spec, table_spec(config, folder));
  PENSTOCK_TRY(schema, table_schema(spec));
  for (const std::string& part : spec.key) {
    if (schema->root().field(part) == nullptr)
      return fail("F004"_code, fmt::format("{}: there is no column \"{}\"", spec.path, part))
          .at(config.place("key"));
  }
  return flow::MakeContext::TableShape{schema, spec.key, spec.refresh_millis > 0};
}

std::vector<flow::PartSpec> part_specs() {
  using flow::FieldType;
  const auto make = [](std::string_view name, std::string_view doc, std::string_view example) {
    flow::PartSpec spec;
    spec.kind = flow::PartKind::table;
    spec.name = name;
    spec.doc = doc;
    spec.guarantee = "All records of an epoch see one version of the table.";
    spec.fields = {
        {.name = name,
         .type = FieldType::file,
         .required = true,
         .doc = "The file.",
         .example = example},
        {.name = "key",
         .type = FieldType::names,
         .required = true,
         .doc = "The column or columns by which rows are found; each key occurs once.",
         .example = "meter_id"},
        {.name = "refresh",
         .type = FieldType::duration,
         .unit = "ms",
         .doc = "How often to look for a new version of the file; without it, at start only.",
         .example = "1m"},
        {.name = "types",
         .type = FieldType::mapping,
         .doc = "Avro types of columns that are not what they seem: rated_kw: double.",
         .example = "{rated_kw: double}"},
        {.name = "schema",
         .type = FieldType::file,
         .doc = "An Avro record schema of the columns, instead of types.",
         .example = "schemas/meter.avsc"},
    };
    return spec;
  };
  return {make("csv",
               "Reference data from a csv file with a header; columns are strings unless "
               "types or schema say otherwise.",
               "data/meters.csv"),
          make("jsonl", "Reference data from JSON lines, an object each.", "data/meters.jsonl")};
}

}  // namespace penstock::file
