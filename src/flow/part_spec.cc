#include "flow/part_spec.h"

namespace penstock::flow {

const yaml::Node* Config::find(std::string_view field) const {
  return node_->kind == yaml::NodeKind::mapping ? node_->find(field) : nullptr;
}

std::string Config::text(std::string_view field, std::string_view fallback) const {
  const yaml::Node* value = find(field);
  return value == nullptr ? std::string(fallback) : value->text;
}

std::vector<const yaml::Node*> Config::list(std::string_view field) const {
  const yaml::Node* value = find(field);
  std::vector<const yaml::Node*> nodes;
  if (value == nullptr) return nodes;
  if (value->kind != yaml::NodeKind::sequence) {
    nodes.push_back(value);
    return nodes;
  }
  for (const yaml::Node& item : value->items) nodes.push_back(&item);
  return nodes;
}

Place Config::place(std::string_view field) const {
  const yaml::Node* value = find(field);
  return document_->place(value == nullptr ? *node_ : *value);
}

}  // namespace penstock::flow
