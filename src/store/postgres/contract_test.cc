#include "store/postgres/test_database.h"

namespace penstock::store::postgres {
namespace {

// What would be cut is not answered instead, over a connection that lives.
class SilentHarness final : public PostgresHarness {
 public:
  SilentHarness() : PostgresHarness(300) {}
  bool arm(const flow::StoreCut& cut) override {
    proxy().hush(cut);
    return true;
  }
  bool disarm() override { return proxy().was_hushed(); }
};

}  // namespace

TEST_CASE("store contract: postgres") {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    PostgresHarness harness;
    contract.run(harness);
  }
}

TEST_CASE("a server that says nothing, or half of an answer, is given up in time") {
  SilentHarness harness;
  flow::store_cases::cut_at_every_request(harness, flow::Merge::upsert);
}

// What a server says is not trusted to make sense: whatever comes, each call ends, and nothing
// breaks. (That a lying server is believed can not be helped.)
TEST_CASE("a server that answers nonsense") {
  PostgresHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::upsert);
  REQUIRE(harness.store().create_missing(spec.table).has_value());
  int claims = 0, refusals = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    harness.proxy().garble(seed);
    flow::ContractWriter writer(harness, spec, false);
    const flow::SinkEvent event = writer.try_claim({{0, 0}});
    if (const auto* claimed = std::get_if<flow::Claimed>(&event)) {
      ++claims;
      const flow::Owned owned = claimed->owned.at(0);
      const int64_t from = owned.next.value;
      writer.write({0, 0}, from, {{"a", 1, 1.5}, {"b", 2, 2.5}});
      writer.commit({{owned.partition, owned.term, owned.next, {from + 2}, {}}});
    } else {
      ++refusals;
    }
    (void)harness.store().state(spec);
    (void)harness.store().newest(spec.table, 10, {});
  }
  harness.proxy().garble(0);
  CHECK(claims > 0);
  CHECK(refusals > 0);
  flow::ContractWriter writer(harness, spec, false);
  writer.claim();
}

}  // namespace penstock::store::postgres
