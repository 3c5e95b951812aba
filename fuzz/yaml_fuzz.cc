// Any text as YAML: an error with its place, or a tree in which every node stands inside the text.
#include "base/error.h"
#include "yaml/node.h"

#include <algorithm>
#include <cstdlib>
#include <string>

using namespace penstock;  // NOLINT: a program of one page

namespace {

void check(const yaml::Document& document, const yaml::Node& node, uint32_t lines) {
  if (node.line == 0 || node.line > lines || node.column == 0) std::abort();
  const Place place = document.place(node);
  if (place.line != node.line || place.file != "f.yaml") std::abort();
  if (node.kind == yaml::NodeKind::scalar)
    (void)document.place_inside(node, 1, static_cast<uint32_t>(node.text.size()) + 1, 1);
  for (const yaml::Node& item : node.items) check(document, item, lines);
  for (const yaml::Entry& entry : node.entries) {
    check(document, entry.key, lines);
    check(document, entry.value, lines);
    if (node.find(entry.key.text) != &entry.value) std::abort();  // no key twice
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto document = yaml::parse(text, "f.yaml");
  if (!document) {
    if (document.error().message.empty() || render(document.error()).empty()) std::abort();
    return 0;
  }
  if (document->root().kind == yaml::NodeKind::null) return 0;  // nothing in it, nowhere
  const auto lines = static_cast<uint32_t>(std::ranges::count(text, '\n')) + 1;
  check(*document, document->root(), lines);
  return 0;
}
