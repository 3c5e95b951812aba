#include "store/redshift/trouble.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace penstock::store::redshift {
namespace {

constexpr std::string_view kInternal = "XX000";

bool says(std::string_view message, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](auto word) { return message.find(word) != message.npos; });
}

bool is_about_s3(const DbError& error) {
  return error.state == kInternal &&
         says(error.message, {"S3ServiceException", "S3CurlException",
                              "Not authorized to get "
                              "credentials",
                              "UnauthorizedException", "AccessDenied", "Access Denied",
                              "not associated to cluster", "PermanentRedirect"});
}

struct Words {
  std::string_view text, state;
};
// In this order; what has several words needs all of them ("|").
constexpr Words kWords[] = {{"by zero", "22012"},
                            {"relation \"| does not exist", "42P01"},
                            {"schema \"| does not exist", "3F000"},
                            {"database \"| does not exist", "3D000"},
                            {" already exists", "42P07"},
                            {"ancel", "57014"},
                            {"permission denied", "42501"},
                            {"must be owner", "42501"},
                            {"authentication failed", "28000"},
                            {"syntax error", "42601"},
                            {"too long for type", "22001"},
                            {"out of range", "22003"},
                            {"verflow", "22003"},
                            {"null value in column", "23502"},
                            {"annot insert a NULL", "23502"},
                            {"nvalid input syntax", "22P02"}};

bool has_words(std::string_view message, std::string_view words) {
  while (true) {
    const size_t bar = words.find('|');
    if (message.find(words.substr(0, bar)) == message.npos) return false;
    if (bar == words.npos) return true;
    words.remove_prefix(bar + 1);
  }
}

}  // namespace

DbError from_words(std::string message) {
  const auto* found = std::ranges::find_if(
      kWords, [&](const Words& words) { return has_words(message, words.text); });
  const std::string_view state = found == std::end(kWords) ? kInternal : found->state;
  const Trouble trouble = trouble_of(state);
  return understood({trouble, std::string(state), std::move(message)});
}

DbError of_aws(const Error& error) {
  const bool refused =
      error.code == "W003"_code || catalogue_entry(error.code).cls == ErrorClass::pipeline;
  return {refused ? Trouble::settings : Trouble::passing, "", one_line(error)};
}

bool is_division(const DbError& error) {
  return error.message.find("by zero") != error.message.npos;
}

DbError understood(DbError error) {
  if (error.state != kInternal || error.trouble == Trouble::lost) return error;
  error.trouble = Trouble::passing;
  if (says(error.message, {"Load into table", "Found multiple matches"}))
    error.trouble = Trouble::data;
  if (is_about_s3(error)) error.trouble = Trouble::settings;
  return error;
}

Error error_about(const DbError& error, std::string_view where) {
  if (is_about_s3(error))
    return fail("S045"_code, fmt::format("{}: {}", where, error.message)).take();
  return to_error(error, where);
}

}  // namespace penstock::store::redshift
