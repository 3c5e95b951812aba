#include "store/model/model_store.h"

#include "flow/store_contract.h"

#include <optional>
#include <utility>

namespace penstock::store {
namespace {

using Bug = ModelFaults::Bug;

// What a crash leaves is what the store holds: sinks die, the memory stays.
class ModelHarness final : public flow::StoreHarness {
 public:
  explicit ModelHarness(Act act = Act::one, Bug bug = Bug::none) : act_(act), store_(act) {
    store_.faults().bug = bug;
  }
  flow::StoreTraits traits() const override {
    if (act_ == Act::one) return {};
    return {.merges = {flow::Merge::upsert, flow::Merge::newest_by}, .one_act = false};
  }
  flow::Store& store() override { return store_; }
  void reopen() override { CHECK(store_.open_epochs() == 0); }
  bool arm(const flow::StoreCut& cut) override {
    store_.faults().cut = {cut.after, cut.applied};
    return true;
  }
  bool disarm() override { return !std::exchange(store_.faults().cut, std::nullopt).has_value(); }
  bool set_away(bool away) override {
    store_.faults().away = away;
    return true;
  }
  bool refuse_above(double value) override {
    store_.faults().refuse_above = value;
    return true;
  }

 private:
  Act act_;
  ModelStore store_;
};

void run_contract(Act act, Bug bug) {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    ModelHarness harness(act, bug);
    contract.run(harness);
  }
}

}  // namespace

// The contract has to notice what it is there for.
#define PLANTED(act, bug) \
  TEST_CASE("planted: " #bug* doctest::should_fail()) { run_contract(act, bug); }
PLANTED(Act::one, Bug::no_swap)
PLANTED(Act::one, Bug::positions_apart)
PLANTED(Act::one, Bug::blind_resend)
PLANTED(Act::keyed_puts, Bug::adds)
PLANTED(Act::keyed_puts, Bug::owner_version)
PLANTED(Act::keyed_puts, Bug::unconditional)
#undef PLANTED

TEST_CASE("store contract: the model") { run_contract(Act::one, Bug::none); }
TEST_CASE("store contract: the model of keyed puts") { run_contract(Act::keyed_puts, Bug::none); }

TEST_CASE("the model says which record wrote a row") {
  ModelHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::upsert);
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  writer.write({0, 0}, 0, {{"a", 1, 1.5}, {"a", 2, 2.5}});
  REQUIRE(writer.commit(owned, 0, 2).end == flow::CommitEnd::done);
  const auto rows = dynamic_cast<ModelStore&>(harness.store()).rows("t");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].text == R"({"id":"a","at":2,"v":2.5})");
  CHECK(rows[0].origin == ModelOrigin{"in", "lineage-1", 0, {1}});
  CHECK(rows[0].writes == 2);
}

}  // namespace penstock::store
