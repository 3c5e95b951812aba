// column_type.h — one field of a record as a column of Redshift, and how its value gets there.
//
//   boolean                        boolean            int, long         integer, bigint
//   float, double                  real, double precision
//   string                         varchar(65535)     enum              varchar(its longest symbol)
//   bytes, fixed, big-decimal      varbyte            uuid              varchar(36)
//   timestamp-millis, -micros      timestamptz        local-timestamp-… timestamp
//   timestamp-nanos (both)         the same, cut to the microsecond; bigint in a key or newest_by
//   date, time-millis, -micros     date, time         duration          varchar(64), ISO 8601
//   decimal(p, s), p ≤ 38          decimal(p, s)      decimal, p > 38   varchar
//   records, arrays, maps, unions  super
//
// A row lies in the staging file as an Avro record of simple fields, c0 c1 … in the order of the
// schema, each `staged` or a union of null and that. COPY FORMAT AVRO 'auto' maps them by name to a
// temporary table of columns of stage_sql(), and SQL moves them from there by from_stage().
// The names are positions because COPY compares names with case, while Redshift folds columns to
// lower case. Why text so often (AWS, Redshift Developer Guide):
//   - times: one TIMEFORMAT holds for a whole COPY, 'epochmillisecs' has no microseconds and no
//     place in a DATE, 'auto' does not know it ("DATEFORMAT and TIMEFORMAT strings"); text of
//     2026-01-01 00:00:00.5+00 is what each of the three types reads by itself.
//   - decimals: Avro's bytes would arrive as JSON text ("Data format parameters", AVRO).
//   - varbyte: COPY loads it from CSV, Parquet and ORC only ("Loading a column of the VARBYTE data
//     type"): hexadecimal text, TO_VARBYTE in the merge. So at most 32,767 bytes.
//   - super: nested Avro arrives as JSON text: ours, JSON_PARSE in the merge. At most 65,535 bytes.
//
// Lengths count bytes, as Redshift does ("Character types"). A longer value is refused here, before
// any server is asked; TRUNCATECOLUMNS is never used.
//
// Thread      values.
#pragma once

#include "avro/schema.h"
#include "row/column.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace penstock::store::redshift {

inline constexpr uint32_t kMaxTextBytes = 65'535;
// COPY's NULL AS. Its default, \N, is a text that records may have; this one they may not.
inline constexpr std::string_view kNullText = "penstock: no value";

enum class Form : uint8_t {
  boolean,
  int4,
  int8,
  float4,
  float8,
  // As text in the staging file:
  varchar,
  decimal,
  date,
  time,
  timestamptz,
  timestamp,
  varbyte,
  super,
};

// A column that is there, as svv_columns has it.
struct FoundType {
  std::string name;                  // "character varying", "timestamp with time zone", …
  int64_t length = 0;                // of character types
  int64_t precision = 0, scale = 0;  // of numeric
};

struct ColumnType {
  Form form = Form::varchar;
  const avro::Node* node = nullptr;  // without the null of a nullable
  int64_t per_second = 0;            // of times
  uint32_t precision = 0, scale = 0;
  uint32_t bytes_max = 0;  // of varchar, varbyte and super, of the value as text or as bytes
  int64_t low = std::numeric_limits<int64_t>::min();  // of whole numbers
  int64_t high = std::numeric_limits<int64_t>::max();

  std::string sql() const;        // as CREATE TABLE has it
  std::string stage_sql() const;  // in the temporary table that COPY fills
  // The value of a column of that table, as the target's.
  std::string from_stage(std::string_view column) const;
  // The type of the field in the staging file: boolean, int_, long_, float_, double_ or string.
  avro::Type staged() const;
  // Takes over what a column that is there makes narrower. False: no column for these values.
  bool fit(const FoundType& found, std::string& why);
};
// `exact`: of the key or of newest_by, where nothing may be cut.
ColumnType column_type(const avro::Node& type, bool exact);
bool can_be_newest(const ColumnType& type);

// Whether a value that is not staged as text has a place in the column. If not, `reason`
// ("store.out_of_range", …) and `why` say it; `why` goes on from the column's name.
bool check_number(const ColumnType& type, const row::Column& values, uint32_t row,
                  std::string_view& reason, std::string& why);
// The same for one that is: appends its text, or nothing. Not of a null.
bool append_text(const ColumnType& type, const row::Column& values, uint32_t row, std::string& out,
                 std::string_view& reason, std::string& why);

}  // namespace penstock::store::redshift
