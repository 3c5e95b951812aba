// logical_text.h — values of logical types as people write them.
//
// Thread      free functions, no state.
// Limits      decimals of at most 1,024 bytes and 4,096 digits.
// Errors      false: the text is no such value, or the value has no such text; nothing was appended
// then.
#pragma once

#include "avro/schema.h"
#include "base/units.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::avro {

// "-12.50" as big-endian two's complement of its digits × 10^scale, in the fewest bytes. More
// digits after the point than `scale`, or more in all than `precision`, are refused, but zeros at
// the end are not counted.
bool parse_decimal(std::string_view text, uint32_t scale, uint32_t precision, std::string& bytes);
// Repeats the sign in front until there are `size_bytes`.
bool widen_decimal(size_t size_bytes, std::string& bytes);
bool append_decimal(ByteView bytes, uint32_t scale, std::string& out);

// f81d4fae-7dec-11d0-a765-00a0c91e6bf6 and its 16 bytes.
bool parse_uuid(std::string_view text, std::string& bytes);
bool append_uuid(ByteView bytes, std::string& out);

// Dates, times and timestamps in the units of `logical`. A fraction finer than the unit is refused.
bool parse_logical_time(Logical logical, std::string_view text, int64_t& units);
bool append_logical_time(Logical logical, int64_t units, std::string& out);
// Is it one of those?
bool is_time(Logical logical);

}  // namespace penstock::avro
