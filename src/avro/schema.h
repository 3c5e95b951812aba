// schema.h — Avro schemas, as values that are parsed once and then shared.
//
// Follows the Apache Avro specification 1.12 (names, aliases, defaults, logical types, Parsing
// Canonical Form, CRC-64-AVRO fingerprint).
//
// Thread      immutable after parse(); share freely.
// Lifetime    shared; inside a recursive schema a named type is referred to by a plain pointer that
// its Schema owns.
// Limits      text ≤ 256 KiB, ≤ 2,000 fields and symbols in all, nesting ≤ 64.
// Errors      A001… with the path of the offending part ("/fields/2/type").
//
//     PENSTOCK_TRY(schema, avro::parse(text));
//     const avro::Field* at = schema->root().field("at");
#pragma once

#include "base/error.h"
#include "row/column.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::avro {

enum class Type : uint8_t {
  null_,
  boolean,
  int_,
  long_,
  float_,
  double_,
  bytes,
  string,
  record,
  enum_,
  array,
  map,
  union_,
  fixed,
};

enum class Logical : uint8_t {
  none,
  decimal,
  big_decimal,
  uuid,
  date,
  time_millis,
  time_micros,
  timestamp_millis,
  timestamp_micros,
  timestamp_nanos,
  local_timestamp_millis,
  local_timestamp_micros,
  local_timestamp_nanos,
  duration,
};

struct Node;

struct Field {
  std::string name;
  std::vector<std::string> aliases;
  const Node* type = nullptr;
  bool has_default = false;
  std::string default_json;   // the default as JSON text, when has_default
  std::string default_datum;  // the default's Avro bytes, when has_default
  std::string doc;
};

// One type. Named types (record, enum, fixed) exist once per Schema and may be pointed to from
// inside themselves.
struct Node {
  Type type = Type::null_;
  Logical logical = Logical::none;
  std::string name;                  // full name of a named type ("energy.Reading")
  std::vector<std::string> aliases;  // full names
  std::vector<Field> fields;         // record
  std::vector<std::string> symbols;  // enum
  bool has_enum_default = false;
  uint32_t enum_default = 0;          // index into symbols
  std::vector<const Node*> branches;  // union
  const Node* items = nullptr;        // array's items, map's values
  uint32_t size_bytes = 0;            // fixed
  uint32_t precision = 0, scale = 0;  // decimal
  uint32_t id = 0;                    // dense number within its Schema, for tables beside the tree

  // The record's field of that name, or nullptr.
  const Field* field(std::string_view field_name) const;
  // For a union of null and exactly one other type: that type; for anything else: nullptr.
  const Node* nullable_branch() const;
};

class Schema {
 public:
  const Node& root() const { return *root_; }
  // The schema's own text, compact JSON that keeps logical types, defaults, docs and aliases.
  const std::string& json() const { return json_; }
  // Parsing Canonical Form.
  const std::string& canonical() const { return canonical_; }
  // CRC-64-AVRO of the canonical form.
  uint64_t fingerprint() const { return fingerprint_; }
  uint32_t node_count() const { return static_cast<uint32_t>(nodes_.size()); }

 private:
  friend class SchemaBuilder;
  std::vector<std::unique_ptr<Node>> nodes_;
  const Node* root_ = nullptr;
  std::string json_;
  std::string canonical_;
  uint64_t fingerprint_ = 0;
};
using SchemaPtr = std::shared_ptr<const Schema>;

// `text` is JSON: an object, an array (union) or a quoted name. A bare primitive name is taken too.
Result<SchemaPtr> parse(std::string_view text);

// How a value of this type stands in a column: a nullable union as its branch with a null map.
struct SlotShape {
  row::Kind kind;
  bool nullable;
};
SlotShape slot_shape(const Node& type);

// A field of a record under construction: a name and a type. `type` may belong to any Schema that
// lives long enough for the call; it is copied.
struct NewField {
  std::string name;
  const Node* type;
  std::string default_json;  // "" = none
};
// A record schema of these fields, under the full name `name`. Named types that occur twice are
// written once.
Result<SchemaPtr> make_record(std::string_view name, const std::vector<NewField>& fields);
// The schema of just this type, as a Schema of its own.
Result<SchemaPtr> extract(const Node& type);
// The schemas of "null", "boolean", "long", …, parsed once.
const SchemaPtr& primitive(Type type);
// `["null", type]` as a Schema of its own; a type that is nullable already is returned as it is.
Result<SchemaPtr> nullable(const Node& type);
// A nullable or plain node for people: "string", "null or timestamp-micros", "array of long",
// "record energy.Reading".
std::string describe(const Node& type);

}  // namespace penstock::avro
