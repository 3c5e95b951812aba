#include "rule/value.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

namespace penstock::rule {

namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

bool is_number(ValueKind kind) {
  return kind == ValueKind::int_ || kind == ValueKind::uint_ || kind == ValueKind::double_;
}

template <class T>
int order(T a, T b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int order_int_uint(int64_t a, uint64_t b) {
  return a < 0 ? -1 : order(static_cast<uint64_t>(a), b);
}

// Numbers across types are compared as doubles, as the reference implementations do.
int order_double_int(double a, int64_t b) {
  if (a < -kTwo63) return -1;
  if (a > kTwo63) return 1;
  return order(a, static_cast<double>(b));
}

int order_double_uint(double a, uint64_t b) {
  if (a < 0) return -1;
  if (a > kTwo64) return 1;
  return order(a, static_cast<double>(b));
}

int compare_numbers(const Value& a, const Value& b) {
  using enum ValueKind;
  if ((a.kind == double_ && std::isnan(a.float64)) || (b.kind == double_ && std::isnan(b.float64)))
    return kUnordered;
  if (a.kind == b.kind) {
    if (a.kind == int_) return order(a.int64, b.int64);
    if (a.kind == uint_) return order(a.uint64, b.uint64);
    return order(a.float64, b.float64);
  }
  if (a.kind == int_ && b.kind == uint_) return order_int_uint(a.int64, b.uint64);
  if (a.kind == double_ && b.kind == int_) return order_double_int(a.float64, b.int64);
  if (a.kind == double_ && b.kind == uint_) return order_double_uint(a.float64, b.uint64);
  return -compare_numbers(b, a);
}

uint64_t scramble(uint64_t x) {
  x ^= x >> 31;
  x *= 0x9e3779b97f4a7c15U;
  return x ^ (x >> 29);
}

// Equal keys have equal hashes: numbers hash by their value as a double.
uint64_t hash_key(const Value& key) {
  switch (key.kind) {
    case ValueKind::int_:
      return scramble(std::bit_cast<uint64_t>(static_cast<double>(key.int64) + 0.0));
    case ValueKind::uint_:
      return scramble(std::bit_cast<uint64_t>(static_cast<double>(key.uint64) + 0.0));
    case ValueKind::double_:
      return scramble(std::bit_cast<uint64_t>(key.float64 + 0.0));
    case ValueKind::bool_:
      return scramble(key.boolean ? 3 : 5);
    default: {
      uint64_t hash = 0xcbf29ce484222325U;
      for (const char c : key.text()) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
      return scramble(hash);
    }
  }
}

bool same_key(const Value& a, const Value& b) {
  if (is_number(a.kind) && is_number(b.kind)) return compare_numbers(a, b) == 0;
  if (a.kind != b.kind) return false;
  return a.kind == ValueKind::bool_ ? a.boolean == b.boolean : a.text() == b.text();
}

bool fits_as_key(ValueKind kind) {
  using enum ValueKind;
  return kind == bool_ || kind == int_ || kind == uint_ || kind == string;
}

bool equal_maps(const MapData& a, const MapData& b, Context& context) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const Entry& entry : a.entries) {
    const Value* other = find(b, entry.key, context);
    if (other == nullptr || !equal(entry.value, *other, context)) return false;
  }
  return true;
}

}  // namespace

Value Value::of_double(double v) { return make(ValueKind::double_, std::bit_cast<uint64_t>(v)); }

Value Value::of_time(Time t) {
  Value value = make(ValueKind::timestamp, static_cast<uint64_t>(t.seconds));
  value.nanos = t.nanos;
  return value;
}

Value Value::of_list(std::span<const Value> items) {
  Value value;
  value.kind = ValueKind::list;
  value.size = static_cast<uint32_t>(items.size());
  value.items = items.data();
  return value;
}

Value Value::of_map(const MapData* map) {
  Value value;
  value.kind = ValueKind::map;
  value.entries = map;
  return value;
}

Value Value::of_optional(const Value* content) {
  Value value;
  value.kind = ValueKind::optional;
  value.size = 1;
  value.items = content;
  return value;
}

Value Value::of_view(ValueKind kind, std::string_view view) {
  Value value;
  value.kind = kind;
  value.size = static_cast<uint32_t>(view.size());
  value.chars = view.data();
  return value;
}

bool equal(const Value& a, const Value& b, Context& context) {
  if (is_number(a.kind) && is_number(b.kind)) return compare_numbers(a, b) == 0;
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case ValueKind::null_:
      return true;
    case ValueKind::list: {
      if (a.size != b.size) return false;
      for (uint32_t i = 0; i < a.size; i++) {
        if (!context.spend(1)) return context.steps_left = 0, false;
        if (!equal(a.items[i], b.items[i], context)) return false;
      }
      return true;
    }
    case ValueKind::map:
      return equal_maps(*a.entries, *b.entries, context);
    case ValueKind::optional:
      if (a.size == 0 || b.size == 0) return a.size == b.size;
      return equal(*a.content(), *b.content(), context);
    default:
      return compare(a, b) == 0 || (a.kind == ValueKind::type && a.text() == b.text());
  }
}

int compare(const Value& a, const Value& b) {
  if (is_number(a.kind) && is_number(b.kind)) return compare_numbers(a, b);
  if (a.kind != b.kind) return kNoOrder;
  switch (a.kind) {
    case ValueKind::bool_:
      return order<int>(a.boolean, b.boolean);
    case ValueKind::string:
    case ValueKind::bytes:
      return order(a.text().compare(b.text()), 0);
    case ValueKind::timestamp:
      return order(a.time(), b.time());
    case ValueKind::duration:
      return order(a.int64, b.int64);
    default:
      return kNoOrder;
  }
}

const Value* find(const MapData& map, const Value& key, Context& context) {
  if (!context.spend(1)) return context.steps_left = 0, nullptr;
  if (map.index.empty()) {
    for (const Entry& entry : map.entries)
      if (same_key(entry.key, key)) return &entry.value;
    return nullptr;
  }
  const size_t mask = map.index.size() - 1;
  for (size_t at = hash_key(key) & mask; map.index[at] != 0; at = (at + 1) & mask) {
    const Entry& entry = map.entries[map.index[at] - 1];
    if (same_key(entry.key, key)) return &entry.value;
  }
  return nullptr;
}

const Value* find(const MapData& map, std::string_view key) {
  if (map.index.empty()) {
    for (const Entry& entry : map.entries)
      if (entry.key.kind == ValueKind::string && entry.key.text() == key) return &entry.value;
    return nullptr;
  }
  Arena unused;
  Context context{unused, 1};
  return find(map, Value::of_string(key), context);
}

Value make_map(std::span<const Entry> entries, Context& context) {
  if (!context.spend(entries.size() + 1)) return context.error(kOverBudget);
  auto* map = static_cast<MapData*>(context.arena.allocate(sizeof(MapData), alignof(MapData)));
  *map = MapData{entries, {}};
  std::span<uint32_t> index;
  if (entries.size() > kLinearEntries) {
    index = context.arena.array<uint32_t>(std::bit_ceil(entries.size() * 2));
    std::memset(index.data(), 0, index.size_bytes());
  }
  for (size_t i = 0; i < entries.size(); i++) {
    const Value& key = entries[i].key;
    if (key.is_error()) return key;
    if (!fits_as_key(key.kind))
      return context.error(fmt::format("{} cannot be a map's key", show(key)));
    size_t at = 0;
    if (index.empty()) {
      for (size_t j = 0; j < i; j++)
        if (same_key(entries[j].key, key))
          return context.error(fmt::format("repeated key {}", show(key)));
      continue;
    }
    const size_t mask = index.size() - 1;
    for (at = hash_key(key) & mask; index[at] != 0; at = (at + 1) & mask)
      if (same_key(entries[index[at] - 1].key, key))
        return context.error(fmt::format("repeated key {}", show(key)));
    index[at] = static_cast<uint32_t>(i + 1);
  }
  map->index = index;
  return Value::of_map(map);
}

std::string_view type_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::error:
      return "error";
    case ValueKind::null_:
      return "null_type";
    case ValueKind::bool_:
      return "bool";
    case ValueKind::int_:
      return "int";
    case ValueKind::uint_:
      return "uint";
    case ValueKind::double_:
      return "double";
    case ValueKind::string:
      return "string";
    case ValueKind::bytes:
      return "bytes";
    case ValueKind::timestamp:
      return "google.protobuf.Timestamp";
    case ValueKind::duration:
      return "google.protobuf.Duration";
    case ValueKind::list:
      return "list";
    case ValueKind::map:
      return "map";
    case ValueKind::type:
      return "type";
    case ValueKind::optional:
      return "optional_type";
  }
  return "?";
}

std::string show(const Value& value) {
  switch (value.kind) {
    case ValueKind::null_:
      return "null";
    case ValueKind::bool_:
      return value.boolean ? "true" : "false";
    case ValueKind::int_:
      return fmt::format("{}", value.int64);
    case ValueKind::uint_:
      return fmt::format("{}u", value.uint64);
    case ValueKind::double_:
      return fmt::format("{}", value.float64);
    case ValueKind::string:
      return fmt::format("'{}'", value.text().substr(0, 64));
    default:
      return fmt::format("[{}]", type_name(value.kind));
  }
}

}  // namespace penstock::rule
