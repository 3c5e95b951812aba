#include "file/zone.h"

#include <doctest/doctest.h>

namespace penstock::file {
namespace {

TEST_CASE("a zone's file is its TZif bytes, and what is no file is empty") {
  CHECK(read_zone("No/Such_Zone").empty());
  CHECK(read_zone("").empty());  // the folder itself
  const std::string utc = read_zone("UTC");
  CHECK((utc.empty() || utc.starts_with("TZif")));  // empty: a machine without the database
}

}  // namespace
}  // namespace penstock::file
