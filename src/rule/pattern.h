// pattern.h — regular expressions, bounded: RE2 never takes more than linear time.
//
// Thread      immutable after make(); share freely.
// Limits      a compiled pattern takes at most 1 MiB.
//
//     std::unique_ptr<Pattern> pattern = Pattern::make("gr(a|e)y", &why);
//     bool found = pattern->found_in("grey");          // anywhere in the text, as CEL has it
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace penstock::rule {

class Pattern {
 public:
  // nullptr and a text when `expression` is not RE2 syntax or too large.
  static std::unique_ptr<Pattern> make(std::string_view expression, std::string* why);
  bool found_in(std::string_view text) const;
  ~Pattern();

 private:
  struct Impl;
  explicit Pattern(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::rule
