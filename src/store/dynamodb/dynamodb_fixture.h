// dynamodb_fixture.h — a store on a real DynamoDB Local behind a proxy that fails, for tests.
//
// The server is that of tools/with_dynamodb; every world has an access key, and so tables, of its
// own.
//
// Thread      one test.
#pragma once

#include "store/dynamodb/dynamodb_store.h"
#include "store/dynamodb/fault_proxy.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace penstock::store::dynamodb {

inline std::string test_server() {
  const char* url = std::getenv("PENSTOCK_TEST_DYNAMODB");
  REQUIRE_MESSAGE(url != nullptr, "run it by tools/with_dynamodb");
  return url;
}

inline aws::Surroundings test_surroundings(int world) {
  const std::string key = fmt::format("AKIA{}X{}", getpid(), world);
  return {[key](const std::string& name) -> std::optional<std::string> {
            if (name == "AWS_ACCESS_KEY_ID") return key;
            if (name == "AWS_SECRET_ACCESS_KEY") return "secret";
            if (name == "AWS_REGION") return "eu-north-1";
            return std::nullopt;
          },
          [](const std::string& path) -> Result<std::string> {
            return fail("W002"_code, path + " cannot be read");
          },
          ""};
}

class DynamoDbWorld {
 public:
  explicit DynamoDbWorld(StoreSettings settings = {}, bool create = true) : proxy(test_server()) {
    static int worlds = 0;
    world_ = ++worlds;
    settings.create = create;
    settings.retry = {1, 2, 64, 8, 3};
    settings_ = std::move(settings);
    direct = open(test_server());
    reopen();
  }
  void reopen() {
    store.reset();
    store = open(proxy.url());
  }

  FaultProxy proxy;
  std::unique_ptr<DynamoDbStore> direct;
  std::unique_ptr<DynamoDbStore> store;

 private:
  std::unique_ptr<DynamoDbStore> open(const std::string& url) {
    StoreSettings settings = settings_;
    settings.endpoint = url;
    auto opened = DynamoDbStore::open(settings, clock_, test_surroundings(world_));
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : one_line(opened.error())));
    return *std::move(opened);
  }
  SystemClock clock_;
  StoreSettings settings_;
  int world_ = 0;
};

// The contract's table is called "t"; the service wants three letters at the least.
class LongNames final : public flow::Store {
 public:
  explicit LongNames(flow::Store& store) : store_(store) {}
  Result<void> create_missing(const flow::StoreTable& table) override {
    return store_.create_missing(longer(table));
  }
  Result<std::unique_ptr<flow::StoreSink>> open_sink(const flow::StoreSpec& spec,
                                                     flow::Waker& waker) override {
    return store_.open_sink(longer(spec), waker);
  }
  Result<flow::StoreState> state(const flow::StoreSpec& spec) override {
    return store_.state(longer(spec));
  }
  Result<std::vector<std::string>> newest(const flow::StoreTable& table, uint32_t limit,
                                          const std::optional<flow::RowFilter>& of) override {
    return store_.newest(longer(table), limit, of);
  }

 private:
  static flow::StoreTable longer(flow::StoreTable table) {
    table.table = "table_" + table.table;
    return table;
  }
  static flow::StoreSpec longer(flow::StoreSpec spec) {
    spec.table = longer(spec.table);
    return spec;
  }
  flow::Store& store_;
};

class DynamoDbHarness final : public flow::StoreHarness {
 public:
  explicit DynamoDbHarness(FaultProxy::Rewrite bug = {}, StoreSettings settings = {})
      : world(std::move(settings)) {
    if (bug) world.proxy.set_rewrite(std::move(bug));
  }
  flow::Store& store() override { return *store_; }
  flow::Store& reader() override { return reader_; }
  void reopen() override {
    world.reopen();
    store_.emplace(*world.store);
  }
  // The contract's law for keyed puts knows keys; append has a test of its own.
  flow::StoreTraits traits() const override {
    return {
        .merges = {flow::Merge::upsert, flow::Merge::newest_by}, .one_act = false, .typed = false};
  }
  bool arm(const flow::StoreCut& cut) override {
    world.proxy.arm(cut);
    return true;
  }
  bool disarm() override { return world.proxy.disarm(); }
  bool set_away(bool away) override {
    world.proxy.set_away(away);
    return true;
  }
  bool refuse_above(double value) override {
    world.proxy.refuse_above(value);
    return true;
  }
  uint32_t many() const override { return 200; }

  DynamoDbWorld world;

 private:
  std::optional<LongNames> store_ = std::make_optional<LongNames>(*world.store);
  LongNames reader_{*world.direct};
};

}  // namespace penstock::store::dynamodb
