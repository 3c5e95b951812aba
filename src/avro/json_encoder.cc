#include "avro/json_encoder.h"

#include "avro/bounds.h"
#include "avro/logical_text.h"
#include "avro/utf8.h"
#include "avro/write.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace penstock::avro {
namespace {

bool parse_whole(std::string_view text, int64_t& value) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size();
}

template <class T>
bool parse_float(std::string_view text, T& value) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    value = text == "NaN" ? std::numeric_limits<T>::quiet_NaN()
                          : std::numeric_limits<T>::infinity() * (text[0] == '-' ? T(-1) : T(1));
    return true;
  }
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return false;
  if (fault == std::errc()) return std::isfinite(value);
  if (fault != std::errc::result_out_of_range) return false;
  // Too large, or so small that it is a zero.
  const std::string copy(text);
  value = static_cast<T>(std::strtod(copy.c_str(), nullptr));
  return std::isfinite(value);
}

// Code points 0–255 to bytes.
bool code_points(std::string_view text, std::string& bytes) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c < 0x80) {
      bytes.push_back(text[i]);
      continue;
    }
    if ((c != 0xc2 && c != 0xc3) || i + 1 == text.size()) return false;
    bytes.push_back(static_cast<char>((c << 6) | (static_cast<uint8_t>(text[++i]) & 0x3f)));
  }
  return true;
}

}  // namespace

bool parse_real(std::string_view text, double& value) { return parse_float(text, value); }
bool parse_real(std::string_view text, float& value) { return parse_float(text, value); }

std::string_view branch_tag(const Node& branch) {
  static constexpr std::string_view kTags[] = {"null",   "boolean", "int",    "long", "float",
                                               "double", "bytes",   "string", "",     "",
                                               "array",  "map",     "union",  ""};
  return branch.name.empty() ? kTags[static_cast<size_t>(branch.type)] : branch.name;
}

bool JsonEncoder::stop(std::string message) {
  why_ = path_.empty() ? std::move(message) : fmt::format("{}, at {}", message, path_.text());
  return false;
}

bool JsonEncoder::mismatch(const Node& type, const Json& json) {
  std::string shown;
  if (json.kind == Json::Kind::number || json.kind == Json::Kind::string)
    shown = fmt::format(" ({})", json.text.size() <= 40 ? json.text : "long text");
  return stop(
      fmt::format("{}{} is not a value of {}", kind_name(json.kind), shown, describe(type)));
}

bool JsonEncoder::value(const Node& type, const Json& json) {
  if (out_.size() - first_ > max_bytes_) return stop("the value is too large");
  const uint64_t cost = 1 + json.text.size() / 16;
  if (steps_left_ < cost) {
    steps_left_ = 0;
    return stop("too many union branches to try");
  }
  steps_left_ -= cost;
  switch (type.type) {
    case Type::record:
    case Type::array:
    case Type::map:
    case Type::union_:
      break;
    default:
      return scalar(type, json);
  }
  if (type.type == Type::union_)
    return form_ == Form::avro ? tagged(type, json) : by_value(type, json);
  if (depth_ == kMaxDepth) return stop("nested too deeply");
  ++depth_;
  const bool fits = type.type == Type::record ? record(type, json) : items(type, json);
  --depth_;
  return fits;
}

bool JsonEncoder::scalar(const Node& type, const Json& json) {
  const bool special = form_ == Form::plain && type.logical != Logical::none;
  if (special && json.kind == Json::Kind::string && type.logical != Logical::big_decimal &&
      type.logical != Logical::duration) {
    return logical(type, json);
  }
  if (special && json.kind == Json::Kind::number && type.logical == Logical::decimal)
    return logical(type, json);
  switch (type.type) {
    case Type::null_:
      return json.kind == Json::Kind::null_ || mismatch(type, json);
    case Type::boolean:
      if (json.kind != Json::Kind::boolean) return mismatch(type, json);
      out_.push_back(json.boolean ? '\1' : '\0');
      return true;
    case Type::int_:
    case Type::long_:
      return whole(type, json);
    case Type::float_:
    case Type::double_:
      return real(type, json);
    case Type::string:
      if (json.kind != Json::Kind::string) return mismatch(type, json);
      append_bytes(json.text, out_);
      return true;
    case Type::enum_:
      return symbol(type, json);
    default:
      return octets(type, json);
  }
}

bool JsonEncoder::whole(const Node& type, const Json& json) {
  int64_t value = 0;
  if (json.kind != Json::Kind::number || !parse_whole(json.text, value))
    return mismatch(type, json);
  if (type.type == Type::int_ && (value < INT32_MIN || value > INT32_MAX))
    return mismatch(type, json);
  append_long(value, out_);
  return true;
}

bool JsonEncoder::real(const Node& type, const Json& json) {
  const bool word = json.kind == Json::Kind::string &&
                    (json.text == "NaN" || json.text == "Infinity" || json.text == "-Infinity");
  if (json.kind != Json::Kind::number && !word) return mismatch(type, json);
  if (type.type == Type::float_) {
    float value = 0;
    if (!parse_real(json.text, value)) return mismatch(type, json);
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) out_.push_back(static_cast<char>(bits >> shift));
    return true;
  }
  double value = 0;
  if (!parse_real(json.text, value)) return mismatch(type, json);
  append_double(value, out_);
  return true;
}

bool JsonEncoder::blob(const Node& type, std::string_view bytes) {
  if (type.type == Type::fixed && bytes.size() != type.size_bytes)
    return stop(fmt::format("{} bytes are not a value of {}, which has {}", bytes.size(),
                            describe(type), type.size_bytes));
  if (type.type == Type::bytes) append_long(static_cast<int64_t>(bytes.size()), out_);
  out_ += bytes;
  return true;
}

bool JsonEncoder::octets(const Node& type, const Json& json) {
  std::string bytes;
  if (json.kind != Json::Kind::string || !code_points(json.text, bytes))
    return mismatch(type, json);
  return blob(type, bytes);
}

bool JsonEncoder::symbol(const Node& type, const Json& json) {
  if (json.kind != Json::Kind::string) return mismatch(type, json);
  for (size_t i = 0; i < type.symbols.size(); ++i) {
    if (type.symbols[i] != json.text) continue;
    append_long(static_cast<int64_t>(i), out_);
    return true;
  }
  return mismatch(type, json);
}

bool JsonEncoder::logical(const Node& type, const Json& json) {
  if (type.logical == Logical::decimal) {
    std::string bytes;
    if (!parse_decimal(json.text, type.scale, type.precision, bytes)) return mismatch(type, json);
    if (type.type == Type::fixed && !widen_decimal(type.size_bytes, bytes))
      return mismatch(type, json);
    return blob(type, bytes);
  }
  if (type.logical == Logical::uuid) {
    if (type.type == Type::string) {
      append_bytes(json.text, out_);
      return true;
    }
    std::string bytes;
    return parse_uuid(json.text, bytes) ? blob(type, bytes) : mismatch(type, json);
  }
  int64_t units = 0;
  if (!parse_logical_time(type.logical, json.text, units)) return mismatch(type, json);
  append_long(units, out_);
  return true;
}

bool JsonEncoder::record(const Node& type, const Json& json) {
  if (json.kind != Json::Kind::object) return mismatch(type, json);
  for (const std::string& name : json.names) {
    if (type.field(name) == nullptr)
      return stop(fmt::format("record {} has no field \"{}\"", type.name, name));
  }
  for (size_t i = 0; i < type.fields.size(); ++i) {
    if (!field(type, i, json)) return false;
  }
  return true;
}

bool JsonEncoder::field(const Node& type, size_t index, const Json& json) {
  const Field& field = type.fields[index];
  const size_t place = path_.depth();
  path_.enter(field.name);
  const Json* given = json.member(field.name);
  bool fits = true;
  if (given != nullptr) {
    fits = value(*field.type, *given);
  } else if (!field.has_default || (hook_ && !hook_(type, index))) {
    fits = stop(fmt::format("field \"{}\" is missing and has no default", field.name));
  } else if (out_.size() - first_ + field.default_datum.size() > max_bytes_) {
    fits = stop("the value is too large");
  } else {
    out_ += field.default_datum;
  }
  path_.cut(place);
  return fits;
}

bool JsonEncoder::items(const Node& type, const Json& json) {
  const bool map = type.type == Type::map;
  if (json.kind != (map ? Json::Kind::object : Json::Kind::array)) return mismatch(type, json);
  if (!json.items.empty()) append_long(static_cast<int64_t>(json.items.size()), out_);
  const size_t place = path_.depth();
  path_.enter(uint64_t{0});
  bool fit = true;
  for (size_t i = 0; i < json.items.size() && fit; ++i) {
    map ? path_.turn_to(json.names[i]) : path_.turn_to(i);
    if (map) append_bytes(json.names[i], out_);
    fit = value(*type.items, json.items[i]);
  }
  path_.cut(place);
  if (!fit) return false;
  append_long(0, out_);
  return true;
}

bool JsonEncoder::branch(const Node& type, size_t index, const Json& json) {
  append_long(static_cast<int64_t>(index), out_);
  return value(*type.branches[index], json);
}

bool JsonEncoder::tagged(const Node& type, const Json& json) {
  const bool null = json.kind == Json::Kind::null_;
  const bool one = json.kind == Json::Kind::object && json.items.size() == 1;
  if (!null && !one) return stop(R"(a union's value is null or {"branch": value})");
  const std::string_view tag = null ? "null" : std::string_view(json.names[0]);
  for (size_t i = 0; i < type.branches.size(); ++i) {
    const Node& branch_type = *type.branches[i];
    if (branch_tag(branch_type) != tag) continue;
    if (!null && branch_type.type == Type::null_) break;
    return branch(type, i, null ? json : json.items[0]);
  }
  return stop(fmt::format("\"{}\" is no branch of {}", tag, describe(type)));
}

bool JsonEncoder::by_value(const Node& type, const Json& json) {
  const size_t before = out_.size();
  const size_t place = path_.depth();
  const uint32_t depth = depth_;
  for (size_t i = 0; i < type.branches.size(); ++i) {
    if (branch(type, i, json)) return true;
    out_.resize(before);
    path_.cut(place);
    depth_ = depth;
    if (steps_left_ == 0) return false;
  }
  // With one candidate besides null, its own complaint says more.
  return type.nullable_branch() != nullptr && json.kind != Json::Kind::null_ ? false
                                                                             : mismatch(type, json);
}

}  // namespace penstock::avro
