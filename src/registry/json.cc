#include "registry/json.h"

#include "base/json_write.h"

#include <charconv>

namespace penstock::registry {

std::string text_of(const avro::Json& json, std::string_view name) {
  const avro::Json* member = json.member(name);
  const bool text = member != nullptr && member->kind == avro::Json::Kind::string;
  return text ? member->text : std::string();
}

std::optional<int64_t> number_of(const avro::Json& json, std::string_view name) {
  const avro::Json* member = json.member(name);
  if (member == nullptr || member->kind != avro::Json::Kind::number) return {};
  int64_t number = 0;
  const char* end = member->text.data() + member->text.size();
  const auto read = std::from_chars(member->text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return {};
  return number;
}

std::string object_of(
    std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  std::string out = "{";
  for (const auto& [name, value] : members) {
    if (out.size() > 1) out += ',';
    append_json_string(name, out);
    out += ':';
    append_json_string(value, out);
  }
  return out + "}";
}

}  // namespace penstock::registry
