// What the contract of logs does not ask for: what happens to positions, fates and clients of
// Kafka's own.
#include "log/kafka/kafka_sink.h"

#include "log/kafka/test_cluster.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log::kafka {
namespace {

void forget_group(Admin& admin, const std::string& group, const std::string& topic) {
  const List list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0);
  auto* request = rd_kafka_DeleteConsumerGroupOffsets_new(group.c_str(), list.get());
  const Queue queue(rd_kafka_queue_new(admin.client()));
  rd_kafka_DeleteConsumerGroupOffsets(admin.client(), &request, 1, nullptr, queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), 10'000));
  rd_kafka_DeleteConsumerGroupOffsets_destroy(request);
  REQUIRE(event != nullptr);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void delete_topic(Admin& admin, const std::string& topic) {
  auto* request = rd_kafka_DeleteTopic_new(topic.c_str());
  const Queue queue(rd_kafka_queue_new(admin.client()));
  rd_kafka_DeleteTopics(admin.client(), &request, 1, nullptr, queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), 10'000));
  rd_kafka_DeleteTopic_destroy(request);
  REQUIRE(event != nullptr);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

// Reads three records and commits them; what the next claim has to hand out.
flow::Owned commit_three(Cluster& cluster, const flow::Fates* fates = nullptr) {
  flow::contract_append(*cluster.log, cluster.in, 0, flow::contract_values("a", 3));
  ContractWorker worker(*cluster.log, cluster.group, {cluster.in}, {cluster.out});
  worker.turn_until_assigned(1);
  worker.turn_until_read(3);
  flow::Commit commit = worker.epoch();
  if (fates != nullptr) commit.partitions[0].fates = *fates;
  worker.copy_open();
  REQUIRE(worker.commit(commit) == CommitEnd::done);
  flow::Owned own = worker.owned.begin()->second;
  worker.close();
  return own;
}

// What the group shows, once the marker of its commit is there: a moment after the commit's answer.
CommittedOffset committed_of(Cluster& cluster) {
  ContractWaker waker;
  CommittedOffset offset;
  flow::contract_wait(waker, "the committed offset", [&] {
    const auto offsets = cluster.admin->committed(cluster.group);
    REQUIRE(offsets.has_value());
    if (!offsets->empty()) offset = offsets->front();
    return !offsets->empty();
  });
  return offset;
}

}  // namespace

TEST_CASE("fates too long for an offset's metadata are handed back whole") {
  Cluster cluster;
  flow::Fates fates;
  fates.in = 300;
  for (int i = 0; i < 300; ++i) fates.out.add("usage.of-a-tenant-" + std::to_string(i), 1);
  commit_three(cluster, &fates);
  const CommittedOffset offset = committed_of(cluster);
  CHECK(offset.metadata.size() <= kMaxMetadataBytes);
  CHECK(offset_from_text(offset.metadata)->sums_only);

  ContractWorker next(*cluster.log, cluster.group, {cluster.in}, {cluster.out});
  next.turn_until_assigned(1);
  CHECK(next.owned.begin()->second.fates == fates);
  CHECK(next.owned.begin()->second.start == flow::Start::resumed);
}

TEST_CASE("a group that has forgotten its offsets goes on from the own copy") {
  Cluster cluster;
  const flow::Owned before = commit_three(cluster);
  committed_of(cluster);  // else the marker would bring it back
  forget_group(*cluster.admin, cluster.group, cluster.in);
  REQUIRE(cluster.admin->committed(cluster.group)->empty());
  ContractWorker next(*cluster.log, cluster.group, {cluster.in}, {cluster.out});
  next.turn_until_assigned(1);
  const flow::Owned& own = next.owned.begin()->second;
  CHECK(own.start == flow::Start::restored);
  CHECK(own.next == before.next);
  CHECK(own.fates == before.fates);
  CHECK(own.term > before.term);
  flow::contract_append(*cluster.log, cluster.in, 0, {"b0"});
  next.turn_until_read(1);
  CHECK(next.open.front().value == "b0");
}

TEST_CASE("a topic that was deleted and made again is refused, with the cure") {
  Cluster cluster;
  commit_three(cluster);
  delete_topic(*cluster.admin, cluster.in);
  ContractWaker waker;
  flow::contract_wait(waker, "the topic made again", [&] {
    const auto made = cluster.log->create_missing({{.name = cluster.in}});
    return made.has_value() && made->size() == 1;
  });
  Member member(cluster, waker);
  auto sink = cluster.log->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
  REQUIRE(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, member.membership);
  const flow::SinkEvent event = event_of(**sink, waker);
  const auto* failed = std::get_if<flow::ClaimFailed>(&event);
  REQUIRE(failed != nullptr);
  CHECK(failed->error.code == "L120"_code);
  CHECK(!failed->retry);
}

TEST_CASE("a claim without a member of the group is refused") {
  Cluster cluster;
  ContractWaker waker;
  auto sink = cluster.log->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
  REQUIRE(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, nullptr);
  const flow::SinkEvent event = event_of(**sink, waker);
  const auto* failed = std::get_if<flow::ClaimFailed>(&event);
  REQUIRE(failed != nullptr);
  CHECK(failed->error.code == "L123"_code);
  CHECK(failed->retry);
}

TEST_CASE("an unanswered end of a transaction retires the client") {
  Cluster cluster;
  ContractWaker waker;
  // The connection that carries the first EndTxn breaks as soon as it was sent.
  struct Breaker {
    std::atomic<int> left = 1;
    static rd_kafka_resp_err_t sent(rd_kafka_t*, int fd, const char*, int32_t, int16_t api, int16_t,
                                    int32_t, size_t, void* self) {
      if (api == 26 && static_cast<Breaker*>(self)->left.fetch_sub(1) > 0) shutdown(fd, SHUT_RDWR);
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    static rd_kafka_resp_err_t made(rd_kafka_t* client, const rd_kafka_conf_t*, void* self, char*,
                                    size_t) {
      return rd_kafka_interceptor_add_on_request_sent(client, "breaker", sent, self);
    }
  } breaker;
  SinkWorld& world = cluster.producing->world_for_test();
  world.configure_for_test = [&](rd_kafka_conf_s* conf) {
    rd_kafka_conf_interceptor_add_on_new(conf, "breaker", Breaker::made, &breaker);
  };
  uint64_t expected = 1;
  SUBCASE("by the rule") {}
  SUBCASE("not without it") {
    world.never_retire = true;
    expected = 0;
  }
  flow::contract_append(*cluster.log, cluster.in, 0, flow::contract_values("a", 3));
  Member member(cluster, waker);
  auto sink =
      cluster.producing->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
  REQUIRE(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, member.membership);
  const flow::SinkEvent claim = event_of(**sink, waker);
  REQUIRE(std::holds_alternative<flow::Claimed>(claim));
  const Term term = std::get<flow::Claimed>(claim).owned[0].term;
  std::vector<std::unique_ptr<wire::RecordsBuilder>> records;
  for (int64_t n = 0; n < 3; ++n) {
    records.push_back(std::make_unique<wire::RecordsBuilder>());
    write_text(**sink, *records.back(), "v" + std::to_string(n));
    (*sink)->begin_commit({{{{0, 0}, term, {n}, {n + 1}, fates_of(static_cast<uint64_t>(n) + 1)}},
                           member.membership});
    const flow::SinkEvent event = event_of(**sink, waker);
    const auto* ended = std::get_if<flow::Ended>(&event);
    REQUIRE(ended != nullptr);
    INFO(ended->error.message);
    REQUIRE(ended->end == CommitEnd::done);
  }
  CHECK(breaker.left < 0);  // the client asked again by itself
  CHECK(cluster.producing->retired() == expected);
  flow::contract_expect(*cluster.log, cluster.out, 0, flow::contract_values("v", 3));
}

TEST_CASE("an epoch larger than the producer's queue goes out in order") {
  Settings small = test_settings(fresh_name());
  small.properties["queue.buffering.max.messages"] = "1000";
  Cluster cluster(small);
  ContractWaker waker;
  Member member(cluster, waker);
  auto sink = cluster.log->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
  REQUIRE(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, member.membership);
  const flow::SinkEvent claim = event_of(**sink, waker);
  REQUIRE(std::holds_alternative<flow::Claimed>(claim));
  const Term term = std::get<flow::Claimed>(claim).owned[0].term;
  constexpr int kRecords = 20'000;
  const auto values = flow::contract_values("v", kRecords);
  wire::RecordsBuilder records;
  for (const std::string& value : values) {
    records.append({.key = value, .value = value, .timestamp = 1, .has_key = true});
  }
  REQUIRE((*sink)->write({0, 0, kRecords, Millis{1}, Millis{1}, records.bytes()}) ==
          flow::WriteAnswer::accepted);
  (*sink)->begin_commit({{{{0, 0}, term, {0}, {0}, {}}}, member.membership});
  const flow::SinkEvent event = event_of(**sink, waker);
  REQUIRE(std::holds_alternative<flow::Ended>(event));
  INFO(std::get<flow::Ended>(event).error.message);
  REQUIRE(std::get<flow::Ended>(event).end == CommitEnd::done);
  std::vector<std::string> got;
  flow::contract_wait(waker, "the epoch to be seen", [&] {
    got = flow::contract_read(*cluster.log, cluster.out, 0);
    return !got.empty();
  });
  CHECK(got.size() == values.size());
  const auto differs = std::ranges::mismatch(got, values);
  INFO("differs at ", differs.in1 - got.begin());
  CHECK((got == values));
}

TEST_CASE("a damaged batch is an abort, after which the sink works on") {
  Cluster cluster;
  ContractWaker waker;
  Member member(cluster, waker);
  auto sink = cluster.log->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
  REQUIRE(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, member.membership);
  const flow::SinkEvent claim = event_of(**sink, waker);
  REQUIRE(std::holds_alternative<flow::Claimed>(claim));
  const Term term = std::get<flow::Claimed>(claim).owned[0].term;
  const flow::Commit commit{{{{0, 0}, term, {0}, {0}, {}}}, member.membership};
  wire::RecordsBuilder first;
  write_text(**sink, first, "never");
  REQUIRE((*sink)->write({0, 0, 5, Millis{1}, Millis{1}, "no records"}) ==
          flow::WriteAnswer::accepted);
  (*sink)->begin_commit(commit);
  flow::SinkEvent event = event_of(**sink, waker);
  REQUIRE(std::holds_alternative<flow::Ended>(event));
  CHECK(std::get<flow::Ended>(event).end == CommitEnd::abort);
  CHECK(std::get<flow::Ended>(event).error.code == "L121"_code);
  (*sink)->begin_abort();
  event = event_of(**sink, waker);
  REQUIRE(std::holds_alternative<flow::Aborted>(event));
  wire::RecordsBuilder second;
  write_text(**sink, second, "kept");
  (*sink)->begin_commit(commit);
  event = event_of(**sink, waker);
  REQUIRE(std::holds_alternative<flow::Ended>(event));
  CHECK(std::get<flow::Ended>(event).end == CommitEnd::done);
  flow::contract_expect(*cluster.log, cluster.out, 0, {"kept"});
}

TEST_CASE("an unknown schema is final only when the topic was read after the question") {
  Cluster cluster;
  const auto schema =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"a","type":"long"}]})");
  REQUIRE(schema.has_value());
  const uint64_t fingerprint = (*schema)->fingerprint();
  flow::SchemaSource& here = cluster.log->schemas();
  flow::SchemaSource& there = cluster.producing->schemas();
  CHECK(!here.find(fingerprint).final);
  ContractWaker waker;
  flow::contract_wait(waker, "the verdict", [&] { return here.find(fingerprint).final; });
  CHECK(here.find(fingerprint).schema == nullptr);
  REQUIRE(there.add(*schema).has_value());
  flow::contract_wait(waker, "the other's schema",
                      [&] { return here.find(fingerprint).schema != nullptr; });
  CHECK(here.find(fingerprint).schema->json() == (*schema)->json());
}

}  // namespace penstock::log::kafka
