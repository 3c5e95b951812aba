// node.h — a YAML file as a tree in which every node knows its line and column.
//
// Strict: UTF-8 without control characters, no tabs in indentation, no duplicate keys, no
// unterminated quotes, no custom tags, aliases bounded. One document.
//
// Thread      immutable after parse.
// Lifetime    nodes live as long as their Document; Document is movable, its nodes do not move.
// Limits      text ≤ 1 MiB, nesting ≤ 64, ≤ 100,000 nodes after aliases are followed.
// Errors      P… with the place of the offending token.
//
//     PENSTOCK_TRY(document, yaml::parse(text, "pipeline.yaml"));
//     if (const yaml::Node* stages = document.root().find("stages")) …
#pragma once

#include "base/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::yaml {

enum class NodeKind : uint8_t { null, scalar, sequence, mapping };

struct Entry;

struct Node {
  NodeKind kind = NodeKind::null;
  std::string text;               // scalar: its value
  bool quoted = false;            // scalar: stood in quotes or as a block, so it is a string
  uint32_t line = 0, column = 0;  // of the first byte, from 1
  uint32_t width = 1;             // bytes in the file that the carets mark
  std::vector<Node> items;        // sequence
  std::vector<Entry> entries;     // mapping, in the file's order; keys are scalars

  // The value of that key in a mapping, or nullptr.
  const Node* find(std::string_view key) const;
};

struct Entry {
  Node key, value;
};

class Document {
 public:
  const Node& root() const { return *root_; }
  // For the one reader that puts values in the place of ${env:…}, before anyone else looks.
  Node& root_to_resolve() { return *root_; }
  const std::string& file() const { return file_; }
  // Where a node stands, with its line, for an Error.
  Place place(const Node& node) const;
  // A place inside a scalar: `line` and `column` count from 1 inside node.text (for errors inside
  // a rule). Exact for plain and single-line quoted scalars, and for block scalars.
  Place place_inside(const Node& node, uint32_t line, uint32_t column, uint32_t width) const;

 private:
  friend Result<Document> parse(std::string text, std::string file);
  std::string file_;
  std::string text_;
  std::unique_ptr<Node> root_;
};

Result<Document> parse(std::string text, std::string file);

}  // namespace penstock::yaml
