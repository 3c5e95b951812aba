// value_path.h — where in a value a reader or writer is: names of fields and keys, items by number.
//
// Going along costs a few moves; the text is made only when something is wrong there.
//
// Thread      one owner.
// Lifetime    names are views: of a schema's fields, of keys that stay where they are.
//
//     ValuePath path;  path.enter("readings");  path.enter(3);  path.text() == "/readings/3"
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::avro {

class ValuePath {
 public:
  void enter(std::string_view name) { parts_.push_back({name, 0}); }
  void enter(uint64_t item) { parts_.push_back({{}, item}); }
  // The next item or key of what was entered last.
  void turn_to(uint64_t item) { parts_.back() = {{}, item}; }
  void turn_to(std::string_view name) { parts_.back() = {name, 0}; }
  void leave() { parts_.pop_back(); }

  // So far, and back again to there.
  size_t depth() const { return parts_.size(); }
  void cut(size_t depth) { parts_.resize(depth); }

  bool empty() const { return parts_.empty(); }
  std::string text() const {
    std::string text;
    for (const Part& part : parts_) {
      text += '/';
      text += part.name.data() != nullptr ? std::string(part.name) : std::to_string(part.item);
    }
    return text;
  }

 private:
  struct Part {
    std::string_view name;  // without data: an item
    uint64_t item = 0;
  };
  std::vector<Part> parts_;
};

}  // namespace penstock::avro
