#include "row/batch.h"

#include <cstring>
#include <utility>

namespace penstock::row {

Column Batch::make_column(Kind kind, bool nullable) {
  Column column;
  column.kind = kind;
  column.slots = arena->allocate(static_cast<size_t>(rows()) * slot_bytes(kind), 8);
  if (nullable) {
    column.nulls = static_cast<uint8_t*>(arena->allocate(rows(), 1));
    std::memset(column.nulls, 0, rows());
  }
  return column;
}

void Batch::reject(uint32_t row, uint32_t step, std::string reason, std::string detail) {
  rejects.push_back({row, step, std::move(reason), std::move(detail)});
}

}  // namespace penstock::row
