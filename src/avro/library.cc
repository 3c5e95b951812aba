#include "avro/library.h"

#include "avro/schema_builder.h"
#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace penstock::avro {
namespace {

constexpr std::string_view kNamed[] = {"record", "error", "enum", "fixed"};

bool is_definition(const Json& json) {
  const Json* type = json.member("type");
  return json.kind == Json::Kind::object && type != nullptr && json.member("name") != nullptr &&
         type->kind == Json::Kind::string &&
         std::ranges::find(kNamed, type->text) != std::end(kNamed);
}

std::string in_space(std::string_view name, std::string_view space) {
  return space.empty() || name.contains('.') ? std::string(name)
                                             : fmt::format("{}.{}", space, name);
}

std::string full_name(const Json& definition, std::string_view space) {
  const Json* given = definition.member("namespace");
  return in_space(definition.member("name")->text, given == nullptr ? space : given->text);
}

std::string space_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return std::string(dot == std::string_view::npos ? std::string_view() : name.substr(0, dot));
}

// Wherever it is put, a definition keeps its name.
void keep_space(Json& definition, const std::string& space) {
  if (definition.member("namespace") != nullptr) return;
  definition.names.emplace_back("namespace");
  Json& given = definition.items.emplace_back();
  given.kind = Json::Kind::string;
  given.text = space;
}

// Calls visit(type, namespace, step) for the types directly inside of `json`, in their order.
template <class Tree, class Visit>
void each_type(Tree& json, const std::string& space, const Visit& visit) {
  if (json.kind == Json::Kind::array) {
    for (size_t at = 0; at < json.items.size(); ++at)
      visit(json.items[at], space, fmt::format("/{}", at));
  }
  if (json.kind != Json::Kind::object) return;
  const bool named = is_definition(json);
  const std::string inner = named ? space_of(full_name(json, space)) : space;
  for (size_t i = 0; i < json.items.size(); ++i) {
    const std::string& member = json.names[i];
    if (member == "items" || member == "values" || (member == "type" && !named))
      visit(json.items[i], inner, "/" + member);
    if (member != "fields") continue;
    for (size_t field = 0; field < json.items[i].items.size(); ++field) {
      Tree& one = json.items[i].items[field];
      for (size_t at = 0; at < one.names.size(); ++at) {
        if (one.names[at] == "type")
          visit(one.items[at], inner, fmt::format("/fields/{}/type", field));
      }
    }
  }
}

// One text on its way to stand alone.
class Joiner {
 public:
  Joiner(const Library& library, const std::set<std::string, std::less<>>& own, uint32_t source)
      : library_(library), own_(own), source_(source) {}

  void type(Json& json, const std::string& space, const std::string& path) {
    if (error_ || ++depth_ > kMaxSchemaDepth + 2) {
      if (!error_) error_ = fail("A004"_code, "types nested too deeply, at " + path);
    } else if (json.kind == Json::Kind::string) {
      name(json, space, path);
    } else if (!is_definition(json) || defines(json, space, path)) {
      each_type(json, space, [&](Json& inner, const std::string& around, const std::string& step) {
        type(inner, around, path + step);
      });
    }
    --depth_;
  }

  std::optional<Failure>& error() { return error_; }
  std::set<uint32_t>& used() { return used_; }

 private:
  // False: it stands here already, and its name is put in its place.
  bool defines(Json& json, const std::string& space, const std::string& path) {
    const std::string full = full_name(json, space);
    const bool here_by_hand = within_ == source_;
    if (here_by_hand && !inlined_.contains(full)) {
      defined_.insert(full);
      return true;
    }
    if (defined_.insert(full).second) {
      inlined_.insert(full);
      return true;
    }
    if (!agrees(full, path)) return false;
    json = Json();
    json.kind = Json::Kind::string;
    json.text = full;
    return false;
  }

  void name(Json& json, const std::string& space, const std::string& path) {
    if (primitive_type(json.text) || json.text == "array" || json.text == "map") return;
    for (const std::string& full : {in_space(json.text, space), json.text}) {
      if (defined_.contains(full) || own_.contains(full)) return;  // parse() sees to the order
      const Library::Definition* found = library_.find(full);
      if (found == nullptr) continue;
      if (agrees(full, path)) put(json, full, *found, path);
      return;
    }
    unknown(json.text, path);
  }

  void put(Json& json, const std::string& full, const Library::Definition& found,
           const std::string& path) {
    json = *found.tree;
    keep_space(json, space_of(full));
    used_.insert(found.source);
    const uint32_t before = std::exchange(within_, found.source);
    type(json, found.space, path);
    within_ = before;
  }

  bool agrees(const std::string& full, const std::string& path) {
    const Library::Definition* found = library_.find(full);
    if (found == nullptr || !found->differs) return true;
    error_ = fail("A002"_code,
                  fmt::format("\"{}\" is defined in {} and differently in {}, at {}", full,
                              library_.label(found->source), library_.label(found->other), path))
                 .cure("define it once, and use its name in the others");
    return false;
  }

  void unknown(const std::string& given, const std::string& path) {
    const std::string where = within_ == source_ ? std::string() : " in " + library_.label(within_);
    error_ = fail("A002"_code, fmt::format("unknown type \"{}\"{}, at {}", given, where, path))
                 .hint(did_you_mean(given, library_.names()));
  }

  const Library& library_;
  const std::set<std::string, std::less<>>& own_;
  uint32_t source_;
  uint32_t within_ = source_;  // the text that the tree at hand comes from
  uint32_t depth_ = 0;
  std::set<std::string, std::less<>> defined_, inlined_;
  std::set<uint32_t> used_;
  std::optional<Failure> error_;
};

}  // namespace

Result<void> Library::add(std::string label, std::string_view text) {
  Source& source = sources_.emplace_back();
  source.label = std::move(label);
  if (primitive_type(text)) {
    source.tree = Json();
    source.tree.kind = Json::Kind::string;
    source.tree.text = text;
    return {};
  }
  auto tree = read_json(text);
  if (!tree) return fail("A001"_code, std::move(tree.error()));
  source.tree = std::move(*tree);
  collect(source.tree, {}, static_cast<uint32_t>(sources_.size() - 1));
  return {};
}

void Library::collect(const Json& json, const std::string& space, uint32_t source) {
  if (is_definition(json)) define(json, space, source);
  each_type(json, space, [&](const Json& inner, const std::string& around, const std::string&) {
    collect(inner, around, source);
  });
}

void Library::define(const Json& json, const std::string& space, uint32_t source) {
  const std::string full = full_name(json, space);
  sources_[source].names.insert(full);
  const auto [at, first] = definitions_.emplace(full, Definition{&json, space, source});
  Definition& known = at->second;
  if (first || known.differs) return;
  std::string one = known.space;
  std::string other = space;
  write_json(*known.tree, one);
  write_json(json, other);
  known.differs = one != other;
  known.other = source;
}

Result<std::string> Library::whole(uint32_t source, std::set<uint32_t>* used) const {
  const Source& from = sources_[source];
  Json tree = from.tree;
  Joiner joiner(*this, from.names, source);
  joiner.type(tree, {}, {});
  if (used != nullptr) *used = std::move(joiner.used());
  if (joiner.error()) return std::move(*joiner.error());
  std::string text;
  write_json(tree, text);
  return text;
}

const Library::Definition* Library::find(std::string_view full_name) const {
  const auto found = definitions_.find(full_name);
  return found == definitions_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> Library::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, definition] : definitions_) all.push_back(name);
  return all;
}

}  // namespace penstock::avro
