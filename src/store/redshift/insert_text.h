// insert_text.h — rows as INSERT INTO the stage: for small epochs, and where there is no S3.
//
// Thread      free function.
// Limits      a statement of about kInsertBytes (Redshift takes 16 MB).
#pragma once

#include "flow/store.h"
#include "store/redshift/column_type.h"
#include "store/rows/winners.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penstock::store::redshift {

inline constexpr size_t kInsertBytes = 512 * 1024;

struct InsertTexts {
  std::vector<std::string> statements;
  std::vector<flow::RejectedRow> rejected;  // in no statement
};

// Of all winners; penstock_row is their index.
InsertTexts insert_texts(std::span<const ColumnType> columns, const avro::Schema& schema,
                         std::span<const flow::StoreRows> rows, std::span<const Winner> winners,
                         size_t bytes_max = kInsertBytes);

}  // namespace penstock::store::redshift
