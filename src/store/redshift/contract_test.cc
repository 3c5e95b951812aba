#include "store/redshift/test_cluster.h"

namespace penstock::store::redshift {

TEST_CASE("store contract: redshift, by COPY") {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    RedshiftHarness harness(Way::copy);
    contract.run(harness);
  }
}

TEST_CASE("store contract: redshift, by INSERT") {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    RedshiftHarness harness(Way::insert);
    contract.run(harness);
  }
}

}  // namespace penstock::store::redshift
