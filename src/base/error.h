// error.h — what went wrong outside of us, who is to blame, and the cure.
//
// Every error that a user can meet has a number in catalogue.def; `penstock explain CODE` prints
// the entry. An Error carries the number, one sentence about this very case, and, for errors in a
// file, the exact place. Bugs of ours are not Errors: they are PENSTOCK_CHECK (check.h). Bad
// records are not Errors: they are row::Reject.
//
// Thread      a value; copy and move freely.
// Usage       return fail("P012"_code, "unknown field \"form\" in stage \"s\"").at(place).hint(
//                 "did you mean \"from\"?");
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace penstock {

// Whose turn it is; decides the exit code (exit_code()).
enum class ErrorClass : uint8_t {
  failed,       // 1: a test, a verification
  usage,        // 64: a flag or argument
  unreachable,  // 69: broker, store, cluster or data folder; rights refused at start
  pipeline,     // 78: the pipeline file, or a file that it names
  data,         // 1: a record, a datum, a schema given on the command line
};

// One entry of the catalogue. All texts are static.
struct CatalogueEntry {
  std::string_view name;  // "P012"
  ErrorClass cls;
  std::string_view title;
  std::string_view cause;
  std::string_view cure;
};

// "P012", as a type can carry it.
struct CodeName {
  char text[5]{};
  consteval CodeName(const char (&literal)[5]) {  // NOLINT: meant to convert
    for (int i = 0; i < 5; ++i) text[i] = literal[i];
  }
};

// The entry called Name; error.cc makes one for each line of the catalogue. So a code that
// stands in no
// line does not link, and a new line of the catalogue compiles error.cc alone.
template <CodeName Name>
struct Listed {
  static const CatalogueEntry entry;
};

// A number of the catalogue: "P012"_code. Code{} is none.
class Code {
 public:
  constexpr Code() = default;
  constexpr explicit Code(const CatalogueEntry* entry) : entry_(entry) {}
  bool operator==(const Code&) const = default;
  constexpr const CatalogueEntry* entry() const { return entry_; }

 private:
  const CatalogueEntry* entry_ = nullptr;
};

template <CodeName Name>
constexpr Code operator""_code() {
  return Code(&Listed<Name>::entry);
}

const CatalogueEntry& catalogue_entry(Code code);
// The entry called `name` ("P012", any case), or nullptr.
const CatalogueEntry* find_catalogue_entry(std::string_view name);

// A stretch of one line of a text file. line and column count from 1; column counts bytes; 0 = no
// place known.
struct Place {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t width = 1;       // how many bytes the carets mark
  std::string source_line;  // the whole line, without its end; may be empty
};

struct Error {
  Code code{};
  std::string message;  // this case, in one line
  std::string note;     // shown beside the caret: did you mean "from"?
  std::string cause;    // instead of the catalogue's, when this case knows better
  std::string cure;     // likewise
  Place place;
};

// The multi-line text for people (PIPELINE.md's form), ending in a newline. Never coloured.
// `severity` is "error", or "warning" for a lint that does not stop.
std::string render(const Error& error, std::string_view severity = "error");
// `P012 pipeline.yaml:21:5: unknown field "form"`, without a newline.
std::string one_line(const Error& error);
// 1, 64, 69 or 78.
int exit_code(const Error& error);

template <class T>
using Result = std::expected<T, Error>;

// Builds an Error and turns into std::unexpected where a Result is returned.
class Failure {
 public:
  explicit Failure(Error error) : error_(std::move(error)) {}
  Failure&& at(Place place) && {
    error_.place = std::move(place);
    return std::move(*this);
  }
  Failure&& hint(std::string text) && {
    error_.note = std::move(text);
    return std::move(*this);
  }
  Failure&& because(std::string text) && {
    error_.cause = std::move(text);
    return std::move(*this);
  }
  Failure&& cure(std::string text) && {
    error_.cure = std::move(text);
    return std::move(*this);
  }
  Error take() && { return std::move(error_); }
  template <class T>
  operator std::expected<T, Error>() && {
    return std::unexpected(std::move(error_));
  }

 private:
  Error error_;
};

inline Failure fail(Code code, std::string message) {
  return Failure(Error{code, std::move(message), {}, {}, {}, {}});
}

}  // namespace penstock

// Returns the error of `expr` (a Result) from the calling function, or binds its value to `var`.
#define PENSTOCK_TRY(var, expr)                                               \
  auto var##_result = (expr);                                                 \
  if (!var##_result) return std::unexpected(std::move(var##_result).error()); \
  auto& var = *var##_result
// The same for Result<void>.
#define PENSTOCK_TRY_VOID(expr)                               \
  do {                                                        \
    if (auto void_result = (expr); !void_result)              \
      return std::unexpected(std::move(void_result).error()); \
  } while (false)
