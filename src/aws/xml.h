// xml.h — a strict reader of the XML that AWS's services answer, and texts for what they are sent.
//
// Elements and text, no more: attributes are checked and dropped, a document type, processing
// instructions and CDATA are refused, so are entities that XML itself does not define. Whatever is
// not whole is no document.
//
// Thread      free functions, values.
// Lifetime    an element looks into the text that it was read from.
// Limits      8 MiB, 32 levels, 200,000 elements.
//
//     const std::optional<XmlElement> root = parse_xml(response.body);
//     if (root && root->name == "Error") code = root->text_of("Code");
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::aws {

inline constexpr size_t kXmlBytesMax = 8 * 1024 * 1024;
inline constexpr size_t kXmlLevelsMax = 32;
inline constexpr size_t kXmlElementsMax = 200'000;

struct XmlElement {
  std::string_view name;
  std::string text;         // its own, without that of its children
  std::string_view source;  // all of it, as it stands
  std::vector<XmlElement> children = {};

  const XmlElement* child(std::string_view wanted) const;
  // The text of the first child of that name; "" when there is none.
  std::string_view text_of(std::string_view wanted) const;
  // The first element of that name, at any depth, itself among them.
  const XmlElement* find(std::string_view wanted) const;
};

std::optional<XmlElement> parse_xml(std::string_view text);

// "a<b" as a text may hold it: "a&lt;b".
std::string xml_escaped(std::string_view text);

}  // namespace penstock::aws
