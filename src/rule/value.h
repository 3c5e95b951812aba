// value.h — one CEL value of any type, as the row-by-row evaluator sees it.
//
// A Value is 16 bytes and trivially copyable. Strings, bytes, lists and maps point into an arena or
// into the batch. An error is a value too (ValueKind::error with its text): CEL's && and || absorb
// errors, so they travel. Records are maps from field name to value.
//
// Thread      values are immutable; the arena they point into has one owner.
// Lifetime    as long as the arena and the batch they were made from.
// Limits      strings, lists and maps below 2^32 bytes or items; Context bounds what one
//             evaluation may do.
// Errors      text for people: "division by zero", "no such key: 'a'".
//
//     Value sum = apply(Fn::add, args, context);           // function.h
//     if (sum.kind == ValueKind::error) report(sum.text());
#pragma once

#include "base/arena.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace penstock::rule {

enum class ValueKind : uint8_t {
  error,
  null_,
  bool_,
  int_,
  uint_,
  double_,
  string,
  bytes,
  timestamp,
  duration,  // int64 nanoseconds
  list,
  map,
  type,
  optional,  // items: its content; size 0: none
};

// A point in time: seconds since 1970-01-01T00:00:00Z (negative before) and 0 ≤ nanos < 1e9.
struct Time {
  int64_t seconds = 0;
  int32_t nanos = 0;
  auto operator<=>(const Time&) const = default;
};

struct MapData;

struct Value {
  ValueKind kind = ValueKind::null_;
  union {
    uint32_t size = 0;  // string, bytes, error, type: bytes; list: items
    int32_t nanos;      // timestamp
  };
  union {
    int64_t int64 = 0;  // int, duration in nanoseconds, timestamp's seconds
    uint64_t uint64;
    double float64;
    bool boolean;
    const char* chars;
    const Value* items;
    const MapData* entries;
  };

  static Value of_null() { return {}; }
  static Value of_bool(bool v) { return make(ValueKind::bool_, v ? 1U : 0U); }
  static Value of_int(int64_t v) { return make(ValueKind::int_, static_cast<uint64_t>(v)); }
  static Value of_uint(uint64_t v) { return make(ValueKind::uint_, v); }
  static Value of_double(double v);
  static Value of_duration(int64_t nanos) {
    return make(ValueKind::duration, static_cast<uint64_t>(nanos));
  }
  static Value of_time(Time t);
  // The text must live as long as the value.
  static Value of_string(std::string_view text) { return of_view(ValueKind::string, text); }
  static Value of_bytes(std::string_view bytes) { return of_view(ValueKind::bytes, bytes); }
  static Value of_type(std::string_view name) { return of_view(ValueKind::type, name); }
  static Value of_error(std::string_view text) { return of_view(ValueKind::error, text); }
  static Value of_list(std::span<const Value> items);
  static Value of_map(const MapData* map);
  static Value of_none() { return make(ValueKind::optional, 0); }
  // The content must live as long as the value.
  static Value of_optional(const Value* content);

  std::string_view text() const { return {chars, size}; }
  Time time() const { return {int64, nanos}; }
  std::span<const Value> list() const { return {items, size}; }
  // What an optional holds, or nullptr.
  const Value* content() const { return size == 0 ? nullptr : items; }
  bool is_error() const { return kind == ValueKind::error; }
  bool is_true() const { return kind == ValueKind::bool_ && boolean; }
  bool is_false() const { return kind == ValueKind::bool_ && !boolean; }

 private:
  static Value make(ValueKind kind, uint64_t bits) {
    Value value;
    value.kind = kind;
    value.uint64 = bits;
    return value;
  }
  static Value of_view(ValueKind kind, std::string_view view);
};

struct Entry {
  Value key;
  Value value;
};

// A map's entries in the order they were given; beyond kLinearEntries with an open-addressed index.
struct MapData {
  std::span<const Entry> entries;
  std::span<const uint32_t>
      index;  // entry number + 1, 0 = free; a power of two; empty for small maps
};
inline constexpr size_t kLinearEntries = 8;

// What one evaluation may still do: one step per iteration of a macro, item compared or 16 bytes
// made.
struct Context {
  Arena& arena;
  uint64_t steps_left;

  // False when the budget is used up.
  bool spend(uint64_t steps) {
    if (steps > steps_left) return false;
    steps_left -= steps;
    return true;
  }
  Value error(std::string_view text) { return Value::of_error(arena.copy(text)); }
};
inline constexpr uint64_t kStepsPerEvaluation = 1'000'000;
inline constexpr std::string_view kOverBudget = "the evaluation takes too many steps";

// CEL's ==: numbers across types, NaN unequal to itself, values of different types unequal. False
// when over budget (the caller sees steps_left == 0).
bool equal(const Value& a, const Value& b, Context& context);
// CEL's order: -1, 0, 1; kUnordered for NaN or a pair that has no order.
inline constexpr int kUnordered = 2;
inline constexpr int kNoOrder = 3;  // the types have no order
int compare(const Value& a, const Value& b);

// A map of these entries, or an error for a repeated or unfit key.
Value make_map(std::span<const Entry> entries, Context& context);
// The entry with that key, or nullptr.
const Value* find(const MapData& map, const Value& key, Context& context);
const Value* find(const MapData& map, std::string_view key);

// "int", "google.protobuf.Timestamp": what type() says.
std::string_view type_name(ValueKind kind);
// Short text for messages: 'abc', 5, 2.5, [list].
std::string show(const Value& value);

}  // namespace penstock::rule
