#include "rule/extension.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::rule {

namespace {

std::vector<const Extension*> collect() {
  std::vector<const Extension*> all;
  for (const auto& table : {text_extensions(), number_extensions(), list_extensions(),
                            optional_extensions(), energy_extensions()}) {
    for (const Extension& each : table) all.push_back(&each);
  }
  return all;
}

const std::vector<const Extension*>& all_extensions() {
  static const std::vector<const Extension*> all = collect();
  return all;
}

Kinds kind_of(const Value& value) {
  if (value.kind == ValueKind::type) return of_kind(TypeKind::type);
  if (value.kind == ValueKind::optional) return kOptionalKind;
  return of_kind(static_cast<TypeKind>(static_cast<uint8_t>(value.kind)));
}

}  // namespace

const Extension* find_extension(std::string_view name, bool member, size_t arguments) {
  for (const Extension* each : all_extensions()) {
    if (each->name != name || each->member != member) continue;
    if (arguments >= each->least && (arguments <= each->most || each->most == kManyArguments))
      return each;
  }
  return nullptr;
}

bool is_extension(std::string_view name, bool member) {
  return std::ranges::any_of(all_extensions(), [&](const Extension* each) {
    return each->name == name && each->member == member;
  });
}

bool is_library(std::string_view name) {
  return name == "math" || name == "strings" || name == "lists" || name == "base64" ||
         name == "optional" || name == "energy";
}

std::vector<std::string_view> extension_names(bool member) {
  std::vector<std::string_view> names;
  for (const Extension* each : all_extensions())
    if (each->member == member && std::ranges::find(names, each->name) == names.end())
      names.push_back(each->name);
  return names;
}

Kinds takes(const Extension& extension, size_t index) {
  size_t at = std::min(index, extension.takes.size() - 1);
  while (at > 0 && extension.takes[at] == 0) at--;
  return extension.takes[at];
}

Value apply(const Extension& extension, std::span<const Value> args, Context& context) {
  for (size_t i = 0; i < args.size(); i++) {
    if ((takes(extension, i) & kind_of(args[i])) != 0) continue;
    std::string types;
    for (const Value& arg : args)
      types += fmt::format("{}{}", types.empty() ? "" : ", ", type_name(arg.kind));
    return context.error(fmt::format("no function {}({})", extension.name, types));
  }
  return extension.apply(args, context);
}

Value new_text(std::string_view text, Context& context) {
  if (text.size() > UINT32_MAX || !context.spend(text.size() / 16))
    return context.error(kOverBudget);
  return Value::of_string(context.arena.copy(text));
}

Value out_of_range(int64_t index, Context& context) {
  return context.error(fmt::format("index out of range: {}", index));
}

}  // namespace penstock::rule
