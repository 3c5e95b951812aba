// datum.h — Avro slots and datums as values, and values as Avro datums.
//
// Thread      free functions.
// Lifetime    strings and bytes of a value are views of the datum or column; lists and maps lie
//             in the context's arena.
// Errors      an error value: a timestamp outside the years 1–9999, more items than one
//             evaluation may take.
//
//     Value value = value_of_slot(reading_of(*field->type), column, row, context);
#pragma once

#include "avro/schema.h"
#include "row/column.h"
#include "rule/value.h"

#include <string>

namespace penstock::rule {

// How a column's slots become values.
struct Reading {
  enum class How : uint8_t {
    plain,     // by the column's kind
    time,      // int64 in units of 1/per_second seconds
    day,       // int64 days since 1970
    duration,  // int64 in units of 1/per_second seconds
    decimal,   // bytes: two's complement, big-endian, × 10^-scale
  } how = How::plain;
  int64_t per_second = 1;
  uint32_t scale = 0;
  // What a datum slot's bytes are: the whole type, a nullable record's union included. Nullptr for
  // key, topic, partition, offset, timestamp.
  const avro::Node* node = nullptr;
};
// `type` may be a nullable union: a number or text is then read as its branch's.
Reading reading_of(const avro::Node& type);

Value value_of_slot(const Reading& reading, const row::Column& column, uint32_t row,
                    Context& context);
// A decimal's bytes as the nearest double.
double double_of_decimal(ByteView bytes, uint32_t scale);

// Appends `value` as a datum of `type`. False and a text when it does not fit; `out` may then hold
// a part of it. A decimal takes no value: it was read as a double. Times below the type's unit are
// cut off.
bool write_datum(const avro::Node& type, const Value& value, std::string& out, std::string* why);

}  // namespace penstock::rule
