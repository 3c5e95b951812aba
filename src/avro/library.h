// library.h — schemas in several texts that use one another's types by name.
//
// A name that a text does not define itself is taken from the others, also a type inside of another
// one. The first use is replaced by the definition: the whole stands alone. The order of the
// texts does not matter. A text's own definitions win; a name that two texts define
// differently may not be used by a third.
//
// Thread      one owner; whole() may be shared once everything is added.
// Limits      those of schema.h, for a whole as for a text.
// Errors      A001 a text that is not JSON; A002 a name that nobody defines (with what is near), or
//             two differently, with the path in its text; A004 types too deep inside each other.
//
//     Library library;
//     PENSTOCK_TRY_VOID(library.add("site.avsc", site));
//     PENSTOCK_TRY_VOID(library.add("reading.avsc", reading));
//     PENSTOCK_TRY(whole, library.whole(1));
//     PENSTOCK_TRY(schema, avro::parse(whole));
#pragma once

#include "avro/json_text.h"
#include "base/error.h"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::avro {

class Library {
 public:
  // A record, an enum or a fixed where it is defined.
  struct Definition {
    const Json* tree;
    std::string space;     // the namespace around it
    uint32_t source;       // the first text that defines it
    uint32_t other = 0;    // one that defines it differently
    bool differs = false;  // there is such a one
  };
  // Texts count from 0, in the order in which they are added. `label` is its name in messages.
  Result<void> add(std::string label, std::string_view text);
  // `used`, where given, becomes the other texts that it has definitions of, also on an error.
  Result<std::string> whole(uint32_t source, std::set<uint32_t>* used = nullptr) const;

  uint32_t size() const { return static_cast<uint32_t>(sources_.size()); }
  const Definition* find(std::string_view full_name) const;
  const std::string& label(uint32_t source) const { return sources_[source].label; }
  // Those of every type that is defined, for "did you mean".
  std::vector<std::string_view> names() const;

 private:
  struct Source {
    std::string label;
    Json tree;
    std::set<std::string, std::less<>> names;  // what it defines
  };
  void collect(const Json& json, const std::string& space, uint32_t source);
  void define(const Json& json, const std::string& space, uint32_t source);

  std::deque<Source> sources_;  // definitions point into it
  std::map<std::string, Definition, std::less<>> definitions_;
};

}  // namespace penstock::avro
