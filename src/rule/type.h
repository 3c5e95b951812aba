// type.h — what the checker knows about an expression before it runs.
//
// CEL's types, a nullable mark on any of them (an Avro union with null), and records with their
// Avro node. From Avro: int, long → int; float, double → double; string, enum, uuid in text →
// string; bytes, fixed → bytes; timestamp-*, local-timestamp-* → timestamp (local ones read as
// UTC); date → timestamp at midnight UTC; time-* → duration since midnight; decimal → double; array
// → list; map → map(string, …); record → record, at run time a map; null with one other type → that
// type, nullable; any other union → dyn.
//
// Thread      Types has one owner while types are made; a finished Type is immutable.
// Lifetime    types live as long as the Types that made them.
//
//     Types types;
//     const Type* kwh = types.from_avro(*schema->root().field("kwh")->type);   // describe(*kwh) ==
//     "double"
#pragma once

#include "avro/schema.h"
#include "rule/value.h"

#include <cstdint>
#include <deque>
#include <string>

namespace penstock::rule {

enum class TypeKind : uint8_t {
  dyn,
  null_,
  bool_,
  int_,
  uint_,
  double_,
  string,
  bytes,
  timestamp,
  duration,
  list,
  map,
  record,
  type,
  optional,  // item: what it may hold
};

struct Type {
  TypeKind kind = TypeKind::dyn;
  bool nullable = false;
  const Type* key = nullptr;         // map
  const Type* item = nullptr;        // list's items, map's values, an optional's content
  const avro::Node* node = nullptr;  // record: its fields
};

class Types {
 public:
  Types();
  Types(const Types&) = delete;
  Types& operator=(const Types&) = delete;

  const Type* of(TypeKind kind) const { return &basic_[static_cast<size_t>(kind)]; }
  const Type* nullable(const Type* type);
  const Type* without_null(const Type* type);
  const Type* list(const Type* item);
  const Type* map(const Type* key, const Type* item);
  const Type* optional(const Type* item);
  const Type* from_avro(const avro::Node& node);
  // The type of a bound value; lists and maps of one type keep it, others are dyn inside.
  const Type* of_value(const Value& value);
  // The one type of both, or dyn.
  const Type* join(const Type* a, const Type* b);

 private:
  const Type* keep(Type type);
  Type basic_[static_cast<size_t>(TypeKind::optional) + 1];
  std::deque<Type> kept_;
};

bool same(const Type& a, const Type& b);
// Whether a value of one may equal one of the other: same type, or dyn somewhere, or null and
// nullable.
bool comparable(const Type& a, const Type& b);
// For people: "int", "null or double", "list(string)", "record energy.Reading".
std::string describe(const Type& type);

}  // namespace penstock::rule
