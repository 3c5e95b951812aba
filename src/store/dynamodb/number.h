// number.h — numbers and times in DynamoDB's JSON.
//
// Thread      free functions. `out` and `size` are as they were when something is refused, but for
//             what a caller throws away anyway.
#pragma once

#include "avro/schema.h"
#include "base/units.h"
#include "store/dynamodb/attribute.h"

#include <cstdint>
#include <string>

namespace penstock::store::dynamodb {

// {"N":"12"} of a number, {"S":"2026-01-01T00:00:00.000Z"} of a time.
bool append_whole(const avro::Node& type, int64_t value, std::string& out, size_t& size,
                  Refusal& refusal);
bool append_real(double value, bool is_float, std::string& out, size_t& size, Refusal& refusal);
bool append_decimal_number(ByteView unscaled, uint32_t scale, std::string& out, size_t& size,
                           Refusal& refusal);
// A byte for two digits, one for the exponent, one for a minus.
size_t number_size(std::string_view text);

}  // namespace penstock::store::dynamodb
