#include "store/redshift/test_cluster.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace penstock::store::redshift {
namespace {

// Where the way of the rows matters; all else is the same code.
constexpr std::array kOfRows = {"append",   "last written", "newest wins", "field",   "bad",
                                "null key", "keys repeat",  "that the",    "refused", "lacks"};

bool is_of_rows(std::string_view name) {
  return !name.starts_with("a c") &&
         std::ranges::any_of(kOfRows, [&](auto* word) { return name.find(word) != name.npos; });
}

}  // namespace

TEST_CASE("store contract: redshift, by COPY") {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    RedshiftHarness harness(Way::copy);
    contract.run(harness);
    CHECK(test_staging().list(harness.folder())->empty());
  }
}

// All of it where that is asked for; else what is about rows.
TEST_CASE("store contract: redshift, by the Data API") {
  const bool all = std::getenv("PENSTOCK_TEST_REDSHIFT_ALL") != nullptr;
  for (const auto& contract : flow::store_contract()) {
    if (!all && !is_of_rows(contract.name)) continue;
    INFO(contract.name);
    RedshiftHarness harness(Way::data);
    contract.run(harness);
    CHECK(test_staging().list(harness.folder())->empty());
  }
}

TEST_CASE("store contract: redshift, by INSERT") {
  for (const auto& contract : flow::store_contract()) {
    if (!is_of_rows(contract.name)) continue;
    INFO(contract.name);
    RedshiftHarness harness(Way::insert);
    contract.run(harness);
  }
}

}  // namespace penstock::store::redshift
