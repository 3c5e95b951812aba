#include "avro/json_text.h"

#include "avro/utf8.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::avro {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::expected<Json, std::string> read() {
    Json json;
    if (!value(json, 0)) return std::unexpected(why_);
    spaces();
    if (at_ != text_.size()) return std::unexpected(said("text after the value's end"));
    return json;
  }

 private:
  std::string said(std::string_view what) const {
    return fmt::format("not JSON: {}, at byte {}", what, at_);
  }
  bool stop(std::string_view what) {
    why_ = said(what);
    return false;
  }
  void spaces() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool take(char c) {
    spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return stop("a value was expected");
    at_ += word.size();
    return true;
  }

  bool value(Json& json, uint32_t depth) {
    if (depth > kMaxJsonDepth) return stop("nested too deeply");
    spaces();
    if (at_ >= text_.size()) return stop("the text ends too early");
    switch (text_[at_]) {
      case '{':
        return object(json, depth);
      case '[':
        return array(json, depth);
      case '"':
        json.kind = Json::Kind::string;
        return string(json.text);
      case 't':
      case 'f':
        json.kind = Json::Kind::boolean;
        json.boolean = text_[at_] == 't';
        return word(json.boolean ? "true" : "false");
      case 'n':
        return word("null");
      default:
        json.kind = Json::Kind::number;
        return number(json.text);
    }
  }

  bool array(Json& json, uint32_t depth) {
    json.kind = Json::Kind::array;
    ++at_;
    if (take(']')) return true;
    do {
      if (!value(json.items.emplace_back(), depth + 1)) return false;
    } while (take(','));
    return take(']') || stop("\",\" or \"]\" was expected");
  }

  bool object(Json& json, uint32_t depth) {
    json.kind = Json::Kind::object;
    ++at_;
    if (take('}')) return true;
    do {
      spaces();
      if (at_ >= text_.size() || text_[at_] != '"') return stop("a quoted name was expected");
      if (!string(json.names.emplace_back())) return false;
      if (!take(':')) return stop("\":\" was expected");
      if (!value(json.items.emplace_back(), depth + 1)) return false;
    } while (take(','));
    if (!take('}')) return stop("\",\" or \"}\" was expected");
    return unique(json.names);
  }

  bool unique(const std::vector<std::string>& names) {
    std::vector<std::string_view> sorted(names.begin(), names.end());
    std::ranges::sort(sorted);
    const auto twice = std::ranges::adjacent_find(sorted);
    return twice == sorted.end() || stop(fmt::format("\"{}\" stands twice in an object", *twice));
  }

  bool digits() {
    const size_t first = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > first;
  }
  bool number(std::string& out) {
    const size_t first = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    const size_t whole = at_;
    if (!digits()) return stop("a value was expected");
    if (text_[whole] == '0' && at_ - whole > 1) return stop("a number begins with 0");
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!digits()) return stop("a digit was expected");
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits()) return stop("a digit was expected");
    }
    out = text_.substr(first, at_ - first);
    return true;
  }

  bool string(std::string& out) {
    const size_t begin = ++at_;
    for (size_t run = begin;;) {
      if (at_ >= text_.size()) return stop("a string without an end");
      const char c = text_[at_];
      if (static_cast<uint8_t>(c) < 0x20) return stop("a control character in a string");
      if (c != '"' && c != '\\') {
        ++at_;
        continue;
      }
      out.append(text_.substr(run, at_ - run));
      ++at_;
      if (c == '"') return valid_utf8(out.data(), out.size()) || stop("text that is not UTF-8");
      if (!escape(out)) return false;
      run = at_;
    }
  }

  bool escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (c == 'u') return code_point(out);
    const size_t which = kNames.find(c);
    if (which == std::string_view::npos) return stop("an unknown escape");
    out.push_back(kMeant[which]);
    return true;
  }

  bool hex(uint32_t& code) {
    code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < text_.size() ? text_[at_++] : '\0';
      uint32_t digit = 16;
      if (c >= '0' && c <= '9') digit = static_cast<uint32_t>(c - '0');
      if (c >= 'a' && c <= 'f') digit = static_cast<uint32_t>(c - 'a' + 10);
      if (c >= 'A' && c <= 'F') digit = static_cast<uint32_t>(c - 'A' + 10);
      if (digit == 16) return stop("four hex digits were expected");
      code = code * 16 + digit;
    }
    return true;
  }

  bool code_point(std::string& out) {
    uint32_t code = 0;
    if (!hex(code)) return false;
    if (code >= 0xd800 && code < 0xe000) {
      uint32_t low = 0;
      if (code >= 0xdc00 || !text_.substr(at_).starts_with("\\u")) return stop("half a surrogate");
      at_ += 2;
      if (!hex(low)) return false;
      if (low < 0xdc00 || low >= 0xe000) return stop("half a surrogate");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_code_point(code, out);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string why_;
};

}  // namespace

const Json* Json::member(std::string_view name) const {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? nullptr : &items[static_cast<size_t>(found - names.begin())];
}

std::expected<Json, std::string> read_json(std::string_view text) { return Reader(text).read(); }

void append_code_point(uint32_t code, std::string& out) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | (code >> 6));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

void write_json(const Json& json, std::string& out) {
  switch (json.kind) {
    case Json::Kind::null_:
      out += "null";
      break;
    case Json::Kind::boolean:
      out += json.boolean ? "true" : "false";
      break;
    case Json::Kind::number:
      out += json.text;
      break;
    case Json::Kind::string:
      append_json_string(json.text, out);
      break;
    case Json::Kind::array:
    case Json::Kind::object: {
      const bool object = json.kind == Json::Kind::object;
      out += object ? '{' : '[';
      for (size_t i = 0; i < json.items.size(); ++i) {
        if (i != 0) out += ',';
        if (object) {
          append_json_string(json.names[i], out);
          out += ':';
        }
        write_json(json.items[i], out);
      }
      out += object ? '}' : ']';
    }
  }
}

std::string_view kind_name(Json::Kind kind) {
  static constexpr std::string_view kNames[] = {"null",     "a boolean", "a number",
                                                "a string", "an array",  "an object"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace penstock::avro
