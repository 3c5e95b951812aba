#include "store/model/model_store.h"

#include "flow/store_contract.h"

namespace penstock::store {
namespace {

// What a crash leaves is what the store holds: sinks die, the memory stays.
class ModelHarness final : public flow::StoreHarness {
 public:
  flow::Store& store() override { return store_; }
  void reopen() override { CHECK(store_.open_epochs() == 0); }

 private:
  ModelStore store_;
};

}  // namespace

TEST_CASE("store contract: the model") {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    ModelHarness harness;
    contract.run(harness);
  }
}

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
