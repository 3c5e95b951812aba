#include "avro/schema_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace penstock::avro {

// Names the part under work for as long as it lives.
class SchemaBuilder::Path {
 public:
  Path(std::string& path, std::string_view part) : path_(path), size_(path.size()) {
    path_ += '/';
    path_ += part;
  }
  Path(std::string& path, size_t index) : Path(path, std::to_string(index)) {}
  ~Path() { path_.resize(size_); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string& path_;
  size_t size_;
};

namespace {

bool is_string(const Json* json) { return json != nullptr && json->kind == Json::Kind::string; }

std::string_view space_of(std::string_view full_name) {
  const size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : full_name.substr(0, dot);
}

bool valid_full_name(std::string_view name) {
  for (;;) {
    const size_t dot = name.find('.');
    if (!valid_name(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::string in_space(std::string_view name, std::string_view space) {
  if (space.empty() || name.contains('.')) return std::string(name);
  return fmt::format("{}.{}", space, name);
}

// What two branches of one union must not share.
std::string branch_key(const Node& node) {
  return node.name.empty() ? std::string(type_name(node.type)) : node.name;
}

}  // namespace

bool valid_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (name.empty() || !letter(name[0])) return false;
  return std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

const Node* SchemaBuilder::none(Code code, std::string message) {
  if (!error_) {
    if (!path_.empty()) message = fmt::format("{}, at {}", message, path_);
    error_ = Error{code, std::move(message), {}, {}, {}, {}};
  }
  return nullptr;
}

Node* SchemaBuilder::make(Type type) {
  schema_->nodes_.push_back(std::make_unique<Node>());
  Node* node = schema_->nodes_.back().get();
  node->type = type;
  node->id = static_cast<uint32_t>(schema_->nodes_.size() - 1);
  return node;
}

bool SchemaBuilder::count_part() {
  return ++parts_ <= kMaxSchemaParts ||
         no("A004"_code, fmt::format("more than {} fields and symbols", kMaxSchemaParts));
}

Result<SchemaPtr> SchemaBuilder::build(const Json& json) {
  schema_->root_ = type(json, {}, 0);
  if (schema_->root_ == nullptr || !all_defaults()) return std::unexpected(std::move(*error_));
  write_json(json, schema_->json_);
  schema_->canonical_ = canonical_form(*schema_->root_);
  schema_->fingerprint_ = crc64(schema_->canonical_);
  return SchemaPtr(std::move(schema_));
}

const Node* SchemaBuilder::type(const Json& json, std::string_view space, uint32_t depth) {
  if (depth > kMaxSchemaDepth) return none("A004"_code, "types nested too deeply");
  switch (json.kind) {
    case Json::Kind::string:
      return reference(json.text, space);
    case Json::Kind::array:
      return union_of(json, space, depth);
    case Json::Kind::object:
      return object(json, space, depth);
    default:
      return none("A001"_code, fmt::format("{} is not a type", kind_name(json.kind)));
  }
}

const Node* SchemaBuilder::reference(std::string_view name, std::string_view space) {
  if (const auto primitive = primitive_type(name)) return make(*primitive);
  auto found = named_.find(in_space(name, space));
  if (found == named_.end()) found = named_.find(name);
  if (found != named_.end()) return found->second;
  return none("A002"_code, fmt::format("unknown type \"{}\"", name));
}

const Node* SchemaBuilder::union_of(const Json& json, std::string_view space, uint32_t depth) {
  if (json.items.empty()) return none("A001"_code, "a union without branches");
  Node* node = make(Type::union_);
  std::vector<std::string> keys;
  for (size_t i = 0; i < json.items.size(); ++i) {
    const Path path(path_, i);
    const Node* branch = type(json.items[i], space, depth + 1);
    if (branch == nullptr) return nullptr;
    if (branch->type == Type::union_) return none("A001"_code, "a union directly in a union");
    keys.push_back(branch_key(*branch));
    node->branches.push_back(branch);
  }
  std::ranges::sort(keys);
  if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end())
    return none("A001"_code, fmt::format("a union with \"{}\" twice", *twice));
  return node;
}

const Node* SchemaBuilder::object(const Json& json, std::string_view space, uint32_t depth) {
  const Json* what = json.member("type");
  if (what == nullptr) return none("A001"_code, "an object without \"type\"");
  if (what->kind != Json::Kind::string) {
    const Path path(path_, "type");
    return type(*what, space, depth + 1);
  }
  if (const auto primitive = primitive_type(what->text)) {
    Node* node = make(*primitive);
    read_logical(*node, json);
    return node;
  }
  if (what->text == "array") return items_of(Type::array, json, space, depth);
  if (what->text == "map") return items_of(Type::map, json, space, depth);
  if (what->text == "record" || what->text == "error")
    return named(Type::record, json, space, depth);
  if (what->text == "enum") return named(Type::enum_, json, space, depth);
  if (what->text == "fixed") return named(Type::fixed, json, space, depth);
  const Path path(path_, "type");
  return reference(what->text, space);
}

const Node* SchemaBuilder::items_of(Type type, const Json& json, std::string_view space,
                                    uint32_t depth) {
  const std::string_view key = type == Type::array ? "items" : "values";
  const Json* items = json.member(key);
  if (items == nullptr)
    return none("A001"_code, fmt::format("an {} without \"{}\"", type_name(type), key));
  Node* node = make(type);
  const Path path(path_, key);
  node->items = this->type(*items, space, depth + 1);
  return node->items == nullptr ? nullptr : node;
}

bool SchemaBuilder::full_name(const Json& json, std::string_view space, std::string& name) {
  const Json* given = json.member("name");
  if (!is_string(given)) return no("A001"_code, "a named type without \"name\"");
  const Json* own_space = json.member("namespace");
  if (own_space != nullptr && own_space->kind != Json::Kind::null_) {
    if (!is_string(own_space)) return no("A001"_code, "a \"namespace\" that is not a string");
    space = own_space->text;
  }
  name = in_space(given->text, space);
  if (!valid_full_name(name)) return no("A001"_code, fmt::format("\"{}\" is not a name", name));
  if (primitive_type(name.substr(name.rfind('.') + 1)))
    return no("A001"_code, fmt::format("\"{}\" has a primitive type's name", name));
  return true;
}

bool SchemaBuilder::aliases(const Json& json, std::string_view space, bool dotted,
                            std::vector<std::string>& out) {
  const Json* given = json.member("aliases");
  if (given == nullptr) return true;
  const Path path(path_, "aliases");
  if (given->kind != Json::Kind::array) return no("A001"_code, "aliases that are not an array");
  for (const Json& alias : given->items) {
    const bool valid = is_string(&alias) && (dotted ? valid_full_name : valid_name)(alias.text);
    if (!valid) return no("A001"_code, "an alias that is not a name");
    out.push_back(dotted ? in_space(alias.text, space) : alias.text);
  }
  return true;
}

const Node* SchemaBuilder::named(Type type, const Json& json, std::string_view space,
                                 uint32_t depth) {
  std::string name;
  if (!full_name(json, space, name)) return nullptr;
  Node* node = make(type);
  node->name = name;
  if (!named_.emplace(name, node).second)
    return none("A002"_code, fmt::format("\"{}\" is defined twice", name));
  if (!aliases(json, space_of(name), true, node->aliases)) return nullptr;
  bool whole = false;
  if (type == Type::record) whole = fields(*node, json, space_of(name), depth);
  if (type == Type::enum_) whole = symbols(*node, json);
  if (type == Type::fixed) whole = size(*node, json);
  return whole ? node : nullptr;
}

bool SchemaBuilder::fields(Node& record, const Json& json, std::string_view space, uint32_t depth) {
  const Json* given = json.member("fields");
  if (given == nullptr || given->kind != Json::Kind::array)
    return no("A001"_code, fmt::format("record \"{}\" without \"fields\"", record.name));
  const Path path(path_, "fields");
  for (size_t i = 0; i < given->items.size(); ++i) {
    const Path item(path_, i);
    if (!field(record, given->items[i], space, depth)) return false;
  }
  return true;
}

bool SchemaBuilder::field(Node& record, const Json& json, std::string_view space, uint32_t depth) {
  if (!count_part()) return false;
  const Json* name = json.member("name");
  if (!is_string(name)) return no("A001"_code, "a field without \"name\"");
  if (!valid_name(name->text))
    return no("A001"_code, fmt::format("\"{}\" is not a field's name", name->text));
  if (record.field(name->text) != nullptr)
    return no("A002"_code, fmt::format("field \"{}\" stands twice", name->text));
  Field made;
  made.name = name->text;
  if (!aliases(json, {}, false, made.aliases)) return false;
  if (const Json* doc = json.member("doc"); is_string(doc)) made.doc = doc->text;
  const Json* what = json.member("type");
  if (what == nullptr)
    return no("A001"_code, fmt::format("field \"{}\" without \"type\"", name->text));
  {
    const Path path(path_, "type");
    made.type = type(*what, space, depth + 1);
  }
  if (made.type == nullptr) return false;
  if (const Json* initial = json.member("default")) {
    made.has_default = true;
    write_json(*initial, made.default_json);
    const size_t index = record.fields.size();
    defaults_.emplace(std::pair(&record, index),
                      Default{&record, index, initial, path_ + "/default"});
  }
  record.fields.push_back(std::move(made));
  return true;
}

bool SchemaBuilder::symbols(Node& node, const Json& json) {
  const Json* given = json.member("symbols");
  if (given == nullptr || given->kind != Json::Kind::array || given->items.empty())
    return no("A001"_code, fmt::format("enum \"{}\" without \"symbols\"", node.name));
  for (const Json& symbol : given->items) {
    if (!count_part()) return false;
    if (!is_string(&symbol) || !valid_name(symbol.text))
      return no("A001"_code, fmt::format("enum \"{}\" has a symbol that is not a name", node.name));
    node.symbols.push_back(symbol.text);
  }
  auto sorted = node.symbols;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    return no("A001"_code, fmt::format("symbol \"{}\" stands twice", *twice));
  const Json* initial = json.member("default");
  if (initial == nullptr) return true;
  const auto found = std::ranges::find(node.symbols, initial->text);
  if (!is_string(initial) || found == node.symbols.end())
    return no("A003"_code, "an enum's default that is not one of its symbols");
  node.has_enum_default = true;
  node.enum_default = static_cast<uint32_t>(found - node.symbols.begin());
  return true;
}

bool SchemaBuilder::size(Node& node, const Json& json) {
  constexpr uint32_t kMaxFixedBytes = 1u << 30;
  const Json* given = json.member("size");
  uint32_t bytes = 0;
  const bool number = given != nullptr && given->kind == Json::Kind::number;
  const char* end = number ? given->text.data() + given->text.size() : nullptr;
  if (!number || std::from_chars(given->text.data(), end, bytes).ptr != end ||
      bytes > kMaxFixedBytes) {
    return no("A001"_code, fmt::format("fixed \"{}\" without a valid \"size\"", node.name));
  }
  node.size_bytes = bytes;
  read_logical(node, json);
  return true;
}

Result<SchemaPtr> parse(std::string_view text) {
  if (text.size() > kMaxSchemaBytes)
    return fail("A004"_code, fmt::format("a schema of {} bytes; at most {} are read", text.size(),
                                         kMaxSchemaBytes));
  Json json;
  if (primitive_type(text)) {
    json.kind = Json::Kind::string;
    json.text = text;
    return SchemaBuilder().build(json);
  }
  auto read = read_json(text);
  if (!read) return fail("A001"_code, std::move(read.error()));
  return SchemaBuilder().build(*read);
}

}  // namespace penstock::avro
