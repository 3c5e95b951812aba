// Looking at a log: lag, dead letters, and whether all records are accounted for.
#include "flow/dead_letter.h"
#include "inspect/dead.h"
#include "inspect/lag.h"
#include "inspect/verify.h"
#include "log/memory/memory_log.h"
#include "wire/record_batch.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::inspect {
namespace {

struct Sleeper final : flow::Waker {
  void wake() noexcept override {}
};

plan::Topic topic_of(std::string name) {
  plan::Topic topic;
  topic.name = topic.declared = std::move(name);
  return topic;
}

// A log with the topics in, out and dead.s, and a plan with the stage s between them.
class World {
 public:
  World() {
    plan_.pipeline = "p";
    for (const char* name : {"in", "out", "dead.s"}) plan_.topics.push_back(topic_of(name));
    plan::Stage stage;
    stage.name = stage.id = "s";
    stage.group = "p.s";
    stage.from = {"in"};
    stage.to_topics = {"out"};
    stage.dead_topic = "dead.s";
    plan_.stages.push_back(std::move(stage));
    REQUIRE(log_.create_missing({{.name = "in", .partitions = 2},
                                 {.name = "out", .partitions = 1},
                                 {.name = "dead.s", .partitions = 1}})
                .has_value());
  }

  void append(const std::string& topic, int32_t partition, const std::vector<std::string>& values) {
    wire::RecordsBuilder& builder = builders_.emplace_back();
    for (const std::string& value : values)
      builder.append({.value = value, .timestamp = log_.now().value});
    auto appender = log_.open_appender({topic}, waker_);
    REQUIRE(appender.has_value());
    (*appender)->begin_append({{0, partition, builder.count(), builder.base_timestamp(),
                                builder.max_timestamp(), builder.bytes()}});
    const flow::SinkEvent event = (*appender)->poll();
    REQUIRE(std::holds_alternative<flow::Ended>(event));
    REQUIRE(std::get<flow::Ended>(event).end == flow::CommitEnd::done);
  }

  // The group has read partition 0 of `input` up to `next`, with these fates.
  void commit(const std::string& group, const std::string& input, Offset next,
              const flow::Fates& fates) {
    const flow::SinkSpec spec{group, {input}, {"out"}, "member"};
    auto sink = log_.open_sink(spec, waker_);
    REQUIRE(sink.has_value());
    std::unique_ptr<flow::Source> source;
    flow::Membership membership;
    if (input == "in") {
      auto opened = log_.open_source({group, {input}, "member"}, waker_);
      REQUIRE(opened.has_value());
      source = std::move(*opened);
      for (int turn = 0; turn < 10 && membership == nullptr; ++turn) {
        flow::SourceEvent event = source->poll({});
        if (auto* assigned = std::get_if<flow::Assigned>(&event)) {
          membership = assigned->membership;
          source->answer();
        }
      }
      REQUIRE(membership != nullptr);
    }
    (*sink)->begin_claim({{0, 0}}, membership);
    const flow::SinkEvent claimed = (*sink)->poll();
    REQUIRE(std::holds_alternative<flow::Claimed>(claimed));
    const flow::Owned owned = std::get<flow::Claimed>(claimed).owned.at(0);
    (*sink)->begin_commit({{{owned.partition, owned.term, owned.next, next, fates}}, membership});
    const flow::SinkEvent ended = (*sink)->poll();
    REQUIRE(std::holds_alternative<flow::Ended>(ended));
    REQUIRE(std::get<flow::Ended>(ended).end == flow::CommitEnd::done);
  }

  // As a transaction that ends with its marker.
  void transact(const std::string& topic, const std::vector<std::string>& values) {
    auto sink = log_.open_sink({"p.producer", {"file:1"}, {topic}, "member"}, waker_);
    REQUIRE(sink.has_value());
    (*sink)->begin_claim({{0, 0}}, nullptr);
    const flow::SinkEvent claimed = (*sink)->poll();
    REQUIRE(std::holds_alternative<flow::Claimed>(claimed));
    const flow::Owned owned = std::get<flow::Claimed>(claimed).owned.at(0);
    wire::RecordsBuilder& builder = builders_.emplace_back();
    for (const std::string& value : values)
      builder.append({.value = value, .timestamp = log_.now().value});
    const flow::EncodedBatch batch{
        0, 0, builder.count(), builder.base_timestamp(), builder.max_timestamp(), builder.bytes()};
    REQUIRE((*sink)->write(batch) == flow::WriteAnswer::accepted);
    flow::Fates fates;
    fates.in = values.size();
    fates.out.add(topic, values.size());
    (*sink)->begin_commit({{{owned.partition, owned.term, owned.next, {2}, fates}}, nullptr});
    REQUIRE(std::holds_alternative<flow::Ended>((*sink)->poll()));
  }

  Snapshot look() {
    auto snapshot = inspect::look(plan_, log_, [](const std::string&) { return nullptr; });
    REQUIRE(snapshot.has_value());
    return std::move(*snapshot);
  }
  Verified verify() {
    auto verified = inspect::verify(plan_, log_, look(), {});
    REQUIRE(verified.has_value());
    return std::move(*verified);
  }
  // What does not hold.
  std::string wrong() {
    std::string all;
    for (const Sum& sum : verify().sums) {
      if (!sum.holds) all += sum.what + ": " + sum.equation + "\n";
    }
    return all;
  }
  StageLetters letters(int64_t limit) {
    auto all = dead_letters(plan_, log_, "", limit);
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 1);
    return std::move(all->front());
  }

  plan::Plan plan_;
  log::MemoryLog log_;

 private:
  Sleeper waker_;
  std::deque<wire::RecordsBuilder> builders_;
};

std::string letter_at(int64_t offset, std::string_view step = "steps[0]") {
  flow::DeadLetter letter;
  letter.stage = "s";
  letter.topic = "in";
  letter.lineage = "l";
  letter.offset = {offset};
  letter.step = step;
  letter.reason = "implausible";
  letter.key = "k";
  std::string out;
  flow::append_dead_letter(letter, out);
  return out;
}

flow::Fates fates_of(uint64_t in, uint64_t out, uint64_t dropped, uint64_t dead) {
  flow::Fates fates;
  fates.in = in;
  if (out > 0) fates.out.add("out", out);
  if (dropped > 0) fates.dropped.add("steps[0]", dropped);
  fates.dead = dead;
  return fates;
}

flow::Fates sent(uint64_t count) {
  flow::Fates fates;
  fates.in = count;
  fates.out.add("in", count);
  return fates;
}

// Five records sent; two written on, one dropped, two dead.
void fill(World& world) {
  world.append("in", 0, {"a", "b", "c", "d", "e"});
  world.commit("p.producer", "file:1", {5}, sent(5));
  world.append("out", 0, {"a", "b"});
  world.append("dead.s", 0, {letter_at(2), letter_at(3)});
  world.commit("p.s", "in", {5}, fates_of(5, 2, 1, 2));
}

}  // namespace

TEST_CASE("lag is what lies between a group's position and the end") {
  World world;
  world.append("in", 0, {"a", "b", "c"});
  world.append("in", 1, {"d"});
  CHECK(world.look().lag_of("s") == 4);  // nobody ever read
  world.commit("p.s", "in", {2}, fates_of(2, 0, 2, 0));
  const Snapshot snapshot = world.look();
  CHECK(snapshot.lag_of("s") == 2);
  REQUIRE(snapshot.stages.size() == 2);
  CHECK(snapshot.stages[0].position == Offset{2});
  CHECK(snapshot.stages[0].end == Offset{3});
  CHECK(snapshot.stages[0].fates.in == 2);
  CHECK(snapshot.stages[1].lag == 1);
  CHECK(snapshot.lag_of("nobody") == 0);
}

// A store whose position is where it is put.
class StandingStore final : public flow::Store {
 public:
  explicit StandingStore(Offset next) : next_(next) {}
  Result<void> create_missing(const flow::StoreTable&) override { return {}; }
  Result<std::unique_ptr<flow::StoreSink>> open_sink(const flow::StoreSpec&,
                                                     flow::Waker&) override {
    return fail("S001"_code, "for looking only");
  }
  Result<flow::StoreState> state(const flow::StoreSpec&) override {
    flow::GroupPosition position;
    position.topic = "in";
    position.next = next_;
    return flow::StoreState{{position}, std::nullopt};
  }
  Result<std::vector<std::string>> newest(const flow::StoreTable&, uint32_t,
                                          const std::optional<flow::RowFilter>&) override {
    return std::vector<std::string>();
  }

 private:
  Offset next_;
};

TEST_CASE("behind a store's position, markers are no lag, and records are") {
  World world;
  world.plan_.stages[0].to_store = "rows";
  world.plan_.stores.emplace_back().name = "rows";
  world.transact("in", {"a", "b"});  // offsets 0 and 1, and a marker
  REQUIRE(world.look().stages[0].end == Offset{3});
  world.commit("p.s", "in", {3}, fates_of(2, 0, 2, 0));
  const auto lag_with = [&](int64_t position) {
    StandingStore store({position});
    const auto snapshot =
        inspect::look(world.plan_, world.log_, [&](const std::string&) { return &store; });
    REQUIRE(snapshot.has_value());
    return snapshot->lag_of("s");
  };
  CHECK(lag_with(3) == 0);
  CHECK(lag_with(2) == 0);  // the marker alone
  CHECK(lag_with(1) == 2);  // the group is ahead of the store: what counts is the store
}

TEST_CASE("dead letters are merged by identity, the newest kept") {
  World world;
  world.append("dead.s", 0, {letter_at(1), letter_at(2), "no letter", letter_at(1)});
  world.append("dead.s", 0, {letter_at(2, "steps[1]"), letter_at(3)});
  const StageLetters all = world.letters(-1);
  CHECK(all.topic == "dead.s");
  CHECK(all.distinct == 4);
  CHECK(all.repeats == 1);
  CHECK(all.unreadable == 1);
  REQUIRE(all.newest.size() == 4);
  CHECK(all.newest[0].offset == Offset{1});
  CHECK(all.newest[0].key == "k");
  CHECK(!all.newest[0].value.has_value());
  const StageLetters two = world.letters(2);
  CHECK(two.distinct == 4);
  REQUIRE(two.newest.size() == 2);
  CHECK(two.newest[0].step == "steps[1]");
  CHECK(two.newest[1].offset == Offset{3});
  CHECK(world.letters(0).newest.empty());
  CHECK(dead_letters(world.plan_, world.log_, "other", -1)->empty());
}

TEST_CASE("verify holds when all records are accounted for") {
  World world;
  CHECK(world.wrong() == "");  // nothing there, nothing wrong
  fill(world);
  CHECK(world.wrong() == "");
  const Verified verified = world.verify();
  CHECK(verified.sums.size() == 7);  // 2 × 2 partitions, in, out, dead.s
  REQUIRE(verified.stages.size() == 1);
  CHECK(verified.stages[0].partitions == 2);
  CHECK(equation(verified.stages[0].fates) == "in 5 = out 2 + dropped 1 + dead 2 + absorbed 0");
  CHECK(verified.stages[0].holds);
}

TEST_CASE("verify names the sum that does not hold") {
  SUBCASE("a record of the output is missing or twice") {
    World world;
    fill(world);
    world.append("out", 0, {"b"});
    CHECK(world.wrong() == "topic out: records 3 = written 2\n");
  }
  SUBCASE("a record was read and is nowhere") {
    World world;
    fill(world);
    world.append("in", 0, {"f"});
    world.commit("p.producer", "file:2", {1}, sent(1));
    world.commit("p.s", "in", {6}, fates_of(6, 2, 1, 2));
    CHECK(world.wrong() == "stage s, in/0: in 6 = out 2 + dropped 1 + dead 2 + absorbed 0\n");
  }
  SUBCASE("a record was passed over") {
    World world;
    fill(world);
    world.append("in", 0, {"f"});
    world.commit("p.producer", "file:2", {1}, sent(1));
    world.commit("p.s", "in", {6}, fates_of(5, 2, 1, 2));
    CHECK(world.wrong() == "stage s, in/0: in 5 = position 6\n");
    CHECK(!world.verify().stages.at(0).holds);
  }
  SUBCASE("a letter is missing") {
    World world;
    fill(world);
    world.append("in", 0, {"f"});
    world.commit("p.producer", "file:2", {1}, sent(1));
    world.commit("p.s", "in", {6}, fates_of(6, 2, 1, 3));
    CHECK(world.wrong() == "topic dead.s: letters 2 = dead 3\n");
  }
}

TEST_CASE("a letter that came twice is counted once") {
  World world;
  fill(world);
  world.append("dead.s", 0, {letter_at(3)});
  CHECK(world.wrong() == "");
}

TEST_CASE("what retention took is not missed") {
  World world;
  REQUIRE(world.log_.create_missing({{.name = "short", .keep_millis = 10}}).has_value());
  world.plan_.topics.push_back(topic_of("short"));
  world.plan_.stages[0].from = {"short"};
  world.append("short", 0, {"a", "b", "c"});
  flow::Fates fates = sent(3);
  fates.out = {};
  fates.out.add("short", 3);
  world.commit("p.producer", "file:1", {3}, fates);
  world.log_.advance(Millis{1000});
  world.log_.retain(Millis{1000});
  const Snapshot snapshot = world.look();
  REQUIRE(snapshot.topic("short")->partitions[0].start == Offset{3});
  CHECK(snapshot.lag_of("s") == 0);
  CHECK(world.wrong() == "");  // the stage never read them; that is no sum that fails
}

}  // namespace penstock::inspect
