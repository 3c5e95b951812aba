#include "rule/datum.h"

#include "avro/cursor.h"
#include "avro/write.h"
#include "rule/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <span>

namespace penstock::rule {

namespace {

using avro::Cursor;
using avro::Fault;
using avro::Node;

constexpr uint32_t kDepthMax = 64;
constexpr int64_t kSecondsPerDay = 86'400;

Value time_value(int64_t units, int64_t per_second, Context& context) {
  const Time t = time_of_units(units, per_second);
  return in_range(t) ? Value::of_time(t) : context.error("a timestamp outside the years 1 to 9999");
}

Value number_value(const Reading& reading, int64_t number, Context& context) {
  switch (reading.how) {
    case Reading::How::time:
      return time_value(number, reading.per_second, context);
    case Reading::How::day:
      if (number < -10'000'000 || number > 10'000'000)
        return context.error("a date outside the years 1 to 9999");
      return time_value(number * kSecondsPerDay, 1, context);
    case Reading::How::duration: {
      int64_t nanos = 0;
      if (__builtin_mul_overflow(number, kNanosPerSecond / reading.per_second, &nanos))
        return context.error("google.protobuf.Duration overflow");
      return Value::of_duration(nanos);
    }
    case Reading::How::plain:
    case Reading::How::decimal:
      break;
  }
  return Value::of_int(number);
}

// An array in an arena whose size is not known beforehand.
template <class T>
class Growing {
 public:
  explicit Growing(Arena& arena) : arena_(arena) {}
  const T& push(const T& item) {
    if (size_ == room_.size()) {
      const std::span<T> larger = arena_.array<T>(std::max<size_t>(8, room_.size() * 2));
      std::ranges::copy(room_, larger.begin());
      room_ = larger;
    }
    return room_[size_++] = item;
  }
  std::span<T> all() const { return room_.first(size_); }

 private:
  Arena& arena_;
  std::span<T> room_;
  size_t size_ = 0;
};

// Reads datums that the decode plan has validated; a fault here is a bug of ours, not the record's.
class DatumReader {
 public:
  DatumReader(Cursor& in, Context& context) : in_(in), context_(context) {}

  Value read(const Node& node, uint32_t depth) {
    if (depth > kDepthMax) return context_.error("a datum nested too deeply");
    switch (node.type) {
      case avro::Type::null_:
        return Value::of_null();
      case avro::Type::boolean: {
        uint8_t value = 0;
        return sound(read_boolean(in_, value)) ? Value::of_bool(value != 0) : broken();
      }
      case avro::Type::int_:
      case avro::Type::long_: {
        int64_t value = 0;
        if (!sound(read_long(in_, value))) return broken();
        return number_value(reading_of(node), value, context_);
      }
      case avro::Type::float_:
        return real<float>();
      case avro::Type::double_:
        return real<double>();
      case avro::Type::bytes:
      case avro::Type::string:
      case avro::Type::fixed:
        return text(node);
      case avro::Type::enum_: {
        uint32_t index = 0;
        const auto limit = static_cast<uint32_t>(node.symbols.size());
        if (!sound(read_index(in_, limit, Fault::enum_index, index))) return broken();
        return Value::of_string(node.symbols[index]);
      }
      case avro::Type::union_: {
        uint32_t index = 0;
        const auto limit = static_cast<uint32_t>(node.branches.size());
        if (!sound(read_index(in_, limit, Fault::union_index, index))) return broken();
        return read(*node.branches[index], depth + 1);
      }
      case avro::Type::record:
        return record(node, depth);
      case avro::Type::array:
        return array(node, depth);
      case avro::Type::map:
        return map(node, depth);
    }
    return broken();
  }

 private:
  static bool sound(Fault fault) { return fault == Fault::none; }
  Value broken() { return context_.error("a broken datum"); }

  template <class T>
  Value real() {
    T value = 0;
    return sound(avro::read_float(in_, value)) ? Value::of_double(value) : broken();
  }

  Value text(const Node& node) {
    ByteView view;
    if (node.type == avro::Type::fixed) {
      view = {in_.at, node.size_bytes};
      if (!sound(avro::skip_bytes(in_, node.size_bytes))) return broken();
    } else if (!sound(read_bytes(in_, view))) {
      return broken();
    }
    if (node.logical == avro::Logical::decimal)
      return Value::of_double(double_of_decimal(view, node.scale));
    return node.type == avro::Type::string ? Value::of_string(view) : Value::of_bytes(view);
  }

  Value record(const Node& node, uint32_t depth) {
    if (!context_.spend(node.fields.size() + 1)) return context_.error(kOverBudget);
    const std::span<Entry> entries = context_.arena.array<Entry>(node.fields.size());
    for (size_t i = 0; i < entries.size(); i++) {
      entries[i].key = Value::of_string(node.fields[i].name);
      entries[i].value = read(*node.fields[i].type, depth + 1);
      if (entries[i].value.is_error()) return entries[i].value;
    }
    return make_map(entries, context_);
  }

  // Calls `one` for each item of an array's or map's blocks; the error, or null.
  template <class One>
  Value blocks(One one) {
    while (true) {
      uint64_t count = 0;
      const char* end = nullptr;
      if (!sound(avro::read_block(in_, 0, count, end))) return broken();
      if (count == 0) return Value::of_null();
      for (uint64_t i = 0; i < count; i++) {
        if (!context_.spend(1)) return context_.error(kOverBudget);
        if (const Value trouble = one(); trouble.is_error()) return trouble;
      }
    }
  }

  Value array(const Node& node, uint32_t depth) {
    Growing<Value> items(context_.arena);
    const Value trouble = blocks([&] { return items.push(read(*node.items, depth + 1)); });
    return trouble.is_error() ? trouble : Value::of_list(items.all());
  }

  // A key that comes again replaces the one before, as Avro's readers have it.
  Value map(const Node& node, uint32_t depth) {
    Growing<Entry> entries(context_.arena);
    const Value trouble = blocks([&] {
      ByteView key;
      if (!sound(read_bytes(in_, key))) return broken();
      const Value value = read(*node.items, depth + 1);
      entries.push({Value::of_string(key), value});
      return value;
    });
    if (trouble.is_error()) return trouble;
    const Value made = make_map(entries.all(), context_);
    if (!made.is_error() || context_.steps_left == 0) return made;
    return make_map(keep_last_of_each(entries.all()), context_);
  }

  static std::span<Entry> keep_last_of_each(std::span<Entry> entries) {
    const auto key = [](const Entry& entry) { return entry.key.text(); };
    std::ranges::stable_sort(entries, {}, key);
    size_t kept = 0;
    for (size_t i = 0; i < entries.size(); i++) {
      if (i + 1 < entries.size() && key(entries[i]) == key(entries[i + 1])) continue;
      entries[kept++] = entries[i];
    }
    return entries.first(kept);
  }

  Cursor& in_;
  Context& context_;
};

bool refuse(std::string_view what, const Value& value, std::string* why) {
  *why = fmt::format("{} does not fit {}", show(value), what);
  return false;
}

// The slot's number of a time under this reading; nullopt when it does not fit.
std::optional<int64_t> slot_number(const Reading& reading, const Value& value) {
  using How = Reading::How;
  if (value.kind == ValueKind::int_ && reading.how == How::plain) return value.int64;
  if (value.kind == ValueKind::uint_ && reading.how == How::plain && value.uint64 <= INT64_MAX)
    return value.int64;
  if (value.kind == ValueKind::duration && reading.how == How::duration)
    return value.int64 / (kNanosPerSecond / reading.per_second);
  if (value.kind != ValueKind::timestamp) return std::nullopt;
  if (reading.how == How::day)
    return (value.int64 - (value.int64 < 0 ? kSecondsPerDay - 1 : 0)) / kSecondsPerDay;
  if (reading.how != How::time) return std::nullopt;
  return units_of_time(value.time(), reading.per_second);
}

bool write_number(const Node& type, const Value& value, std::string& out, std::string* why) {
  const auto number = slot_number(reading_of(type), value);
  const bool narrow = type.type == avro::Type::int_;
  if (!number || (narrow && (*number < INT32_MIN || *number > INT32_MAX)))
    return refuse(narrow ? "an Avro int" : "an Avro long", value, why);
  avro::append_long(*number, out);
  return true;
}

bool write_text(const Node& type, const Value& value, std::string& out, std::string* why) {
  const bool text = type.type == avro::Type::string;
  const bool fixed = type.type == avro::Type::fixed;
  if (value.kind != (text ? ValueKind::string : ValueKind::bytes) ||
      (fixed && value.size != type.size_bytes))
    return refuse(text ? "an Avro string" : "Avro bytes", value, why);
  if (fixed)
    out.append(value.text());
  else
    avro::append_bytes(value.text(), out);
  return true;
}

bool write_symbol(const Node& type, const Value& value, std::string& out, std::string* why) {
  for (size_t i = 0; i < type.symbols.size(); i++) {
    if (value.kind != ValueKind::string || value.text() != type.symbols[i]) continue;
    avro::append_long(static_cast<int64_t>(i), out);
    return true;
  }
  return refuse("the enum " + type.name, value, why);
}

bool write_real(const Node& type, const Value& value, std::string& out, std::string* why) {
  if (value.kind != ValueKind::double_) return refuse("an Avro double", value, why);
  if (type.type == avro::Type::double_) {
    avro::append_double(value.float64, out);
    return true;
  }
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value.float64));
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
  return true;
}

bool write_record(const Node& type, const Value& value, std::string& out, std::string* why) {
  if (value.kind != ValueKind::map) return refuse("the record " + type.name, value, why);
  for (const avro::Field& field : type.fields) {
    const Value* item = find(*value.entries, field.name);
    if (item == nullptr) return refuse("the record " + type.name, value, why);
    if (!write_datum(*field.type, *item, out, why)) return false;
  }
  return true;
}

// The first branch that takes the value.
bool write_union(const Node& type, const Value& value, std::string& out, std::string* why) {
  const size_t before = out.size();
  for (size_t i = 0; i < type.branches.size(); i++) {
    avro::append_long(static_cast<int64_t>(i), out);
    if (write_datum(*type.branches[i], value, out, why)) return true;
    out.resize(before);
  }
  return refuse("the union", value, why);
}

bool write_items(const Node& type, const Value& value, std::string& out, std::string* why) {
  const bool list = type.type == avro::Type::array;
  if (value.kind != (list ? ValueKind::list : ValueKind::map))
    return refuse(list ? "an Avro array" : "an Avro map", value, why);
  const size_t count = list ? value.size : value.entries->entries.size();
  if (count > 0) avro::append_long(static_cast<int64_t>(count), out);
  for (size_t i = 0; i < count; i++) {
    if (!list) {
      const Value& key = value.entries->entries[i].key;
      if (key.kind != ValueKind::string) return refuse("an Avro map's key", key, why);
      avro::append_bytes(key.text(), out);
    }
    const Value& item = list ? value.items[i] : value.entries->entries[i].value;
    if (!write_datum(*type.items, item, out, why)) return false;
  }
  avro::append_long(0, out);
  return true;
}

}  // namespace

Reading reading_of(const avro::Node& type) {
  const Node* branch = type.nullable_branch();
  const Node& node = branch != nullptr ? *branch : type;
  Reading reading;
  reading.node = avro::slot_shape(type).kind == row::Kind::datum ? &type : &node;
  using enum avro::Logical;
  using How = Reading::How;
  switch (node.logical) {
    case date:
      reading.how = How::day;
      break;
    case time_millis:
    case time_micros:
      reading.how = How::duration;
      reading.per_second = node.logical == time_millis ? 1'000 : 1'000'000;
      break;
    case timestamp_millis:
    case local_timestamp_millis:
    case timestamp_micros:
    case local_timestamp_micros:
    case timestamp_nanos:
    case local_timestamp_nanos: {
      reading.how = How::time;
      const bool millis =
          node.logical == timestamp_millis || node.logical == local_timestamp_millis;
      const bool nanos = node.logical == timestamp_nanos || node.logical == local_timestamp_nanos;
      reading.per_second = millis ? 1'000 : nanos ? kNanosPerSecond : 1'000'000;
      break;
    }
    case decimal:
      reading.how = How::decimal;
      reading.scale = node.scale;
      break;
    default:
      break;
  }
  return reading;
}

double double_of_decimal(ByteView bytes, uint32_t scale) {
  double unscaled = 0;
  for (size_t i = 0; i < bytes.size(); i++)
    unscaled = unscaled * 256 + (i == 0 ? static_cast<double>(static_cast<signed char>(bytes[0]))
                                        : static_cast<double>(static_cast<uint8_t>(bytes[i])));
  return unscaled / std::pow(10.0, scale);
}

Value value_of_slot(const Reading& reading, const row::Column& column, uint32_t row,
                    Context& context) {
  if (column.is_null(row)) return Value::of_null();
  switch (column.kind) {
    case row::Kind::boolean:
      return Value::of_bool(column.booleans[row] != 0);
    case row::Kind::int64:
      return number_value(reading, column.int64s[row], context);
    case row::Kind::float64:
      return Value::of_double(column.float64s[row]);
    case row::Kind::string:
      return Value::of_string(column.views[row]);
    case row::Kind::bytes:
      if (reading.how == Reading::How::decimal)
        return Value::of_double(double_of_decimal(column.views[row], reading.scale));
      return Value::of_bytes(column.views[row]);
    case row::Kind::datum:
      break;
  }
  const ByteView datum = column.views[row];
  Cursor in{datum.data(), datum.data() + datum.size()};
  return DatumReader(in, context).read(*reading.node, 0);
}

bool write_datum(const avro::Node& type, const Value& value, std::string& out, std::string* why) {
  const bool decimal = type.logical == avro::Logical::decimal;
  if (decimal) return refuse("an Avro decimal", value, why);
  switch (type.type) {
    case avro::Type::null_:
      return value.kind == ValueKind::null_ || refuse("null", value, why);
    case avro::Type::boolean:
      if (value.kind != ValueKind::bool_) return refuse("an Avro boolean", value, why);
      out.push_back(value.boolean ? 1 : 0);
      return true;
    case avro::Type::long_:
    case avro::Type::int_:
      return write_number(type, value, out, why);
    case avro::Type::float_:
    case avro::Type::double_:
      return write_real(type, value, out, why);
    case avro::Type::string:
    case avro::Type::bytes:
    case avro::Type::fixed:
      return write_text(type, value, out, why);
    case avro::Type::enum_:
      return write_symbol(type, value, out, why);
    case avro::Type::record:
      return write_record(type, value, out, why);
    case avro::Type::array:
    case avro::Type::map:
      return write_items(type, value, out, why);
    case avro::Type::union_:
      return write_union(type, value, out, why);
  }
  return false;
}

}  // namespace penstock::rule
