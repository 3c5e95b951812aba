#include "app/yaml_json.h"

#include "base/json_write.h"

#include <algorithm>
#include <string_view>

namespace penstock::app {
namespace {

bool is_text(const avro::Node* type) {
  if (type == nullptr) return false;
  if (const avro::Node* branch = type->nullable_branch()) type = branch;
  return type->type == avro::Type::string || type->type == avro::Type::enum_ ||
         type->type == avro::Type::bytes || type->type == avro::Type::fixed;
}

// JSON's own grammar: what from_chars takes beyond it (inf, 5., 01) would not be JSON.
bool is_json_number(std::string_view text) {
  const auto digits = [&] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  const auto skip = [&](std::string_view any) {
    const bool found = !text.empty() && any.find(text[0]) != std::string_view::npos;
    if (found) text.remove_prefix(1);
    return found;
  };
  skip("-");
  const bool zero = text.starts_with('0');
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (skip(".") && digits() == 0) return false;
  if (skip("eE")) {
    skip("+-");
    if (digits() == 0) return false;
  }
  return text.empty();
}

const avro::Node* field_type(const avro::Node* type, const std::string& name) {
  if (type == nullptr) return nullptr;
  if (const avro::Node* branch = type->nullable_branch()) type = branch;
  if (type->type == avro::Type::map) return type->items;
  const avro::Field* field = type->type == avro::Type::record ? type->field(name) : nullptr;
  return field == nullptr ? nullptr : field->type;
}

void append(const yaml::Node& node, const avro::Node* type, std::string& out) {
  switch (node.kind) {
    case yaml::NodeKind::null:
      out += "null";
      return;
    case yaml::NodeKind::scalar:
      if (node.quoted || is_text(type) ||
          (node.text != "true" && node.text != "false" && !is_json_number(node.text))) {
        append_json_string(node.text, out);
      } else {
        out += node.text;
      }
      return;
    case yaml::NodeKind::sequence:
      out += '[';
      for (const yaml::Node& item : node.items) {
        if (out.back() != '[') out += ',';
        append(item, type != nullptr && type->type == avro::Type::array ? type->items : nullptr,
               out);
      }
      out += ']';
      return;
    case yaml::NodeKind::mapping:
      out += '{';
      for (const auto& [key, value] : node.entries) {
        if (out.back() != '{') out += ',';
        append_json_string(key.text, out);
        out += ':';
        append(value, field_type(type, key.text), out);
      }
      out += '}';
  }
}

}  // namespace

std::string yaml_to_json(const yaml::Node& node, const avro::Node* type) {
  std::string out;
  append(node, type, out);
  return out;
}

}  // namespace penstock::app
