// A text that lacks its quotes, in a rule: an error of its own.
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

// The scalar of `node` that begins at or before the place, in its line, and is nearest to it.
const yaml::Node* scalar_at(const yaml::Node& node, const Place& place) {
  const yaml::Node* best = nullptr;
  const auto look = [&](const yaml::Node* found) {
    if (found != nullptr && (best == nullptr || found->column > best->column)) best = found;
  };
  if (node.kind == yaml::NodeKind::scalar && node.line == place.line &&
      node.column <= place.column) {
    best = &node;
  }
  for (const yaml::Node& item : node.items) look(scalar_at(item, place));
  for (const auto& [key, value] : node.entries) look(scalar_at(value, place));
  return best;
}

// `status: Done` and `status: not known yet`: words that were meant as text.
bool is_bare_text(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && letter(text.front()) && std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '/' || c == ':' ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace

Error explain_rule(const Stage& stage, Error error) {
  if ((error.code != "R001"_code && error.code != "R002"_code) || !error.note.empty()) return error;
  for (const StepUse& use : stage.steps) {
    const yaml::Node* rule = scalar_at(use.config->node(), error.place);
    if (rule == nullptr || !is_bare_text(rule->text)) continue;
    error.code = "R009"_code;
    error.message = fmt::format("\"{}\" is no field of the record", rule->text);
    error.note = fmt::format("did you mean \"'{}'\"?", rule->text);
    error.cause.clear();
    error.cure.clear();
    error.place = use.config->place(*rule);
    return error;
  }
  return error;
}

}  // namespace penstock::plan
