#include "aws/xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace penstock::aws {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};

bool is_blank(char each) { return each == ' ' || each == '\t' || each == '\r' || each == '\n'; }

bool is_name_byte(char each) {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
         (each >= '0' && each <= '9') || each == '_' || each == '-' || each == '.' || each == ':';
}

// A code point that XML 1.0 allows.
bool is_xml(uint32_t point) {
  return point == '\t' || point == '\n' || point == '\r' || (point >= 0x20 && point < 0xd800) ||
         (point >= 0xe000 && point < 0xfffe) || (point >= 0x10000 && point <= 0x10ffff);
}

void append_utf8(uint32_t point, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else {
    if (point < 0x10000) {
      put(0xe0 | point >> 12);
    } else {
      put(0xf0 | point >> 18);
      put(0x80 | (point >> 12 & 63));
    }
    put(0x80 | (point >> 6 & 63));
  }
  put(0x80 | (point & 63));
}

// "&name;" or "&#10;" without its ends.
bool append_entity(std::string_view name, std::string& out) {
  for (const auto& [known, letter] : kEntities) {
    if (name == known) {
      out += letter;
      return true;
    }
  }
  if (!name.starts_with('#')) return false;
  const bool hexadecimal = name.substr(1).starts_with('x');
  const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
  uint32_t point = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), point, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || !is_xml(point)) return false;
  append_utf8(point, out);
  return true;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<XmlElement> document() {
    skip_blanks();  // S3 keeps a connection alive by blanks before a late answer
    if (take("<?xml ") && !skip_past("?>")) return std::nullopt;
    XmlElement root;
    if (!skip_between() || !element(root, 1)) return std::nullopt;
    if (!skip_between() || at_ != text_.size()) return std::nullopt;
    return root;
  }

 private:
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool skip_past(std::string_view word) {
    const size_t end = text_.find(word, at_);
    at_ = end == std::string_view::npos ? text_.size() : end + word.size();
    return end != std::string_view::npos;
  }
  // Blanks and remarks.
  bool skip_between() {
    for (skip_blanks(); take("<!--"); skip_blanks()) {
      if (!skip_past("-->")) return false;
    }
    return true;
  }
  std::string_view word() {
    const size_t from = at_;
    while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }
  bool attributes() {
    while (at_ < text_.size() && is_blank(text_[at_])) {
      skip_blanks();
      if (word().empty()) return true;  // blanks before the end of the tag
      skip_blanks();
      if (!take("=")) return false;
      skip_blanks();
      if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return false;
      const char quote = text_[at_++];
      const size_t end = text_.find(quote, at_);
      if (end == std::string_view::npos || text_.substr(at_, end - at_).contains('<')) return false;
      at_ = end + 1;
    }
    return true;
  }
  bool element(XmlElement& into, size_t level) {
    const size_t from = at_;
    if (level > kXmlLevelsMax || ++elements_ > kXmlElementsMax || !take("<")) return false;
    into.name = word();
    if (into.name.empty() || !attributes()) return false;
    if (!take("/>")) {
      if (!take(">") || !content(into, level)) return false;
      if (word() != into.name) return false;
      skip_blanks();
      if (!take(">")) return false;
    }
    into.source = text_.substr(from, at_ - from);
    return true;
  }
  // Up to and with the "</" of the end.
  bool content(XmlElement& into, size_t level) {
    while (at_ < text_.size()) {
      if (take("</")) return true;
      if (take("<!--")) {
        if (!skip_past("-->")) return false;
      } else if (text_[at_] == '<') {
        if (!element(into.children.emplace_back(), level + 1)) return false;
      } else if (!run(into.text)) {
        return false;
      }
    }
    return false;
  }
  // Text up to the next tag.
  bool run(std::string& out) {
    const size_t end = std::min(text_.find_first_of("<&", at_), text_.size());
    const std::string_view plain = text_.substr(at_, end - at_);
    const bool fit = std::ranges::all_of(
        plain, [](char each) { return static_cast<unsigned char>(each) >= ' ' || is_blank(each); });
    if (!fit) return false;
    out += plain;
    at_ = end;
    if (!take("&")) return true;
    const size_t semicolon = text_.find(';', at_);
    if (semicolon == std::string_view::npos || semicolon - at_ > 10) return false;
    const std::string_view name = text_.substr(at_, semicolon - at_);
    at_ = semicolon + 1;
    return append_entity(name, out);
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  const auto found = std::ranges::find(children, wanted, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::text_of(std::string_view wanted) const {
  const XmlElement* found = child(wanted);
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

const XmlElement* XmlElement::find(std::string_view wanted) const {
  if (name == wanted) return this;
  for (const XmlElement& each : children) {
    if (const XmlElement* found = each.find(wanted)) return found;
  }
  return nullptr;
}

std::optional<XmlElement> parse_xml(std::string_view text) {
  if (text.size() > kXmlBytesMax) return std::nullopt;
  return Reader(text).document();
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char each : text) {
    const auto* const entity =
        std::ranges::find(kEntities, each, &std::pair<std::string_view, char>::second);
    if (entity == kEntities.end()) {
      out += each;
    } else {
      out += '&';
      out += entity->first;
      out += ';';
    }
  }
  return out;
}

}  // namespace penstock::aws
