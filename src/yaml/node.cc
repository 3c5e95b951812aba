#include "yaml/node.h"

#include "yaml/guard.h"

#include <algorithm>

namespace penstock::yaml {
namespace {

// Bytes of the file that the next `count` bytes of a quoted scalar's text stand on.
size_t quoted_bytes(std::string_view source, char quote, size_t count) {
  size_t at = 0;
  for (size_t made = 0; made < count && at < source.size(); ++made) {
    if (quote == '\'' && source.substr(at, 2) == "''") {
      at += 2;
    } else if (quote == '"' && source[at] == '\\' && at + 1 < source.size()) {
      const char kind = source[at + 1];
      at += kind == 'x' ? 4 : kind == 'u' ? 6 : kind == 'U' ? 10 : 2;
    } else {
      ++at;
    }
  }
  return at;
}

size_t indentation(std::string_view line) {
  const size_t word = line.find_first_not_of(' ');
  return word == std::string_view::npos ? line.size() : word;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

Place Document::place(const Node& node) const {
  return {file_, node.line, node.column, std::max(node.width, 1U),
          std::string(line_of(text_, node.line))};
}

Place Document::place_inside(const Node& node, uint32_t line, uint32_t column,
                             uint32_t width) const {
  Place found = place(node);
  if (node.kind != NodeKind::scalar || line == 0 || column == 0) return found;
  const char first =
      found.column <= found.source_line.size() ? found.source_line[found.column - 1] : ' ';
  found.width = std::max(width, 1U);
  if (node.quoted && (first == '|' || first == '>')) {
    uint32_t at = node.line + 1;
    while (line_of(text_, at).empty() && at < node.line + 1000) ++at;
    const size_t indent = indentation(line_of(text_, at));
    found.line = node.line + line;
    size_t inside = column - 1;
    // Folded lines are joined by one space.
    while (first == '>' && line == 1) {
      const std::string_view source = line_of(text_, found.line);
      const size_t bytes = source.size() - std::min(source.size(), indent);
      if (inside <= bytes || source.empty()) break;
      inside -= bytes + 1;
      ++found.line;
    }
    found.column = static_cast<uint32_t>(indent + inside) + 1;
    found.source_line = line_of(text_, found.line);
    return found;
  }
  if (line != 1) return place(node);
  const auto before = static_cast<size_t>(column) - 1;
  if (node.quoted) {
    const std::string_view inside = std::string_view(found.source_line).substr(node.column);
    found.column = node.column + 1 + static_cast<uint32_t>(quoted_bytes(inside, first, before));
  } else {
    found.column = node.column + static_cast<uint32_t>(before);
  }
  return found.column <= found.source_line.size() + 1 ? found : place(node);
}

}  // namespace penstock::yaml
