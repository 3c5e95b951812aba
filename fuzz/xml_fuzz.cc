// Any bytes as an answer in XML: what is read lies within them and is read again from its source;
// a text that is written is read as itself.
#include "aws/xml.h"

#include <cstdlib>

using namespace penstock::aws;  // NOLINT: a program of one page

namespace {

void check(const XmlElement& element, std::string_view text) {
  const char* begin = element.source.data();
  if (begin < text.data() || begin + element.source.size() > text.data() + text.size())
    std::abort();
  const auto again = parse_xml(element.source);
  if (!again || again->name != element.name || again->text != element.text) std::abort();
  if (again->children.size() != element.children.size()) std::abort();
}

void check_written(std::string_view text) {
  const auto read = parse_xml("<a>" + xml_escaped(text) + "</a>");
  if (read && (read->text != text || !read->children.empty())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_written(text);
  const auto root = parse_xml(text);
  if (!root) return 0;
  check(*root, text);
  for (const XmlElement& child : root->children) check(child, text);
  return 0;
}
