#include "store/redshift/trouble.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

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

}  // namespace

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
