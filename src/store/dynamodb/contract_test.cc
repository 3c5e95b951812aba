// The store contract on a real DynamoDB Local, and with stores that have a bug: those have to fail.
#include "store/dynamodb/answer.h"
#include "store/dynamodb/dynamodb_fixture.h"

#include <map>
#include <memory>

namespace penstock::store::dynamodb {
namespace {

void run_contract() {
  for (const auto& contract : flow::store_contract()) {
    INFO(contract.name);
    DynamoDbHarness harness;
    contract.run(harness);
  }
}

// Of the contract, what deals with repeats and with two owners: the rest takes long and finds none
// of these bugs.
void run_with_bug(const std::function<FaultProxy::Rewrite()>& bug) {
  for (const auto& contract : flow::store_contract()) {
    const bool wanted = contract.name.starts_with("keys repeat") ||
                        contract.name.starts_with("a cut at every request") ||
                        contract.name.starts_with("a worker that was") ||
                        contract.name.starts_with("a commit from another position");
    if (!wanted) continue;
    INFO(contract.name);
    DynamoDbHarness harness(bug());
    contract.run(harness);
  }
}

// ---- stores with a bug, made of ours by what the proxy changes in its requests

void replace(std::string& body, std::string_view old, std::string_view now) {
  const size_t at = body.find(old);
  if (at != body.npos) body.replace(at, old.size(), now);
}

constexpr std::string_view kOlder = "penstock_version < :v";

void put_always(std::string& body) {
  replace(body, kOlder, "penstock_version < :v OR attribute_exists(penstock_version)");
}

FaultProxy::Rewrite unconditional() {
  return [](std::string_view operation, std::string& body) {
    if (operation == "PutItem") put_always(body);
  };
}

FaultProxy::Rewrite no_swap() {
  return [](std::string_view operation, std::string& body) {
    if (operation == "UpdateItem")
      replace(body, "#next = :from AND term = :term AND lineage = :lineage",
              "(#next = :from AND term = :term AND lineage = :lineage) OR attribute_exists(id)");
  };
}

// What was put is added to what was there.
FaultProxy::Rewrite adds() {
  return [sums = std::map<std::string, double>()](std::string_view operation,
                                                  std::string& body) mutable {
    if (operation != "PutItem") return;
    const Values item = attributes_of(body.substr(
        body.find(R"("Item":)") + 7, body.find(R"(,"Condition)") - body.find(R"("Item":)") - 7));
    const auto id = item.find("id"), v = item.find("v");
    if (id == item.end() || v == item.end()) return;
    double& sum = sums[id->second.text];
    sum += std::strtod(v->second.text.c_str(), nullptr);
    replace(body, fmt::format(R"("v":{{"N":"{}"}})", v->second.text),
            fmt::format(R"("v":{{"N":"{}"}})", sum));
    put_always(body);
  };
}

// (owner, offset): a new owner that repeats an offset overwrites a later one.
FaultProxy::Rewrite owner_version() {
  return [owner = uint64_t{0}](std::string_view operation, std::string& body) mutable {
    if (operation == "UpdateItem" && body.find("SET term") != body.npos) ++owner;
    if (operation != "PutItem") return;
    const std::string_view head = R"("penstock_version":{"B":")";
    const size_t at = body.find(head);
    if (at == body.npos) return;
    const size_t from = at + head.size();
    const std::string old = body.substr(from, body.find('"', from) - from);
    const Values value = attributes_of(R"({"v":{"B":")" + old + "\"}}");
    const std::string& bytes = value.at("v").text;
    const std::string now =
        base64(std::string(7, '\0') + static_cast<char>(owner) + bytes.substr(bytes.size() - 8));
    for (size_t each = body.find(old); each != body.npos; each = body.find(old, each + 1))
      body.replace(each, old.size(), now);
    replace(body, "NOT begins_with(penstock_version, :o)", "begins_with(:o, :v)");
  };
}

// Commits until it is durable, as a worker does.
void commit_all(flow::ContractWriter& writer, const flow::Owned& owned, int64_t next) {
  flow::CommitEnd end = flow::CommitEnd::retry;
  for (int tries = 0; end != flow::CommitEnd::done; ++tries) {
    REQUIRE(tries < 50);
    const flow::Ended ended = writer.commit(owned, owned.next.value, next);
    end = ended.end;
    const bool goes_on = end == flow::CommitEnd::done || end == flow::CommitEnd::retry;
    REQUIRE_MESSAGE(goes_on, one_line(ended.error));
  }
}

}  // namespace

TEST_CASE("append: every row is an item, and a repeat of its epoch changes nothing") {
  DynamoDbHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::append);
  std::vector<flow::ContractRow> rows;
  for (int64_t i = 0; i < 300; ++i) rows.push_back({"same", i, 0.5});
  rows[7].id = std::nullopt;
  flow::ContractWriter zombie(harness, spec);
  const flow::Owned old = zombie.claim();
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  zombie.write({0, 0}, 0, rows);
  CHECK(zombie.commit(old, 0, 300).end == flow::CommitEnd::fenced);
  harness.world.proxy.set_trouble(0.1);
  writer.write({0, 0}, 0, rows);
  commit_all(writer, owned, 300);
  CHECK(flow::contract_rows(harness, spec) == 300);
  CHECK(flow::contract_has(harness, spec, {"\"id\":null", "\"at\":7"}));
  CHECK(harness.world.proxy.count("PutItem") == 0);
  CHECK(harness.world.proxy.count("unprocessed") > 0);
}

TEST_CASE("items that are immutable go in batches, no key twice") {
  StoreSettings settings;
  settings.immutable = true;
  DynamoDbHarness harness({}, settings);
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::upsert);
  std::vector<flow::ContractRow> rows;
  for (int64_t i = 0; i < 400; ++i) rows.push_back({"k" + std::to_string(i % 120), i % 120, 0.5});
  flow::ContractWriter writer(harness, spec);
  const flow::Owned owned = writer.claim();
  harness.world.proxy.set_trouble(0.1);
  writer.write({0, 0}, 0, rows);
  commit_all(writer, owned, 400);
  CHECK(flow::contract_rows(harness, spec) == 120);
  CHECK(harness.world.proxy.count("PutItem") == 0);
  CHECK(harness.world.store->usage().millis_of_units > 0);
}

TEST_CASE("throttles, faults and lost answers cost no row") {
  DynamoDbHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::newest_by);
  flow::ContractWriter writer(harness, spec);
  flow::Owned owned = writer.claim();
  harness.world.proxy.set_trouble(0.1);
  for (int64_t next = 0; next < 300; next += 50) {
    std::vector<flow::ContractRow> rows;
    for (int64_t at = next; at < next + 50; ++at) rows.push_back(flow::record_at(at));
    writer.write({0, 0}, next, rows);
    owned.next = {next};
    commit_all(writer, owned, next + 50);
  }
  CHECK(flow::content_of(harness, spec) == flow::expected_content(flow::Merge::newest_by, 300));
  CHECK(harness.world.store->usage().throttled > 0);
}

TEST_CASE("a hot key holds up its own partition only") {
  DynamoDbHarness harness;
  const flow::StoreSpec spec = flow::store_contract_spec(flow::Merge::upsert);
  flow::ContractWriter writer(harness, spec);
  const auto owned = writer.claim({{0, 0}, {0, 1}});
  harness.world.proxy.throttle(R"({"S":"hot"})");
  writer.write({0, 0}, 0, {{"hot", 1, 1.5}});
  writer.write({0, 1}, 0, {{"cold", 1, 1.5}});
  const flow::Ended ended =
      writer.commit({{{0, 0}, owned[0].term, {0}, {1}, {}}, {{0, 1}, owned[1].term, {0}, {1}, {}}});
  REQUIRE(ended.end == flow::CommitEnd::done);
  CHECK_FALSE(ended.durable.find({0, 0}).has_value());
  CHECK(ended.durable.find({0, 1}) == Offset{1});
  harness.world.proxy.throttle("");
  flow::ContractWriter next(harness, spec);
  CHECK(next.claim().next == Offset{0});
}

TEST_CASE("a table that is not there, and one that nobody may make") {
  DynamoDbWorld world({}, false);
  flow::StoreTable table = flow::store_contract_spec(flow::Merge::upsert).table;
  table.table = "readings";
  const auto made = world.store->create_missing(table);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == "S031"_code);
  CHECK(exit_code(made.error()) == 69);
  CHECK(made.error().cure.find("create: true") != std::string::npos);
}

TEST_CASE("items expire by an attribute") {
  StoreSettings settings;
  settings.expire_after_millis = 1'000;
  DynamoDbWorld world(settings);
  flow::StoreTable table = flow::store_contract_spec(flow::Merge::upsert).table;
  table.table = "readings";
  for (int i = 0; i < 2; ++i) {
    const auto made = world.store->create_missing(table);
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : one_line(made.error())));
  }
}

TEST_CASE("store contract: DynamoDB") { run_contract(); }

TEST_CASE("planted: unconditional" * doctest::should_fail()) { run_with_bug(unconditional); }
TEST_CASE("planted: no_swap" * doctest::should_fail()) { run_with_bug(no_swap); }
TEST_CASE("planted: adds" * doctest::should_fail()) { run_with_bug(adds); }
TEST_CASE("planted: owner_version" * doctest::should_fail()) { run_with_bug(owner_version); }

}  // namespace penstock::store::dynamodb
