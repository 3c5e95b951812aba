// cell.h — one field of a record as it stands in a column of SQLite.
//
//   boolean, int, long            INTEGER           string, enum, uuid      TEXT
//   float, double                 REAL              bytes, fixed, duration  BLOB
//   timestamp-millis/micros/nanos TEXT 2026-01-01T00:00:00.000Z, with 3, 6 or 9 digits of fraction
//   local-timestamp-…             the same without the Z
//   date                          TEXT 2026-01-31   time-millis/micros      TEXT 12:00:00.000
//   decimal                       TEXT -12.50       all else                TEXT, JSON
//
// A unit of time has one form only, so that the order of the texts is the order of the times
// (years 0000 to 9999; others do not fit).
//
// Thread      free functions.
#pragma once

#include "avro/schema.h"
#include "base/units.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::store {

enum class CellForm : uint8_t {
  boolean,
  integer,
  real,
  text,
  blob,
  timestamp,
  local_timestamp,
  date,
  time,
  decimal,
  json,
};

struct CellType {
  CellForm form = CellForm::text;
  int64_t per_second = 1;                // of the time forms
  uint32_t scale = 0;                    // of decimals
  const avro::Node* node = nullptr;      // without the null of a nullable
  std::string_view column_type() const;  // "INTEGER", "REAL", "TEXT", "BLOB"
};
CellType cell_type(const avro::Node& type);

// Room for the longest text of a time.
inline constexpr size_t kTimeTextBytes = 40;
// Writes the text of a time form; returns its length, 0 when the value is outside the years 0 to
// 9999.
size_t write_time(const CellType& type, int64_t value, char* to);
// Two's complement, big-endian, as Avro has decimals; false when longer than 128 bytes.
bool append_decimal(ByteView unscaled, uint32_t scale, std::string& out);

}  // namespace penstock::store
