#include "base/suggest.h"
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace penstock::plan {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

bool is_secret_name(std::string_view name) {
  for (const std::string_view part : {"password", "secret", "token", "private_key"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return false;
}

// A default in a reference is text of the file like any other. An ARN says where a secret lies.
bool is_clear(std::string_view text) {
  if (text.starts_with("arn:")) return false;
  const size_t fallback = text.find(":-");
  return !text.starts_with("${") ||
         (fallback != std::string_view::npos && text.substr(fallback) != ":-}");
}

}  // namespace

bool refuse_clear_secret(Draft& draft, const yaml::Node& name, const yaml::Node& value) {
  if (value.kind != yaml::NodeKind::scalar || !is_clear(value.text)) return false;
  Place place = draft.document->place(value);
  place.source_line = std::string(place.column - 1, ' ') + std::string(place.width, '*');
  draft.report(fail("P049"_code, fmt::format("\"{}\" holds its secret in clear text", name.text))
                   .at(std::move(place))
                   .take());
  return true;
}

namespace {

// Secrets stay references in the tree, so nothing that prints the plan can show one: the part that
// needs a secret asks for it.
void refuse_clear_secrets(Draft& draft, const yaml::Node& node) {
  for (const auto& [key, value] : node.entries) {
    if (is_secret_name(key.text)) refuse_clear_secret(draft, key, value);
    refuse_clear_secrets(draft, value);
  }
  for (const yaml::Node& item : node.items) refuse_clear_secrets(draft, item);
}

std::optional<std::string> read_environment(const Draft& draft, const std::string& name) {
  if (draft.options.env) return draft.options.env(name);
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

void resolve_environment(Draft& draft, yaml::Node& node, std::string_view inner) {
  Reference reference{std::string(inner), std::nullopt, &node};
  if (const size_t dash = reference.name.find(":-"); dash != std::string::npos) {
    reference.fallback = reference.name.substr(dash + 2);
    reference.name.resize(dash);
  }
  const bool keep = draft.options.keep_references;
  std::optional<std::string> value = keep ? std::nullopt : read_environment(draft, reference.name);
  if (!value) value = reference.fallback;
  if (!value && !keep) {
    draft.report(fail("P048"_code, fmt::format("the environment has no {}", reference.name)), node);
    return;
  }
  if (value) node.text = *std::move(value);
  draft.plan->environment.push_back(std::move(reference));
}

void remember_secret(Draft& draft, std::string name) {
  std::vector<std::string>& all = draft.plan->secrets;
  const auto at = std::ranges::lower_bound(all, name);
  if (at == all.end() || *at != name) all.insert(at, std::move(name));
}

void resolve_scalar(Draft& draft, yaml::Node& node) {
  const std::string text = node.text;
  const size_t at = text.find("${");
  if (at == std::string::npos) return;
  const std::string_view inner = std::string_view(text).substr(2);
  const bool whole = at == 0 && inner.ends_with('}') && inner.find("${") == std::string_view::npos;
  if (whole && inner.starts_with("env:")) {
    resolve_environment(draft, node, inner.substr(4, inner.size() - 5));
  } else if (whole && inner.starts_with("secret:") && inner.size() > 8) {
    remember_secret(draft, std::string(inner.substr(7, inner.size() - 8)));
  } else {
    draft.report(fail("P052"_code, fmt::format("\"{}\" is no reference", text)), node);
  }
}

void resolve(Draft& draft, yaml::Node& node) {
  if (node.kind == yaml::NodeKind::scalar) resolve_scalar(draft, node);
  for (yaml::Node& item : node.items) resolve(draft, item);
  for (auto& [key, value] : node.entries) resolve(draft, value);
}

}  // namespace

bool open_document(Draft& draft, const std::string& path) {
  const auto refuse = [&](Code code, std::string message) {
    draft.report(fail(code, std::move(message)).at({path, 1, 1, 1, {}}).take());
    return false;
  };
  auto text = draft.options.read_file(path, kMaxFileBytes);
  if (!text) return refuse(text.error().code, text.error().message);
  if (text->empty()) return refuse("P017"_code, "the file is empty");
  auto document = yaml::parse(std::move(*text), path);
  if (!document) {
    draft.report(std::move(document).error());
    return false;
  }
  draft.document = std::make_shared<yaml::Document>(std::move(*document));
  draft.plan->file = path;
  const size_t slash = path.rfind('/');
  draft.plan->folder = slash == std::string::npos ? "" : path.substr(0, std::max<size_t>(slash, 1));
  draft.plan->document = draft.document;
  if (draft.root().kind == yaml::NodeKind::null) return refuse("P017"_code, "the file is empty");
  if (draft.root().kind == yaml::NodeKind::mapping) return true;
  draft.report(fail("P021"_code, "a pipeline file is a mapping of fields"), draft.root());
  return false;
}

bool choose_target(Draft& draft) {
  std::vector<std::string_view> names;
  const yaml::Node* targets = draft.section("targets");
  if (targets != nullptr) {
    for (const auto& [key, value] : targets->entries) names.push_back(key.text);
  }
  std::string chosen = draft.options.target;
  if (chosen.empty()) {
    chosen = names.size() == 1 && names[0] != "local" ? std::string(names[0]) : "local";
  }
  Plan& plan = *draft.plan;
  plan.targets.assign(names.begin(), names.end());
  if (names.empty()) plan.targets = {"local"};
  plan.target = chosen;
  if (targets != nullptr) draft.target = targets->find(chosen);
  if (draft.target != nullptr || (names.empty() && chosen == "local")) return true;
  const yaml::Node& at =
      targets == nullptr || targets->entries.empty() ? draft.root() : targets->entries.front().key;
  const bool asked = !draft.options.target.empty();
  draft.report(fail("P030"_code, asked ? fmt::format("there is no target \"{}\"", chosen)
                                       : "which of the targets is meant?")
                   .hint(did_you_mean(chosen, names))
                   .because(asked ? "the file does not declare a target of that name"
                                  : "without -t it is local, or the only one")
                   .cure(fmt::format("choose by -t: {}", fmt::join(plan.targets, ", "))),
               at);
  return false;
}

void resolve_references(Draft& draft) {
  for (const auto& [key, value] : draft.root().entries) {
    // There, such names are fields of records.
    if (key.text != "stages" && key.text != "tests") refuse_clear_secrets(draft, value);
  }
  for (auto& [key, value] : draft.document->root_to_resolve().entries) {
    if (key.text != "targets") {
      if (key.text != "tests") resolve(draft, value);
      continue;
    }
    for (auto& [name, target] : value.entries) {
      if (name.text == draft.plan->target) resolve(draft, target);
    }
  }
}

}  // namespace penstock::plan
