// secret.h — text that must not be seen: it prints as stars and is wiped from memory at its end.
//
// Only reveal() shows it, so a search for that word finds every place where a secret leaves. A
// process that has got a secret leaves no core, and no process of another user's, or that may not
// trace it, reads its memory or environment (docs/decisions/0040-no-secret-in-a-core.md).
//
// Thread      a value; forbid_core_dumps from any thread.
// Limits      copies that others make of what reveal() shows are theirs to wipe.
//
//     const Secret key(std::move(text));
//     fmt::format("{}", key)   // "***"
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace penstock {

// Overwrites the bytes, also where the compiler sees nobody read them again.
void wipe(std::string& text);

// From now on, for the whole process, unless PENSTOCK_CORE_DUMPS is 1.
void forbid_core_dumps();

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(text) {
    wipe(text);
    if (!text_.empty()) forbid_core_dumps();
  }
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept { swap(other); }
  Secret& operator=(Secret other) noexcept {
    swap(other);
    return *this;
  }
  ~Secret() { wipe(text_); }

  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  void swap(Secret& other) noexcept { text_.swap(other.text_); }
  std::string text_;
};

}  // namespace penstock

template <>
struct fmt::formatter<penstock::Secret> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const penstock::Secret& secret, Context& context) const {
    return fmt::format_to(context.out(), "{}", secret.empty() ? "(none)" : "***");
  }
};
