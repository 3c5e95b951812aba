#include "registry/references.h"

#include "avro/json_text.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::registry {
namespace {

using avro::Json;

std::string_view space_of(std::string_view full_name) {
  const size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : full_name.substr(0, dot);
}

class Inliner {
 public:
  explicit Inliner(std::map<std::string, Json, std::less<>> others) : others_(std::move(others)) {}

  // `space`: the namespace around it.
  void type(Json& json, const std::string& space) {
    if (json.kind == Json::Kind::string) return name(json, space);
    if (json.kind == Json::Kind::array) {
      for (Json& branch : json.items) type(branch, space);
    }
    if (json.kind == Json::Kind::object) object(json, space);
  }

 private:
  void name(Json& json, const std::string& space) {
    const bool plain = !json.text.contains('.') && !space.empty();
    auto found = others_.find(plain ? space + "." + json.text : json.text);
    if (found == others_.end()) found = others_.find(json.text);
    if (found == others_.end()) return;
    json = std::move(found->second);
    others_.erase(found);  // from now on a name is enough
    keep_out_of(json);
    type(json, {});
  }

  // A definition without a namespace stays without one, wherever it is put.
  static void keep_out_of(Json& json) {
    if (json.kind != Json::Kind::object || json.member("namespace") != nullptr) return;
    const Json* name = json.member("name");
    if (name == nullptr || name->text.contains('.')) return;
    json.names.emplace_back("namespace");
    json.items.emplace_back().kind = Json::Kind::string;
  }

  void object(Json& json, const std::string& space) {
    std::string inner = space;
    if (const Json* given = json.member("namespace"); given != nullptr) inner = given->text;
    if (const Json* named = json.member("name"); named != nullptr && named->text.contains('.'))
      inner = space_of(named->text);
    for (size_t i = 0; i < json.items.size(); ++i) {
      const std::string& member = json.names[i];
      if (member == "type" || member == "items" || member == "values") type(json.items[i], inner);
      if (member != "fields") continue;
      for (Json& field : json.items[i].items) {
        for (size_t at = 0; at < field.items.size(); ++at) {
          if (field.names[at] == "type") type(field.items[at], inner);
        }
      }
    }
  }

  std::map<std::string, Json, std::less<>> others_;
};

}  // namespace

Result<avro::SchemaPtr> with_references(std::string_view text, const References& others) {
  if (others.empty()) return avro::parse(text);
  std::map<std::string, Json, std::less<>> trees;
  for (const auto& [name, other] : others) {
    auto tree = avro::read_json(other);
    if (!tree) return fail("A001"_code, fmt::format("{}: {}", name, tree.error()));
    trees.emplace(name, std::move(*tree));
  }
  auto whole = avro::read_json(text);
  if (!whole) return fail("A001"_code, whole.error());
  Inliner(std::move(trees)).type(*whole, {});
  std::string alone;
  avro::write_json(*whole, alone);
  return avro::parse(alone);
}

}  // namespace penstock::registry
