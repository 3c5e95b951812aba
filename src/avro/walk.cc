#include "avro/walk.h"

#include "avro/builder.h"

#include <utility>

namespace penstock::avro {

Walk Walk::compile(SchemaPtr schema) {
  Builder builder;
  builder.walk(schema->root());
  Walk walk;
  walk.program_ = std::make_shared<const Program>(builder.finish());
  walk.schema_ = std::move(schema);
  return walk;
}

Result<ByteView> Walk::first(ByteView bytes) const {
  Machine machine(*program_);
  size_t used = 0;
  if (!machine.run_prefix(bytes, used)) return fail("A005"_code, machine.explain());
  return bytes.substr(0, used);
}

}  // namespace penstock::avro
