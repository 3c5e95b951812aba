#include "avro/schema_builder.h"

#include <fmt/format.h>

#include <array>
#include <set>

namespace penstock::avro {
namespace {

constexpr uint64_t kEmpty = 0xc15d213aa4d7a795;

constexpr std::array<uint64_t, 256> make_table() {
  std::array<uint64_t, 256> table{};
  for (uint64_t i = 0; i < 256; ++i) {
    uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (kEmpty & (0 - (crc & 1)));
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = make_table();

// Names and symbols are letters, digits, _ and dots: nothing to escape.
class Canonical {
 public:
  std::string take(const Node& root) {
    write(root);
    return std::move(out_);
  }

 private:
  void write(const Node& node) {
    switch (node.type) {
      case Type::union_:
        return list(node);
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
        quoted(type_name(node.type));
    }
  }
  void quoted(std::string_view text) {
    out_ += '"';
    out_ += text;
    out_ += '"';
  }
  void list(const Node& node) {
    out_ += '[';
    for (size_t i = 0; i < node.branches.size(); ++i) {
      if (i != 0) out_ += ',';
      write(*node.branches[i]);
    }
    out_ += ']';
  }
  void named(const Node& node) {
    if (!seen_.insert(&node).second) return quoted(node.name);
    out_ += fmt::format(R"({{"name":"{}","type":"{}",)", node.name, type_name(node.type));
    if (node.type == Type::record) fields(node);
    if (node.type == Type::enum_) symbols(node);
    if (node.type == Type::fixed) out_ += fmt::format(R"("size":{})", node.size_bytes);
    out_ += '}';
  }
  void fields(const Node& node) {
    out_ += R"("fields":[)";
    for (size_t i = 0; i < node.fields.size(); ++i) {
      out_ += fmt::format(R"({}{{"name":"{}","type":)", i == 0 ? "" : ",", node.fields[i].name);
      write(*node.fields[i].type);
      out_ += '}';
    }
    out_ += ']';
  }
  void symbols(const Node& node) {
    out_ += R"("symbols":[)";
    for (size_t i = 0; i < node.symbols.size(); ++i) {
      if (i != 0) out_ += ',';
      quoted(node.symbols[i]);
    }
    out_ += ']';
  }

  std::string out_;
  std::set<const Node*> seen_;
};

}  // namespace

std::string canonical_form(const Node& root) { return Canonical().take(root); }

uint64_t crc64(std::string_view bytes) {
  uint64_t crc = kEmpty;
  for (const char byte : bytes)
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  return crc;
}

}  // namespace penstock::avro
