// table_version.h — one version of a table: columns and an index by key.
//
// Thread      immutable once made.
// Lifetime    views point into the version's own arena.
#pragma once

#include "file/row_text.h"
#include "flow/table.h"
#include "row/batch.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace penstock::file {

class FileTableVersion final : public flow::TableVersion {
 public:
  static Result<std::shared_ptr<const FileTableVersion>> make(std::string_view text,
                                                              const std::string& name,
                                                              Format format, avro::SchemaPtr schema,
                                                              const std::vector<std::string>& key);

  const avro::Schema& schema() const override { return *schema_; }
  uint32_t rows() const override { return batch_.rows(); }
  std::optional<uint32_t> find(ByteView key) const override {
    const auto it = index_.find(key);
    return it == index_.end() ? std::nullopt : std::optional(it->second);
  }
  const row::Column& column(uint32_t field) const override { return batch_.columns[field]; }

 private:
  Result<void> index(const std::vector<std::string>& key, const std::string& name,
                     const std::vector<uint32_t>& lines);

  avro::SchemaPtr schema_;
  Arena arena_;
  std::string datums_;
  std::vector<row::RawRecord> records_;
  row::Batch batch_;
  std::unordered_map<std::string_view, uint32_t> index_;
};

}  // namespace penstock::file
