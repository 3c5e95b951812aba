// The defaults of fields: checked and encoded when the whole schema is known, for they may need
// types and defaults that stand further down.
#include "avro/json_encoder.h"
#include "avro/schema_builder.h"

#include <fmt/format.h>

namespace penstock::avro {

bool SchemaBuilder::all_defaults() {
  for (auto& [place, one] : defaults_) {
    if (!encode_default(one)) return false;
  }
  return true;
}

bool SchemaBuilder::encode_default(Default& one) {
  if (one.state == Default::State::done) return true;
  path_ = one.path;
  if (one.state == Default::State::busy) return no("A003"_code, "a default that contains itself");
  one.state = Default::State::busy;
  Field& field = one.record->fields[one.field];
  JsonEncoder encoder(JsonEncoder::Form::initial, kMaxDefaultBytes, field.default_datum);
  encoder.before_default([this](const Node& record, size_t index) {
    const auto found = defaults_.find({&record, index});
    return found != defaults_.end() && encode_default(found->second);
  });
  if (!encoder.encode(*field.type, *one.json)) {
    path_ = one.path;
    return no("A003"_code, fmt::format("the default of field \"{}\" does not fit: {}", field.name,
                                       encoder.why()));
  }
  default_bytes_ += field.default_datum.size();
  if (default_bytes_ > kMaxDefaultsBytes) return no("A004"_code, "defaults too large");
  one.state = Default::State::done;
  return true;
}

}  // namespace penstock::avro
