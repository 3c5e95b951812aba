// column_type.h — one field of a record as a column of PostgreSQL.
//
//   boolean                        boolean            int, long         integer, bigint
//   float, double                  real, double precision
//   string, enum                   text               bytes, fixed, big-decimal   bytea
//   timestamp-millis, -micros      timestamp with time zone
//   local-timestamp-…              timestamp without time zone
//   timestamp-nanos (both)         the same, cut to the microsecond; bigint in a key or newest_by
//   date, time-millis, -micros     date, time         decimal(p, s)     numeric(p, s)
//   uuid                           uuid               duration          interval
//   records, arrays, maps, unions  jsonb
//
// Values travel in the binary form of the stage's column; those without a simple binary form travel
// as text and are cast when they are merged, so that the server's checks all fail in one place.
//
// Thread      values.
#pragma once

#include "avro/schema.h"
#include "flow/store.h"
#include "row/column.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::store::postgres {

enum class Form : uint8_t {
  boolean,
  int4,
  int8,
  float4,
  float8,
  text,
  bytea,
  date,
  time,
  timestamptz,
  timestamp,
  // As text in the stage:
  numeric,
  uuid,
  interval,
  jsonb,
};

struct ColumnType {
  Form form = Form::text;
  const avro::Node* node = nullptr;  // without the null of a nullable
  int64_t per_second = 0;            // of times
  uint32_t precision = 0, scale = 0;

  std::string sql() const;             // as CREATE TABLE has it
  std::string_view stage_sql() const;  // in the stage
  std::string_view cast() const;       // "::jsonb" or ""
  bool fits(std::string_view found, int32_t modifier, std::string& why) const;
};
// `exact`: of the key or of newest_by, where nothing may be cut.
ColumnType column_type(const avro::Node& type, bool exact);
bool can_be_newest(const ColumnType& type);

// Appends one value in COPY's binary form (length and bytes). False: the value has no place in the
// column; `reason` ("store.out_of_range", …) and `why` say it, `out` is as before.
bool append_cell(const ColumnType& type, const row::Column& values, uint32_t row, std::string& out,
                 std::string_view& reason, std::string& why);

void append_int16(int16_t value, std::string& out);
void append_int32(int32_t value, std::string& out);
void append_int64(int64_t value, std::string& out);

}  // namespace penstock::store::postgres
