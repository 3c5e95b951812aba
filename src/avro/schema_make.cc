// Schemas made from other schemas: written as JSON, then parsed like any other.
#include "avro/schema_builder.h"
#include "base/check.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <array>
#include <map>

namespace penstock::avro {
namespace {

// Writes types as JSON; a named type in full when it is met first, by its name afterwards.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  // Reserves a name: whoever else has it is another type.
  void reserve(std::string_view name) { written_.emplace(name, nullptr); }
  // The first name under which two different types were met; "" when there is none.
  const std::string& clash() const { return clash_; }

  void write(const Node& node) {
    switch (node.type) {
      case Type::union_:
        out_ += '[';
        for (const Node* branch : node.branches) {
          if (branch != node.branches.front()) out_ += ',';
          write(*branch);
        }
        out_ += ']';
        return;
      case Type::array:
      case Type::map:
        out_ +=
            node.type == Type::array ? R"({"type":"array","items":)" : R"({"type":"map","values":)";
        write(*node.items);
        out_ += '}';
        return;
      case Type::record:
      case Type::enum_:
      case Type::fixed:
        return named(node);
      default:
        if (node.logical == Logical::none) return append_json_string(type_name(node.type), out_);
        out_ += fmt::format(R"({{"type":"{}")", type_name(node.type));
        logical(node);
        out_ += '}';
    }
  }

 private:
  void named(const Node& node) {
    const auto [met, fresh] = written_.emplace(node.name, &node);
    if (!fresh) {
      if (met->second != &node && !same(met->second, node)) clash_ = node.name;
      return append_json_string(node.name, out_);
    }
    const size_t dot = node.name.rfind('.');
    const bool spaced = dot != std::string::npos;
    out_ += fmt::format(R"({{"type":"{}","name":"{}","namespace":"{}")", type_name(node.type),
                        spaced ? node.name.substr(dot + 1) : node.name,
                        spaced ? node.name.substr(0, dot) : "");
    aliases(node.aliases);
    if (node.type == Type::record) fields(node);
    if (node.type == Type::enum_) symbols(node);
    if (node.type == Type::fixed) out_ += fmt::format(R"(,"size":{})", node.size_bytes);
    logical(node);
    out_ += '}';
  }

  // Pointers of different schemas are the same type when their texts are.
  static bool same(const Node* met, const Node& node) {
    if (met == nullptr) return false;
    std::string one;
    std::string other;
    Writer(one).write(*met);
    Writer(other).write(node);
    return one == other;
  }

  void logical(const Node& node) {
    if (node.logical == Logical::none) return;
    out_ += fmt::format(R"(,"logicalType":"{}")", logical_name(node.logical));
    if (node.logical == Logical::decimal)
      out_ += fmt::format(R"(,"precision":{},"scale":{})", node.precision, node.scale);
  }
  void strings(const std::vector<std::string>& texts) {
    out_ += '[';
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i != 0) out_ += ',';
      append_json_string(texts[i], out_);
    }
    out_ += ']';
  }
  void aliases(const std::vector<std::string>& names) {
    if (names.empty()) return;
    out_ += R"(,"aliases":)";
    strings(names);
  }
  void symbols(const Node& node) {
    out_ += R"(,"symbols":)";
    strings(node.symbols);
    if (node.has_enum_default)
      out_ += fmt::format(R"(,"default":"{}")", node.symbols[node.enum_default]);
  }
  void fields(const Node& node) {
    out_ += R"(,"fields":[)";
    for (const Field& field : node.fields) {
      if (&field != node.fields.data()) out_ += ',';
      out_ += fmt::format(R"({{"name":"{}","type":)", field.name);
      write(*field.type);
      aliases(field.aliases);
      if (field.has_default) out_ += R"(,"default":)" + field.default_json;
      if (!field.doc.empty()) {
        out_ += R"(,"doc":)";
        append_json_string(field.doc, out_);
      }
      out_ += '}';
    }
    out_ += ']';
  }

  std::string& out_;
  std::map<std::string, const Node*, std::less<>> written_;
  std::string clash_;
};

Result<SchemaPtr> finished(const Writer& writer, std::string_view text) {
  if (!writer.clash().empty())
    return fail("A002"_code,
                fmt::format("\"{}\" would be two different types in one schema", writer.clash()));
  return parse(text);
}

}  // namespace

Result<SchemaPtr> make_record(std::string_view name, const std::vector<NewField>& fields) {
  const size_t dot = name.rfind('.');
  const bool spaced = dot != std::string_view::npos;
  std::string text = R"({"type":"record","name":)";
  append_json_string(spaced ? name.substr(dot + 1) : name, text);
  text += R"(,"namespace":)";
  append_json_string(spaced ? name.substr(0, dot) : "", text);
  text += R"(,"fields":[)";
  Writer writer(text);
  writer.reserve(name);
  for (const NewField& field : fields) {
    if (&field != fields.data()) text += ',';
    text += R"({"name":)";
    append_json_string(field.name, text);
    text += R"(,"type":)";
    writer.write(*field.type);
    if (!field.default_json.empty()) text += R"(,"default":)" + field.default_json;
    text += '}';
  }
  text += "]}";
  return finished(writer, text);
}

Result<SchemaPtr> extract(const Node& type) {
  std::string text;
  Writer writer(text);
  writer.write(type);
  return finished(writer, text);
}

Result<SchemaPtr> nullable(const Node& type) {
  const auto is_null = [](const Node* node) { return node->type == Type::null_; };
  bool already = is_null(&type);
  for (const Node* branch : type.branches) already = already || is_null(branch);
  if (already) return extract(type);
  std::string text = R"(["null",)";
  Writer writer(text);
  if (type.type == Type::union_) {
    for (const Node* branch : type.branches) {
      if (branch != type.branches.front()) text += ',';
      writer.write(*branch);
    }
  } else {
    writer.write(type);
  }
  text += ']';
  return finished(writer, text);
}

const SchemaPtr& primitive(Type type) {
  constexpr size_t kPrimitives = static_cast<size_t>(Type::record);
  static const auto kSchemas = [] {
    std::array<SchemaPtr, kPrimitives> schemas;
    for (size_t i = 0; i < kPrimitives; ++i) schemas[i] = *parse(type_name(static_cast<Type>(i)));
    return schemas;
  }();
  PENSTOCK_CHECK(static_cast<size_t>(type) < kPrimitives);
  return kSchemas[static_cast<size_t>(type)];
}

}  // namespace penstock::avro
