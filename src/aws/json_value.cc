#include "aws/json_value.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace penstock::aws {
namespace {

using nlohmann::json;
using Kind = JsonValue::Kind;

// Puts what is read where it belongs; false ends the reading.
class Builder final : public json::json_sax_t {
 public:
  explicit Builder(JsonValue& root) : root_(root) {}

  bool null() override { return put({}); }
  bool boolean(bool value) override { return put({.kind = Kind::boolean, .truth = value}); }
  bool number_integer(int64_t value) override {
    return put({.kind = Kind::whole, .whole = value, .number = static_cast<double>(value)});
  }
  bool number_unsigned(uint64_t value) override {
    if (value <= INT64_MAX) return number_integer(static_cast<int64_t>(value));
    return put({.kind = Kind::number, .number = static_cast<double>(value)});
  }
  bool number_float(double value, const std::string&) override {
    return put({.kind = Kind::number, .number = value});
  }
  bool string(std::string& value) override {
    return put({.kind = Kind::text, .text = std::move(value)});
  }
  bool binary(json::binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Kind::object); }
  bool start_array(size_t) override { return open(Kind::list); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    at_.back()->names.push_back(std::move(name));
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool put(JsonValue value) {
    place() = std::move(value);
    return true;
  }
  JsonValue& place() { return at_.empty() ? root_ : at_.back()->items.emplace_back(); }
  // A container's items do not move while it is open: only its last one may be.
  bool open(Kind kind) {
    if (at_.size() == kJsonLevelsMax) return false;
    JsonValue& opened = place();
    opened.kind = kind;
    at_.push_back(&opened);
    return true;
  }
  bool close() {
    at_.pop_back();
    return true;
  }
  JsonValue& root_;
  std::vector<JsonValue*> at_;
};

}  // namespace

const JsonValue* JsonValue::member(std::string_view name) const {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? nullptr : &items[static_cast<size_t>(found - names.begin())];
}

std::string JsonValue::text_of(std::string_view name) const {
  const JsonValue* found = member(name);
  return found == nullptr ? std::string() : found->text;
}

int64_t JsonValue::whole_of(std::string_view name) const {
  const JsonValue* found = member(name);
  return found == nullptr ? 0 : found->whole;
}

bool JsonValue::truth_of(std::string_view name) const {
  const JsonValue* found = member(name);
  return found != nullptr && found->truth;
}

std::optional<JsonValue> parse_json(std::string_view text) {
  JsonValue root;
  Builder builder(root);
  if (!json::sax_parse(text, &builder)) return std::nullopt;
  return root;
}

}  // namespace penstock::aws
