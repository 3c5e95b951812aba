// evaluate_case(): one JSON line in, one out, in the JSON form of cel.expr.Value.

#include "rule/base64.h"
#include "rule/checker.h"
#include "rule/conversion.h"
#include "rule/interpret.h"
#include "rule/literal.h"
#include "rule/program.h"
#include "rule/time.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace penstock::rule {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kTypePrefix = "type.googleapis.com/";
constexpr uint32_t kJsonDepthMax = 64;

// Reads VALUE; an error value when it is none.
class Reader {
 public:
  explicit Reader(Context& context) : context_(context) {}

  Value read(const Json& json, uint32_t depth = 0) {
    if (!json.is_object() || json.size() != 1 || depth > kJsonDepthMax)
      return bad("a value is an object of one key, as {\"int64Value\": \"5\"}");
    const std::string& kind = json.begin().key();
    const Json& body = json.begin().value();
    if (kind == "nullValue") return Value::of_null();
    if (kind == "boolValue" && body.is_boolean()) return Value::of_bool(body.get<bool>());
    if (kind == "int64Value") return number(body, int_of_text, Value::of_int);
    if (kind == "uint64Value") return number(body, uint_of_text, Value::of_uint);
    if (kind == "doubleValue") return real(body);
    if (kind == "stringValue" && body.is_string())
      return Value::of_string(context_.arena.copy(body.get_ref<const std::string&>()));
    if (kind == "typeValue" && body.is_string())
      return Value::of_type(context_.arena.copy(body.get_ref<const std::string&>()));
    if (kind == "bytesValue" && body.is_string()) return bytes(body);
    if (kind == "listValue") return list(body, depth);
    if (kind == "mapValue") return map(body, depth);
    if (kind == "objectValue") return object(body);
    return bad("unknown or malformed " + kind);
  }

 private:
  Value bad(const std::string& text) { return context_.error("not a CEL value: " + text); }

  template <class Parse, class Make>
  Value number(const Json& body, Parse parse, Make make) {
    const std::string text = body.is_string() ? body.get<std::string>() : body.dump();
    const auto value = parse(text);
    return value ? make(*value) : bad(text);
  }

  Value real(const Json& body) {
    if (body.is_number()) return Value::of_double(body.get<double>());
    if (!body.is_string()) return bad("a double is a number or text");
    return number(body, double_of_text, Value::of_double);
  }

  Value bytes(const Json& body) {
    std::string decoded;
    if (!from_base64(body.get_ref<const std::string&>(), decoded)) return bad("base64");
    return Value::of_bytes(context_.arena.copy(decoded));
  }

  Value list(const Json& body, uint32_t depth) {
    const Json empty = Json::array();
    const Json& values = body.is_object() && body.contains("values") ? body["values"] : empty;
    if (!values.is_array()) return bad("\"values\" is an array");
    const std::span<Value> items = context_.arena.array<Value>(values.size());
    for (size_t i = 0; i < items.size(); i++) {
      items[i] = read(values[i], depth + 1);
      if (items[i].is_error()) return items[i];
    }
    return Value::of_list(items);
  }

  Value map(const Json& body, uint32_t depth) {
    const Json empty = Json::array();
    const Json& given = body.is_object() && body.contains("entries") ? body["entries"] : empty;
    if (!given.is_array()) return bad("\"entries\" is an array");
    const std::span<Entry> entries = context_.arena.array<Entry>(given.size());
    for (size_t i = 0; i < entries.size(); i++) {
      if (!given[i].is_object() || !given[i].contains("key") || !given[i].contains("value"))
        return bad("an entry has a key and a value");
      entries[i].key = read(given[i]["key"], depth + 1);
      entries[i].value = read(given[i]["value"], depth + 1);
      if (entries[i].key.is_error()) return entries[i].key;
      if (entries[i].value.is_error()) return entries[i].value;
    }
    return make_map(entries, context_);
  }

  Value object(const Json& body) {
    if (!body.is_object() || !body.contains("@type") || !body["@type"].is_string() ||
        !body.contains("value"))
      return bad("an object has \"@type\" and \"value\"");
    std::string type = body["@type"].get<std::string>();
    if (type.starts_with(kTypePrefix)) type.erase(0, kTypePrefix.size());
    const Json& value = body["value"];
    if (type == type_name(ValueKind::timestamp) && value.is_string()) {
      const auto time = parse_time(value.get_ref<const std::string&>());
      return time ? Value::of_time(*time) : bad("timestamp");
    }
    if (type == type_name(ValueKind::duration) && value.is_string()) {
      const auto nanos = parse_duration(value.get_ref<const std::string&>());
      return nanos ? Value::of_duration(*nanos) : bad("duration");
    }
    return bad("only timestamps and durations are known as objects");
  }

  Context& context_;
};

Json write_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json write(const Value& value) {
  switch (value.kind) {
    case ValueKind::error:
      break;
    case ValueKind::null_:
      return {{"nullValue", nullptr}};
    case ValueKind::bool_:
      return {{"boolValue", value.boolean}};
    case ValueKind::int_:
      return {{"int64Value", fmt::format("{}", value.int64)}};
    case ValueKind::uint_:
      return {{"uint64Value", fmt::format("{}", value.uint64)}};
    case ValueKind::double_:
      return {{"doubleValue", write_double(value.float64)}};
    case ValueKind::string:
      return {{"stringValue", std::string(value.text())}};
    case ValueKind::bytes:
      return {{"bytesValue", to_base64(value.text())}};
    case ValueKind::timestamp:
    case ValueKind::duration: {
      const bool time = value.kind == ValueKind::timestamp;
      Json object;
      object["@type"] = std::string(kTypePrefix) + std::string(type_name(value.kind));
      object["value"] = time ? format_time(value.time()) : format_duration(value.int64);
      return {{"objectValue", object}};
    }
    case ValueKind::list: {
      Json values = Json::array();
      for (const Value& item : value.list()) values.push_back(write(item));
      return {{"listValue", {{"values", values}}}};
    }
    case ValueKind::map: {
      Json entries = Json::array();
      for (const Entry& entry : value.entries->entries) {
        Json written;
        written["key"] = write(entry.key);
        written["value"] = write(entry.value);
        entries.push_back(std::move(written));
      }
      std::sort(entries.begin(), entries.end(),
                [](const Json& a, const Json& b) { return a["key"].dump() < b["key"].dump(); });
      return {{"mapValue", {{"entries", entries}}}};
    }
    case ValueKind::type:
      return {{"typeValue", std::string(value.text())}};
    case ValueKind::optional:
      break;  // cel.expr.Value has no form for it: evaluate_case() says so
  }
  return {};
}

// Bound values as names and as variables.
class Bindings final : public Names, public Variables {
 public:
  explicit Bindings(Types& types) : types_(types) {}
  void add(std::string name, Value value) {
    names_.push_back(std::move(name));
    values_.push_back(value);
  }
  std::optional<Found> find(std::string_view name) override {
    for (uint32_t i = 0; i < names_.size(); i++)
      if (names_[i] == name) return Found{types_.of_value(values_[i]), i};
    return std::nullopt;
  }
  std::vector<std::string_view> all() const override { return {names_.begin(), names_.end()}; }
  const Type* whole_record() override { return nullptr; }
  const Type* record_type() const override { return nullptr; }
  Value load(uint32_t slot, Context&) override { return values_[slot]; }
  Value whole_record(Context& context) override { return context.error("there is no record"); }

 private:
  Types& types_;
  std::vector<std::string> names_;
  std::vector<Value> values_;
};

std::string as_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string refused(const std::string& text) {
  return as_line({{"error", text}, {"phase", "check"}});
}

// `1:5: unknown name "kwj"; did you mean "kwh"? (R002)`
std::string refused(const Error& error) {
  std::string text = fmt::format("{}:{}: {}", error.place.line, error.place.column, error.message);
  for (const std::string& more : {error.note, error.cure})
    if (!more.empty()) text += "; " + more;
  return refused(fmt::format("{} ({})", text, catalogue_entry(error.code).name));
}

}  // namespace

std::string evaluate_case(std::string_view json_line) {
  const Json line = Json::parse(json_line, nullptr, false);
  if (!line.is_object() || !line.contains("expr") || !line["expr"].is_string())
    return refused("a case is a JSON object with the text of an expression as \"expr\"");
  const std::string text = line["expr"].get<std::string>();
  Arena arena;
  Context context{arena, kStepsPerEvaluation};
  Types types;
  Bindings bindings(types);
  if (line.contains("bindings") && line["bindings"].is_object()) {
    for (const auto& [name, json] : line["bindings"].items()) {
      const Value value = Reader(context).read(json);
      if (value.is_error()) return refused(name + ": " + std::string(value.text()));
      bindings.add(name, value);
    }
  }
  const auto parsed = parse(text, arena);
  if (!parsed) return refused(parsed.error());
  std::vector<std::unique_ptr<Pattern>> patterns;
  const auto checked = Checker(text, types, bindings, arena, patterns).check(*parsed);
  if (!checked) return refused(checked.error());
  context.steps_left = kStepsPerEvaluation;
  const Value value = Interpreter(bindings, context).run(**checked);
  if (value.is_error()) return as_line({{"error", std::string(value.text())}});
  if (value.kind == ValueKind::optional)
    return as_line({{"error", "the result is an optional: take it out by orValue(…) or value()"}});
  return as_line({{"value", write(value)}});
}

}  // namespace penstock::rule
