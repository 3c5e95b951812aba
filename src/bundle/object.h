// object.h — a JSON object as it is written, member by member, in the order of the calls.
//
// Thread      one owner.
//
//     JsonObject stage;
//     stage.text("id", "writer").number("partitions", 5);
//     out += std::move(stage).take();
#pragma once

#include "base/json_write.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::bundle {

inline std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

// Of JSON texts.
inline std::string json_array(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    out += item;
  }
  return out + "]";
}

inline std::string json_names(const std::vector<std::string>& names) {
  std::vector<std::string> texts;
  for (const std::string& name : names) texts.push_back(json_text(name));
  return json_array(texts);
}

class JsonObject {
 public:
  // `json` is JSON already.
  JsonObject& raw(std::string_view name, std::string_view json) {
    text_ += text_.empty() ? '{' : ',';
    append_json_string(name, text_);
    text_ += ':';
    text_ += json;
    return *this;
  }
  JsonObject& text(std::string_view name, std::string_view value) {
    return raw(name, json_text(value));
  }
  JsonObject& number(std::string_view name, int64_t value) {
    return raw(name, std::to_string(value));
  }
  JsonObject& boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
  }
  JsonObject& names(std::string_view name, const std::vector<std::string>& all) {
    return raw(name, json_names(all));
  }
  std::string take() && { return text_.empty() ? "{}" : std::move(text_) + "}"; }

 private:
  std::string text_;
};

}  // namespace penstock::bundle
