// column.h — one field of many rows: fixed-width typed slots.
//
// Thread      one owner.
// Lifetime    slots and what `view` slots point to live as long as the batch's arena and raw bytes
// (batch.h).
// Shapes      every column of a batch has exactly Batch::rows slots; slots of rows that
// are not live hold anything.
#pragma once

#include "base/units.h"

#include <cstdint>
#include <string_view>

namespace penstock::row {

// What a slot holds. The Avro type of the field says the rest (a timestamp-micros is an int64 here,
// a float is a float64, an enum's symbol and a fixed are views).
enum class Kind : uint8_t {
  boolean,  // uint8_t, 0 or 1
  int64,    // Avro int, long and every logical type over them, in the schema's own unit
  float64,  // Avro float, double
  string,   // view of UTF-8: string, enum symbol
  bytes,    // view: bytes, fixed
  datum,    // view of the field's Avro bytes, validated: records, arrays, maps, other unions, null
};

struct Column {
  Kind kind = Kind::int64;
  union {
    uint8_t* booleans;
    int64_t* int64s;
    double* float64s;
    ByteView* views;  // string, bytes, datum
    void* slots = nullptr;
  };
  // One byte per row, 1 = null; nullptr when the field can not be null. Null slots hold a zero or
  // an empty view.
  uint8_t* nulls = nullptr;

  bool is_null(uint32_t row) const { return nulls != nullptr && nulls[row] != 0; }
};

// Width of one slot in bytes: 1, 8 or 16.
constexpr uint32_t slot_bytes(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return 1;
    case Kind::int64:
    case Kind::float64:
      return 8;
    case Kind::string:
    case Kind::bytes:
    case Kind::datum:
      break;
  }
  return sizeof(ByteView);
}

}  // namespace penstock::row
