// walk.h — where a datum ends that has others behind it.
//
// Thread      immutable after compile(); each worker may share it.
// Lifetime    keeps its schema alive.
// Limits      those of bounds.h; a datum that never ends within `bytes` is refused.
//
//     const Walk walk = Walk::compile(schema);
//     PENSTOCK_TRY(datum, walk.first(block));
//     block.remove_prefix(datum.size());
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "base/units.h"

#include <memory>

namespace penstock::avro {

struct Program;

class Walk {
 public:
  static Walk compile(SchemaPtr schema);
  // The first datum of `bytes`, whole and valid, or A005.
  Result<ByteView> first(ByteView bytes) const;

 private:
  Walk() = default;
  SchemaPtr schema_;
  std::shared_ptr<const Program> program_;
};

}  // namespace penstock::avro
