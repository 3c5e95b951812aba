#include "rule/type.h"

namespace penstock::rule {

namespace {

TypeKind kind_of_logical(const avro::Node& node) {
  switch (node.logical) {
    case avro::Logical::decimal:
      return TypeKind::double_;
    case avro::Logical::date:
    case avro::Logical::timestamp_millis:
    case avro::Logical::timestamp_micros:
    case avro::Logical::timestamp_nanos:
    case avro::Logical::local_timestamp_millis:
    case avro::Logical::local_timestamp_micros:
    case avro::Logical::local_timestamp_nanos:
      return TypeKind::timestamp;
    case avro::Logical::time_millis:
    case avro::Logical::time_micros:
      return TypeKind::duration;
    case avro::Logical::none:
    case avro::Logical::big_decimal:
    case avro::Logical::uuid:
    case avro::Logical::duration:
      return TypeKind::dyn;  // as the base type
  }
  return TypeKind::dyn;
}

TypeKind kind_of_base(avro::Type type) {
  switch (type) {
    case avro::Type::null_:
      return TypeKind::null_;
    case avro::Type::boolean:
      return TypeKind::bool_;
    case avro::Type::int_:
    case avro::Type::long_:
      return TypeKind::int_;
    case avro::Type::float_:
    case avro::Type::double_:
      return TypeKind::double_;
    case avro::Type::string:
    case avro::Type::enum_:
      return TypeKind::string;
    case avro::Type::bytes:
    case avro::Type::fixed:
      return TypeKind::bytes;
    case avro::Type::array:
      return TypeKind::list;
    case avro::Type::map:
      return TypeKind::map;
    case avro::Type::record:
      return TypeKind::record;
    case avro::Type::union_:
      return TypeKind::dyn;
  }
  return TypeKind::dyn;
}

std::string_view basic_name(TypeKind kind) {
  static constexpr std::string_view kNames[] = {
      "dyn",       "null",     "bool", "int", "uint",   "double", "string",  "bytes",
      "timestamp", "duration", "list", "map", "record", "type",   "optional"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace

Types::Types() {
  for (size_t i = 0; i <= static_cast<size_t>(TypeKind::optional); i++)
    basic_[i].kind = static_cast<TypeKind>(i);
}

const Type* Types::keep(Type type) { return &kept_.emplace_back(type); }

const Type* Types::nullable(const Type* type) {
  if (type->nullable || type->kind == TypeKind::dyn || type->kind == TypeKind::null_) return type;
  Type with = *type;
  with.nullable = true;
  return keep(with);
}

const Type* Types::without_null(const Type* type) {
  if (!type->nullable) return type;
  Type without = *type;
  without.nullable = false;
  return keep(without);
}

const Type* Types::list(const Type* item) { return keep({TypeKind::list, false, nullptr, item}); }

const Type* Types::map(const Type* key, const Type* item) {
  return keep({TypeKind::map, false, key, item});
}

const Type* Types::optional(const Type* item) {
  return keep({TypeKind::optional, false, nullptr, item});
}

const Type* Types::from_avro(const avro::Node& node) {
  if (const avro::Node* branch = node.nullable_branch()) return nullable(from_avro(*branch));
  if (const TypeKind logical = kind_of_logical(node); logical != TypeKind::dyn) return of(logical);
  const TypeKind kind = kind_of_base(node.type);
  if (kind == TypeKind::list) return list(from_avro(*node.items));
  if (kind == TypeKind::map) return map(of(TypeKind::string), from_avro(*node.items));
  if (kind == TypeKind::record) return keep({TypeKind::record, false, nullptr, nullptr, &node});
  return of(kind);
}

const Type* Types::of_value(const Value& value) {
  switch (value.kind) {
    case ValueKind::error:
      return of(TypeKind::dyn);
    case ValueKind::list: {
      const Type* item = nullptr;
      for (const Value& each : value.list()) {
        const Type* type = of_value(each);
        item = item == nullptr ? type : join(item, type);
      }
      return list(item == nullptr ? of(TypeKind::dyn) : item);
    }
    case ValueKind::map: {
      const Type* key = nullptr;
      const Type* item = nullptr;
      for (const Entry& entry : value.entries->entries) {
        const Type* key_type = of_value(entry.key);
        const Type* item_type = of_value(entry.value);
        key = key == nullptr ? key_type : join(key, key_type);
        item = item == nullptr ? item_type : join(item, item_type);
      }
      if (key == nullptr) return map(of(TypeKind::dyn), of(TypeKind::dyn));
      return map(key, item);
    }
    case ValueKind::type:
      return of(TypeKind::type);
    case ValueKind::optional:
      return optional(value.size == 0 ? of(TypeKind::dyn) : of_value(*value.content()));
    default:
      return of(static_cast<TypeKind>(static_cast<uint8_t>(value.kind)));
  }
}

const Type* Types::join(const Type* a, const Type* b) {
  return same(*a, *b) ? a : of(TypeKind::dyn);
}

bool same(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.nullable != b.nullable || a.node != b.node) return false;
  if (a.kind == TypeKind::list || a.kind == TypeKind::optional) return same(*a.item, *b.item);
  if (a.kind == TypeKind::map) return same(*a.key, *b.key) && same(*a.item, *b.item);
  return true;
}

bool comparable(const Type& a, const Type& b) {
  if (a.kind == TypeKind::dyn || b.kind == TypeKind::dyn) return true;
  if (a.kind == TypeKind::null_) return b.nullable || b.kind == TypeKind::null_;
  if (b.kind == TypeKind::null_) return a.nullable;
  const bool a_maps = a.kind == TypeKind::map || a.kind == TypeKind::record;
  const bool b_maps = b.kind == TypeKind::map || b.kind == TypeKind::record;
  if (a_maps && b_maps) {
    if (a.kind != b.kind || a.kind == TypeKind::record) return true;
    return comparable(*a.key, *b.key) && comparable(*a.item, *b.item);
  }
  if (a.kind != b.kind) return false;
  const bool holds = a.kind == TypeKind::list || a.kind == TypeKind::optional;
  return !holds || comparable(*a.item, *b.item);
}

std::string describe(const Type& type) {
  std::string text = type.nullable ? "null or " : "";
  text += basic_name(type.kind);
  if (type.kind == TypeKind::list || type.kind == TypeKind::optional)
    text += "(" + describe(*type.item) + ")";
  if (type.kind == TypeKind::map)
    text += "(" + describe(*type.key) + ", " + describe(*type.item) + ")";
  if (type.kind == TypeKind::record) text += " " + type.node->name;
  return text;
}

}  // namespace penstock::rule
