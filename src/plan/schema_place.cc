#include "plan/schema_place.h"

#include <algorithm>
#include <charconv>

namespace penstock::plan {
namespace {

size_t skip_blank(std::string_view text, size_t at) {
  return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

// Behind the string whose opening quote stands at `at`.
size_t skip_string(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

// Behind the value that begins at `at`, a comma or a bracket.
size_t skip_value(std::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth < 0) return at;
    if (c == ',' && depth == 0) return at;
    ++at;
  }
  return at;
}

// Where the member or item that `step` names begins, inside the value at `at`; `at` if there is
// none.
size_t enter(std::string_view text, size_t at, std::string_view step) {
  const bool object = at < text.size() && text[at] == '{';
  size_t index = 0;
  if (!object) std::from_chars(step.data(), step.data() + step.size(), index);
  size_t next = at + 1;
  for (size_t count = 0; next < text.size(); ++count) {
    next = skip_blank(text, next);
    bool here = count == index;
    if (object) {
      if (next >= text.size() || text[next] != '"') return at;
      const size_t end = skip_string(text, next);
      here = text.substr(next + 1, end - next - 2) == step;
      next = skip_blank(text, std::min(text.find(':', end), text.size() - 1) + 1);
    }
    if (here) return next;
    next = skip_value(text, next);
    if (next >= text.size() || text[next] != ',') return at;
    ++next;
  }
  return at;
}

size_t offset_of(std::string_view text, std::string_view message) {
  if (const size_t byte = message.rfind("at byte "); byte != std::string_view::npos) {
    size_t offset = 0;
    std::from_chars(message.data() + byte + 8, message.data() + message.size(), offset);
    return std::min(offset, text.size());
  }
  const size_t path = message.rfind("at /");
  size_t at = skip_blank(text, 0);
  if (path == std::string_view::npos) return at;
  std::string_view steps = message.substr(path + 4);
  while (!steps.empty()) {
    const size_t slash = steps.find('/');
    at = enter(text, at, steps.substr(0, slash));
    steps = slash == std::string_view::npos ? std::string_view() : steps.substr(slash + 1);
  }
  return at;
}

}  // namespace

Place schema_place(const std::string& file, const std::string& text, std::string_view message) {
  const size_t offset = offset_of(text, message);
  const std::string_view before = std::string_view(text).substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {file, static_cast<uint32_t>(std::ranges::count(before, '\n')) + 1,
          static_cast<uint32_t>(offset - start) + 1, 1,
          text.substr(start, std::min(text.find('\n', start), text.size()) - start)};
}

}  // namespace penstock::plan
