// table.h — reference data from csv and jsonl files.
//
// Columns of a csv are strings unless `types` (or a schema) says otherwise; those of a jsonl are
// what their values are in all rows: boolean, long, double or string, nullable where one is
// missing.
//
// Thread      a table from any thread; refresh_if_due() by one.
// Lifetime    versions are shared and immutable.
// Limits      files ≤ 1 GiB; 2^31 rows.
// Errors      F001, F003, F004 with file, line, column. A refresh that fails keeps the version that
//             was good.
//
//     PENSTOCK_TRY(table, FileTable::open({.path = "data/meters.csv", .key = {"meter_id"}}));
//     if (auto error = table->refresh_if_due(now)) warn(*error);
#pragma once

#include "file/row_text.h"
#include "flow/part_spec.h"
#include "flow/table.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::file {

struct TableSpec {
  std::string path;
  Format format = Format::csv;
  std::vector<std::string> key;
  int64_t refresh_millis = 0;                              // 0: never
  std::vector<std::pair<std::string, std::string>> types;  // column -> "double", "long", …
  avro::SchemaPtr schema;                                  // instead of types
};

class FileTable final : public flow::Table {
 public:
  static Result<std::unique_ptr<FileTable>> open(TableSpec spec);
  std::shared_ptr<const flow::TableVersion> current() override;
  // Looks at the file when the interval has passed since the last look. An Error: the file is
  // there anew but not good; the former version stays.
  std::optional<Error> refresh_if_due(Millis now);

 private:
  explicit FileTable(TableSpec spec) : spec_(std::move(spec)) {}
  TableSpec spec_;
  std::mutex mutex_;  // guards current_
  std::shared_ptr<const flow::TableVersion> current_;
  std::string digest_;
  std::optional<Millis> looked_;
};

// A table that never changes, of JSON lines.
Result<std::unique_ptr<flow::Table>> table_from_jsonl(std::string_view lines,
                                                      avro::SchemaPtr schema,
                                                      std::vector<std::string> key);
// What the rows are, without reading them all where the format allows it.
Result<avro::SchemaPtr> table_schema(const TableSpec& spec);

// From a `tables:` entry; paths are relative to `folder`.
Result<TableSpec> table_spec(const flow::Config& config, const std::string& folder);
Result<flow::MakeContext::TableShape> table_shape(const flow::PartSpec& part,
                                                  const flow::Config& config,
                                                  const std::string& folder);

// The tables csv and jsonl.
std::vector<flow::PartSpec> part_specs();

}  // namespace penstock::file
