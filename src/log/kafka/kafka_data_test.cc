// What lies in topics that others write: every compression, records without key, value or with
// headers, both kinds of timestamps, damage, partitions that are added, transactions that were
// aborted.
#include "flow/log_contract.h"
#include "log/kafka/test_broker_process.h"
#include "log/kafka/test_cluster.h"

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#pragma GCC diagnostic ignored "-Wold-style-cast"  // in librdkafka's macros

namespace penstock::log::kafka {
namespace {

struct Made {
  std::optional<std::string> key, value;
  int64_t timestamp = 0;
  bool headers = false;
};

// A client of somebody else's.
class Stranger {
 public:
  Stranger(const Settings& settings, const std::string& topic,
           const std::vector<std::pair<const char*, const char*>>& properties,
           Role role = Role::idempotent_producer)
      : topic_(topic) {
    auto conf = make_conf(settings, role);
    REQUIRE(conf.has_value());
    for (const auto& [name, value] : properties) {
      REQUIRE(rd_kafka_conf_set(conf->get(), name, value, nullptr, 0) == RD_KAFKA_CONF_OK);
    }
    auto client = make_client(std::move(*conf), role);
    REQUIRE(client.has_value());
    client_ = std::move(*client);
  }
  void send(const Made& made, int32_t partition = 0) {
    rd_kafka_headers_t* headers = made.headers ? rd_kafka_headers_new(1) : nullptr;
    if (headers != nullptr) rd_kafka_header_add(headers, "trace", -1, "x1", -1);
    void* const value = made.value ? const_cast<char*>(made.value->data()) : nullptr;
    const size_t value_size = made.value ? made.value->size() : 0;
    const void* const key = made.key ? made.key->data() : nullptr;
    const size_t key_size = made.key ? made.key->size() : 0;
    const auto sent = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(value, value_size),
        RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_TIMESTAMP(made.timestamp),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    REQUIRE(sent == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  // One batch at least ends here.
  void flush() { REQUIRE(rd_kafka_flush(client_.get(), 20'000) == RD_KAFKA_RESP_ERR_NO_ERROR); }
  rd_kafka_t* client() const { return client_.get(); }

 private:
  std::string topic_;
  Client client_;
};

struct Got {
  std::optional<std::string> key, value;
  int64_t timestamp = 0;
};

// Everything of partition 0, by a member of a group.
std::vector<Got> read_all(Cluster& cluster, const std::string& topic, size_t count) {
  ContractWaker waker;
  auto source = cluster.log->open_source({topic + ".g", {topic}, "w"}, waker);
  REQUIRE(source.has_value());
  std::vector<Got> got;
  flow::contract_wait(waker, "the records", [&] {
    flow::SourceEvent event = (*source)->poll({});
    if (std::holds_alternative<flow::Assigned>(event)) {
      (*source)->start({0, 0}, {0});
      (*source)->answer();
    } else if (auto* batch = std::get_if<row::RawBatch>(&event)) {
      for (const row::RawRecord& record : batch->records) {
        Got one{{}, {}, record.timestamp.value};
        if (record.has_key) one.key = std::string(record.key);
        if (record.has_value) one.value = std::string(record.value);
        got.push_back(std::move(one));
      }
    }
    return got.size() >= count;
  });
  return got;
}

std::vector<Made> many_shapes() {
  std::vector<Made> made;
  for (int i = 0; i < 200; ++i) {
    Made one{"k" + std::to_string(i), std::string(static_cast<size_t>(100 + i), 'v'), 1000 + i};
    if (i % 5 == 1) one.key.reset();
    if (i % 5 == 2) one.value.reset();
    if (i % 5 == 3) one.key = one.value = "";
    one.headers = i % 3 == 0;
    made.push_back(std::move(one));
  }
  return made;
}

void check_same(const std::vector<Got>& got, const std::vector<Made>& made) {
  REQUIRE(got.size() == made.size());
  for (size_t i = 0; i < made.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].key == made[i].key);
    CHECK(got[i].value == made[i].value);
    CHECK(got[i].timestamp == made[i].timestamp);
  }
}

void make_topic(Admin& admin, const std::string& name, const char* property, const char* value) {
  const NewTopicHandle topic(rd_kafka_NewTopic_new(name.c_str(), 1, 1, nullptr, 0));
  rd_kafka_NewTopic_set_config(topic.get(), property, value);
  rd_kafka_NewTopic_t* wanted = topic.get();
  const Queue queue(rd_kafka_queue_new(admin.client()));
  rd_kafka_CreateTopics(admin.client(), &wanted, 1, nullptr, queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), 20'000));
  REQUIRE(event != nullptr);
  ContractWaker waker;
  flow::contract_wait(waker, "the topic", [&] {
    const auto found = admin.describe({name});
    REQUIRE(found.has_value());
    return found->front().led;
  });
}

void add_partitions(Admin& admin, const std::string& topic, size_t total) {
  auto* request = rd_kafka_NewPartitions_new(topic.c_str(), total, nullptr, 0);
  const Queue queue(rd_kafka_queue_new(admin.client()));
  rd_kafka_CreatePartitions(admin.client(), &request, 1, nullptr, queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), 20'000));
  rd_kafka_NewPartitions_destroy(request);
  REQUIRE(event != nullptr);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

}  // namespace

TEST_CASE("records of every compression and shape are read as they were written") {
  const char* codec = nullptr;
  SUBCASE("none") { codec = "none"; }
  SUBCASE("gzip") { codec = "gzip"; }
  SUBCASE("lz4") { codec = "lz4"; }
  SUBCASE("snappy") { codec = "snappy"; }
  SUBCASE("zstd") { codec = "zstd"; }
  CAPTURE(codec);
  Cluster cluster;
  Stranger stranger(cluster.settings, cluster.in, {{"compression.codec", codec}});
  const auto made = many_shapes();
  for (const Made& one : made) stranger.send(one);
  stranger.flush();
  check_same(read_all(cluster, cluster.in, made.size()), made);
}

TEST_CASE("a topic may stamp its records itself") {
  Cluster cluster;
  const std::string topic = cluster.name + ".stamped";
  make_topic(*cluster.admin, topic, "message.timestamp.type", "LogAppendTime");
  Stranger stranger(cluster.settings, topic, {});
  stranger.send({"k", "v", 1000});
  stranger.flush();
  const auto got = read_all(cluster, topic, 1);
  CHECK(got.front().timestamp > 1'600'000'000'000);  // the broker's clock, not the sender's
}

// A byte of a batch is changed on the disk of a stopped broker.
TEST_CASE("damaged records stop their partition before them, and the others go on") {
  Cluster cluster;
  const std::string topic = cluster.name + ".two";
  flow::contract_topics(*cluster.log, {{.name = topic, .partitions = 2}});
  {
    Stranger stranger(cluster.settings, topic, {});
    for (const char* value : {"good", "marked for damage", "behind it"}) {
      stranger.send({"k", value, 1000});
      stranger.flush();  // a batch for each
    }
    stranger.send({"k", "elsewhere", 1000}, 1);
    stranger.flush();
  }
  {
    BrokerProcess broker;
    broker.stop();
    const auto segment = broker.data() / (topic + "-0") / "00000000000000000000.log";
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const size_t at = bytes.find("marked for damage");
    REQUIRE(at != std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at));
    file.put('M');
    file.close();
    broker.start();
  }
  ContractWaker waker;
  auto source = cluster.log->open_source({cluster.group, {topic}, "w"}, waker);
  REQUIRE(source.has_value());
  std::vector<std::string> got;
  std::optional<flow::SourceFault> fault;
  flow::contract_wait(waker, "both ends", [&] {
    flow::SourceEvent event = (*source)->poll({});
    if (auto* assigned = std::get_if<flow::Assigned>(&event)) {
      for (const Partition partition : assigned->partitions) (*source)->start(partition, {0});
      (*source)->answer();
    } else if (auto* batch = std::get_if<row::RawBatch>(&event)) {
      for (const row::RawRecord& record : batch->records) got.emplace_back(record.value);
    } else if (auto* told = std::get_if<flow::SourceFault>(&event)) {
      if (!told->retry) fault = std::move(*told);
    }
    return fault && got.size() >= 2;
  });
  for (int i = 0; i < 100; ++i) {  // nothing comes from behind it
    CHECK(!std::holds_alternative<row::RawBatch>((*source)->poll({})));
    waker.wait();
  }
  CHECK(fault->error.code == "L131"_code);
  CHECK(fault->partition == Partition{0, 0});
  std::ranges::sort(got);
  CHECK(got == std::vector<std::string>{"elsewhere", "good"});
  CHECK((*source)->position({0, 0}) == Offset{1});
  CHECK((*source)->position({0, 1}) == Offset{1});
  CHECK((*source)->at_end());
}

TEST_CASE("partitions that are added while a stage runs are read from their start") {
  Settings settings = test_settings(fresh_name());
  settings.properties["topic.metadata.refresh.interval.ms"] = "300";
  Cluster cluster(settings);
  ContractWorker worker(*cluster.log, cluster.group, {cluster.in}, {cluster.out}, "w", true);
  worker.turn_until_assigned(1);
  flow::contract_append(*cluster.log, cluster.in, 0, {"a"});
  worker.turn_until_read(1);
  worker.copy_open();
  const flow::StateChange first[] = {{{0, 0}, "of", "0"}};
  REQUIRE(worker.sink().write_state(first) == flow::WriteAnswer::accepted);
  REQUIRE(worker.commit() == CommitEnd::done);
  add_partitions(*cluster.admin, cluster.in, 3);
  Stranger stranger(cluster.settings, cluster.in, {});
  stranger.send({"k", "b", 1000}, 2);
  stranger.flush();
  worker.turn_until_assigned(3);
  worker.turn_until_read(1);
  CHECK(worker.open.front().value == "b");
  CHECK(worker.open.front().offset == Offset{0});
  worker.copy_open();
  const flow::StateChange second[] = {{{0, 2}, "of", "2"}};
  REQUIRE(worker.sink().write_state(second) == flow::WriteAnswer::accepted);
  REQUIRE(worker.commit() == CommitEnd::done);
  flow::contract_expect(*cluster.log, cluster.out, 0, {"a", "b"});
  worker.close();
  ContractWorker next(*cluster.log, cluster.group, {cluster.in}, {cluster.out}, "w", true);
  next.turn_until_assigned(3);
  CHECK(next.owned.at({0, 0}).state == flow::StateRows{{"of", "0"}});
  CHECK(next.owned.at({0, 1}).state.empty());
  CHECK(next.owned.at({0, 2}).state == flow::StateRows{{"of", "2"}});
}

// As a group's lag is counted: the end of the partition, markers and all, less what is committed.
TEST_CASE("lag is 0 at the end: behind aborted transactions, and where nothing was ever written") {
  Cluster cluster;
  const std::string topic = cluster.name + ".two";
  flow::contract_topics(*cluster.log, {{.name = topic, .partitions = 2}});
  ContractWorker worker(*cluster.log, cluster.group, {topic}, {cluster.out}, "w");
  worker.turn_until_assigned(2);
  {
    Stranger stranger(cluster.settings, topic, {{"transactional.id", cluster.name.c_str()}},
                      Role::transactional_producer);
    REQUIRE(rd_kafka_init_transactions(stranger.client(), 20'000) == nullptr);
    for (const bool kept : {true, false, false}) {
      REQUIRE(rd_kafka_begin_transaction(stranger.client()) == nullptr);
      for (int i = 0; i < 10; ++i) stranger.send({"k", kept ? "kept" : "never", 1000});
      stranger.flush();
      REQUIRE((kept ? rd_kafka_commit_transaction(stranger.client(), 20'000)
                    : rd_kafka_abort_transaction(stranger.client(), 20'000)) == nullptr);
    }
  }
  worker.turn_until_read(10);
  worker.turn_until("the end", [&] { return worker.source().position({0, 0}) == Offset{33}; });
  CHECK(worker.source().at_end());
  CHECK(worker.open.size() == 10);
  flow::Commit commit = worker.epoch();
  const flow::Owned& never = worker.owned.at({0, 1});
  commit.partitions.push_back({{0, 1}, never.term, never.next, never.next, {}});
  REQUIRE(worker.commit(commit) == CommitEnd::done);
  flow::contract_wait(worker.waker, "lag 0", [&] {
    const auto committed = cluster.admin->committed(cluster.group);
    const auto ends = cluster.admin->bounds({{topic, "", 2}}, false);
    REQUIRE((committed.has_value() && ends.has_value()));
    if (committed->size() != 2) return false;
    for (const CommittedOffset& one : *committed) {
      CHECK(one.next == ends->at(0).at(static_cast<size_t>(one.partition)).end);
    }
    return true;
  });
}

}  // namespace penstock::log::kafka
