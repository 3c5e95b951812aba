// table.h — reference data that records are joined with.
//
// Thread      a TableVersion is immutable and shared by all workers; Table::current() from any
// thread.
// Lifetime    an epoch holds the version that its rows were joined with; views into it stay
// valid that long.
// Shapes      rows × columns; keys are normalised: a string's UTF-8, an integer's
// decimal text; several fields: each
//             preceded by its length as a varint (key_text.h).
#pragma once

#include "avro/schema.h"
#include "base/units.h"
#include "row/column.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::flow {

class TableVersion {
 public:
  virtual ~TableVersion() = default;
  virtual const avro::Schema& schema() const = 0;  // one field per column
  virtual uint32_t rows() const = 0;
  virtual std::optional<uint32_t> find(ByteView key) const = 0;
  virtual const row::Column& column(uint32_t field) const = 0;
};

class Table {
 public:
  virtual ~Table() = default;
  // The newest good version. Never null once opened; a refresh that fails keeps the former and is
  // reported elsewhere.
  virtual std::shared_ptr<const TableVersion> current() = 0;
};

}  // namespace penstock::flow
