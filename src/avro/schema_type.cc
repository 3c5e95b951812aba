// Types by name, logical types, and what a type means for slots and people.
#include "avro/schema_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace penstock::avro {
namespace {

constexpr std::string_view kTypeNames[] = {"null",   "boolean", "int",    "long",   "float",
                                           "double", "bytes",   "string", "record", "enum",
                                           "array",  "map",     "union",  "fixed"};
constexpr std::string_view kLogicalNames[] = {"",
                                              "decimal",
                                              "big-decimal",
                                              "uuid",
                                              "date",
                                              "time-millis",
                                              "time-micros",
                                              "timestamp-millis",
                                              "timestamp-micros",
                                              "timestamp-nanos",
                                              "local-timestamp-millis",
                                              "local-timestamp-micros",
                                              "local-timestamp-nanos",
                                              "duration"};

// A whole number that stands at `name`; nullopt where there is none or it is no such number.
std::optional<uint32_t> number_at(const Json& json, std::string_view name) {
  const Json* given = json.member(name);
  if (given == nullptr || given->kind != Json::Kind::number) return std::nullopt;
  uint32_t value = 0;
  const char* end = given->text.data() + given->text.size();
  if (std::from_chars(given->text.data(), end, value).ptr != end) return std::nullopt;
  return value;
}

bool read_decimal(Node& node, const Json& json) {
  const auto precision = number_at(json, "precision");
  const auto scale = json.member("scale") == nullptr ? 0u : number_at(json, "scale");
  if (!precision || *precision == 0 || !scale || *scale > *precision) return false;
  if (node.type == Type::fixed) {
    const double digits = std::floor(std::log10(2.0) * (8.0 * node.size_bytes - 1.0));
    if (node.size_bytes == 0 || *precision > digits) return false;
  }
  node.precision = *precision;
  node.scale = *scale;
  return true;
}

bool logical_fits(const Node& node, Logical logical) {
  switch (logical) {
    case Logical::none:
      return false;
    case Logical::decimal:
      return node.type == Type::bytes || node.type == Type::fixed;
    case Logical::big_decimal:
      return node.type == Type::bytes;
    case Logical::uuid:
      return node.type == Type::string || (node.type == Type::fixed && node.size_bytes == 16);
    case Logical::date:
    case Logical::time_millis:
      return node.type == Type::int_;
    case Logical::duration:
      return node.type == Type::fixed && node.size_bytes == 12;
    default:
      return node.type == Type::long_;
  }
}

}  // namespace

std::string_view type_name(Type type) { return kTypeNames[static_cast<size_t>(type)]; }
std::string_view logical_name(Logical logical) {
  return kLogicalNames[static_cast<size_t>(logical)];
}

std::optional<Type> primitive_type(std::string_view name) {
  const auto* end = kTypeNames + static_cast<size_t>(Type::record);
  const auto* found = std::find(kTypeNames, end, name);
  if (found == end) return std::nullopt;
  return static_cast<Type>(found - kTypeNames);
}

void read_logical(Node& node, const Json& json) {
  const Json* given = json.member("logicalType");
  if (given == nullptr || given->kind != Json::Kind::string) return;
  const auto* found = std::ranges::find(kLogicalNames, given->text);
  if (found == std::end(kLogicalNames)) return;
  const auto logical = static_cast<Logical>(found - kLogicalNames);
  if (!logical_fits(node, logical)) return;
  if (logical == Logical::decimal && !read_decimal(node, json)) return;
  node.logical = logical;
}

const Field* Node::field(std::string_view field_name) const {
  const auto found = std::ranges::find(fields, field_name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

const Node* Node::nullable_branch() const {
  if (type != Type::union_ || branches.size() != 2) return nullptr;
  const bool first = branches[0]->type == Type::null_;
  const bool second = branches[1]->type == Type::null_;
  if (first == second) return nullptr;
  return branches[first ? 1 : 0];
}

SlotShape slot_shape(const Node& type) {
  switch (type.type) {
    case Type::boolean:
      return {row::Kind::boolean, false};
    case Type::int_:
    case Type::long_:
      return {row::Kind::int64, false};
    case Type::float_:
    case Type::double_:
      return {row::Kind::float64, false};
    case Type::string:
    case Type::enum_:
      return {row::Kind::string, false};
    case Type::bytes:
    case Type::fixed:
      return {row::Kind::bytes, false};
    default:
      break;
  }
  const Node* branch = type.nullable_branch();
  if (branch == nullptr) return {row::Kind::datum, false};
  const row::Kind kind = slot_shape(*branch).kind;
  return {kind, kind != row::Kind::datum};
}

std::string describe(const Node& type) {
  if (type.logical == Logical::decimal)
    return fmt::format("decimal({}, {})", type.precision, type.scale);
  if (type.logical != Logical::none) return std::string(logical_name(type.logical));
  switch (type.type) {
    case Type::array:
    case Type::map:
      return fmt::format("{} of {}", type_name(type.type), describe(*type.items));
    case Type::record:
    case Type::enum_:
    case Type::fixed:
      return fmt::format("{} {}", type_name(type.type), type.name);
    case Type::union_: {
      std::string text;
      for (const Node* branch : type.branches) {
        if (!text.empty()) text += " or ";
        text += describe(*branch);
      }
      return text;
    }
    default:
      return std::string(type_name(type.type));
  }
}

}  // namespace penstock::avro
