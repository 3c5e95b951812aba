// attribute.h — one field of a record as an attribute of a DynamoDB item.
//
//   boolean                       BOOL               string, enum, uuid     S
//   int, long, float, double      N                  bytes, fixed, duration, big-decimal   B
//   decimal                       N                  records, maps          M
//   dates, times, timestamps      S, RFC 3339        arrays                 L
//   null                          left out; NULL inside an array
//
// Texts of one unit of time have one form, with 3, 6 or 9 digits of fraction, so that their order
// is
// that of the times. Unions are their value, without the branch's name.
//
// Thread      free functions.
// Limits      N: 38 digits, 1e-130 to below 1e126; years 1 to 9999; 32 levels.
#pragma once

#include "avro/schema.h"
#include "base/units.h"
#include "row/column.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::store::dynamodb {

// Why a value has no place in a table: "store.out_of_range", and a sentence.
struct Refusal {
  std::string_view reason;
  std::string detail;
};

// "S", "N" or "B" for a type that can be (part of) a key, else "".
std::string_view key_type(const avro::Node& type);

// Appends {"S":"…"} of the slot, which is not null, and adds to `size` what DynamoDB counts.
bool append_attribute(const avro::Node& type, const row::Column& column, uint32_t row,
                      std::string& out, size_t& size, Refusal& refusal);

std::string base64(std::string_view bytes);
void append_base64(std::string_view bytes, std::string& out);

}  // namespace penstock::store::dynamodb
