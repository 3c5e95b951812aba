#include "store/redshift/test_cluster.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace penstock::store::redshift {
namespace {

// Where the way of the rows matters; all else is the same code.
constexpr std::array kOfRows = {"append",   "last written", "newest wins", "field",   "bad",
                                "null key", "keys repeat",  "that the",    "refused", "lacks"};

}  // namespace

TEST_CASE("store contract: redshift, by COPY") {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    RedshiftHarness harness(Way::copy);
    contract.run(harness);
    CHECK(test_staging().list(harness.folder())->empty());
  }
}

TEST_CASE("store contract: redshift, by INSERT") {
  for (const auto& contract : flow::store_contract()) {
    const std::string_view name = contract.name;
    const bool chosen = !name.starts_with("a c") && std::ranges::any_of(kOfRows, [&](auto* word) {
      return name.find(word) != name.npos;
    });
    if (!chosen) continue;
    INFO(contract.name);
    RedshiftHarness harness(Way::insert);
    contract.run(harness);
  }
}

}  // namespace penstock::store::redshift
