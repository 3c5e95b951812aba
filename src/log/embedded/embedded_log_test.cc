#include "log/embedded/embedded_log.h"

#include "flow/log_contract.h"
#include "log/embedded/records.h"
#include "log/embedded/temp_folder.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>

namespace penstock::log {
namespace {

std::unique_ptr<EmbeddedLog> open_or_fail(const EmbeddedOptions& options) {
  auto log = open_embedded_log(options);
  if (!log) FAIL(one_line(log.error()));
  return std::move(*log);
}

class EmbeddedHarness final : public flow::LogHarness {
 public:
  EmbeddedHarness() { open(); }
  flow::Log& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    open();
  }
  void evict(flow::Source& source) override { log_->evict(source); }
  void lose_next_answer(bool written) override { lose_ = written ? 2 : 1; }
  bool retain(Millis now) override {
    log_->retain(now);
    return true;
  }
  bool limit_records(const std::string&, uint64_t) override { return false; }

 private:
  void open() {
    log_ = open_or_fail({.folder = folder_.path(), .sync = false, .failpoint = [this](auto point) {
                           const int at = point == WritePoint::before_write ? 1 : 2;
                           int expected = at;
                           return lose_.compare_exchange_strong(expected, 0);
                         }});
  }
  TempFolder folder_;
  std::atomic<int> lose_{0};
  std::unique_ptr<EmbeddedLog> log_;
};

TEST_CASE("the log contract") {
  for (const auto& contract : flow::log_contract()) {
    INFO(std::string(contract.name));
    EmbeddedHarness harness;
    contract.run(harness);
  }
}

TEST_CASE("a folder has one owner, and the second is told who") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path(), .socket_path = "/run/control.sock"});
  const auto second = open_embedded_log({.folder = folder.path()});
  REQUIRE(!second);
  CHECK(second.error().code == "L002"_code);
  CHECK(second.error().message.find(std::to_string(getpid())) != std::string::npos);
  const auto reader = open_embedded_log({.folder = folder.path(), .read_only = true});
  REQUIRE(!reader);
  CHECK(reader.error().code == "L002"_code);
  const auto owner = folder_owner(folder.path());
  REQUIRE(owner);
  CHECK(owner->pid == getpid());
  CHECK(owner->socket_path == "/run/control.sock");
  log.reset();
  CHECK(!folder_owner(folder.path()));
  open_or_fail({.folder = folder.path()});
}

TEST_CASE("readers coexist, see everything and change nothing; an owner waits for them") {
  TempFolder folder;
  {
    auto log = open_or_fail({.folder = folder.path()});
    flow::contract_topics(*log, {{.name = "t"}});
    flow::contract_append(*log, "t", 0, {"a", "b"});
  }
  auto one = open_or_fail({.folder = folder.path(), .read_only = true});
  const auto two = open_or_fail({.folder = folder.path(), .read_only = true});
  CHECK(flow::contract_read(*one, "t", 0) == std::vector<std::string>{"a", "b"});
  CHECK(flow::contract_read(*two, "t", 0) == std::vector<std::string>{"a", "b"});
  CHECK(!folder_owner(folder.path()));
  CHECK(one->create_missing({{.name = "u"}}).error().code == "L009"_code);
  flow::ContractWaker waker;
  CHECK(one->open_appender({"t"}, waker).error().code == "L009"_code);
  CHECK(one->open_source({"g", {"t"}, "w"}, waker).error().code == "L009"_code);
  const auto owner = open_embedded_log({.folder = folder.path()});
  REQUIRE(!owner);
  CHECK(owner.error().code == "L002"_code);
}

TEST_CASE("no folder, no right: told, not made by a reader") {
  TempFolder folder;
  const std::string missing = folder.path() + "/none";
  CHECK(open_embedded_log({.folder = missing, .read_only = true}).error().code == "L001"_code);
  CHECK(!std::filesystem::exists(missing));
  std::ofstream(folder.path() + "/file") << "no folder";
  CHECK(open_embedded_log({.folder = folder.path() + "/file"}).error().code == "L001"_code);
}

TEST_CASE("a topic that was removed and made again has another lineage and no records") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  flow::contract_topics(*log, {{.name = "t"}});
  flow::contract_append(*log, "t", 0, {"a"});
  const std::string lineage = flow::contract_topic(*log, "t").lineage;
  REQUIRE(log->remove_topic("t"));
  CHECK(log->remove_topic("t").error().code == "L004"_code);
  flow::contract_topics(*log, {{.name = "t"}});
  CHECK(flow::contract_topic(*log, "t").lineage != lineage);
  CHECK(flow::contract_read(*log, "t", 0).empty());
}

TEST_CASE("topics that cannot be") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  CHECK(log->create_missing({{.name = ""}}).error().code == "L006"_code);
  CHECK(log->create_missing({{.name = std::string(250, 'a')}}).error().code == "L006"_code);
  CHECK(log->create_missing({{.name = "a", .partitions = 0}}).error().code == "L006"_code);
  CHECK(log->create_missing({{.name = "a", .partitions = 5000}}).error().code == "L006"_code);
  CHECK(log->topics()->empty());
}

// Flips one byte of the chunk that holds this offset.
void damage_chunk(const std::string& folder, int32_t partition) {
  auto db = Db::open(folder, false);
  REQUIRE(db);
  const std::string key = chunk_key({1, partition, {0}});
  Value value;
  REQUIRE(*(*db)->get(Family::chunks, key, value));
  std::string bytes(value.bytes());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  DbBatch batch;
  batch.put(Family::chunks, key, bytes);
  REQUIRE((*db)->write(batch, true));
}

TEST_CASE("a damaged chunk is told with its place and harms nothing else") {
  TempFolder folder;
  {
    auto log = open_or_fail({.folder = folder.path()});
    flow::contract_topics(*log, {{.name = "t", .partitions = 2}});
    flow::contract_append(*log, "t", 0, {"bad"});
    flow::contract_append(*log, "t", 1, {"good"});
  }
  damage_chunk(folder.path(), 0);
  auto log = open_or_fail({.folder = folder.path()});
  flow::ContractWaker waker;
  auto source = log->open_source({"g", {"t"}, "w"}, waker);
  REQUIRE(source);
  REQUIRE(std::holds_alternative<flow::Assigned>((*source)->poll({})));
  (*source)->start({0, 0}, {0});
  (*source)->start({0, 1}, {0});
  (*source)->answer();
  size_t faults = 0, records = 0;
  for (int i = 0; i < 10; ++i) {
    flow::SourceEvent event = (*source)->poll({});
    if (auto* fault = std::get_if<flow::SourceFault>(&event)) {
      ++faults;
      CHECK(fault->error.code == "L003"_code);
      CHECK(fault->error.message.find("topic \"t\", partition 0, offset 0") == 0);
    }
    if (auto* batch = std::get_if<row::RawBatch>(&event)) {
      records += batch->records.size();
      CHECK(batch->partition == Partition{0, 1});
    }
  }
  CHECK(faults == 1);
  CHECK(records == 1);
  CHECK((*source)->at_end());
  CHECK((*source)->position({0, 0}) == Offset{0});
  flow::contract_append(*log, "t", 1, {"more"});
  CHECK(std::holds_alternative<row::RawBatch>((*source)->poll({})));
}

// Polls until nothing comes; the faults.
std::vector<Error> faults_of(flow::Source& source) {
  std::vector<Error> faults;
  for (int i = 0; i < 10; ++i) {
    flow::SourceEvent event = source.poll({});
    if (auto* fault = std::get_if<flow::SourceFault>(&event)) faults.push_back(fault->error);
  }
  return faults;
}

TEST_CASE("a chunk that is gone is damage, not a shorter log") {
  TempFolder folder;
  {
    auto log = open_or_fail({.folder = folder.path()});
    flow::contract_topics(*log, {{.name = "t", .partitions = 3}});
    for (int32_t p = 0; p < 3; ++p) {
      for (const char* value : {"a", "b", "c"}) flow::contract_append(*log, "t", p, {value});
    }
  }
  {
    auto db = Db::open(folder.path(), false);
    REQUIRE(db);
    DbBatch batch;
    batch.erase(Family::chunks, chunk_key({1, 0, {1}}));  // in the middle
    batch.erase(Family::chunks, chunk_key({1, 1, {2}}));  // at the end
    REQUIRE((*db)->write(batch, true));
  }
  auto log = open_or_fail({.folder = folder.path()});
  flow::ContractWaker waker;
  auto source = log->open_source({"g", {"t"}, "w"}, waker);
  REQUIRE(source);
  REQUIRE(std::holds_alternative<flow::Assigned>((*source)->poll({})));
  for (int32_t p = 0; p < 3; ++p) (*source)->start({0, p}, {0});
  (*source)->answer();
  const auto faults = faults_of(**source);
  REQUIRE(faults.size() == 2);
  for (const Error& fault : faults) CHECK(fault.code == "L011"_code);
  CHECK((*source)->position({0, 0}) == Offset{1});
  CHECK((*source)->position({0, 1}) == Offset{2});
  CHECK((*source)->position({0, 2}) == Offset{3});
}

TEST_CASE("a stage that stands behind the end is told, and passes nothing that comes later") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  flow::contract_topics(*log, {{.name = "t"}});
  flow::contract_append(*log, "t", 0, {"a", "b"});
  flow::ContractWaker waker;
  auto source = log->open_source({"g", {"t"}, "w"}, waker);
  REQUIRE(source);
  REQUIRE(std::holds_alternative<flow::Assigned>((*source)->poll({})));
  (*source)->start({0, 0}, {5});  // as a store says that is newer than the folder
  (*source)->answer();
  flow::contract_append(*log, "t", 0, {"c"});
  const auto faults = faults_of(**source);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].code == "L011"_code);
  CHECK(faults[0].message == "topic \"t\", partition 0, offset 5: behind the partition's end, 3");
  CHECK((*source)->position({0, 0}) == Offset{5});
}

TEST_CASE("poll keeps its limits, and goes on inside a chunk and over chunks") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  flow::contract_topics(*log, {{.name = "t"}});
  flow::contract_append(*log, "t", 0, flow::contract_values("a", 10));
  flow::contract_append(*log, "t", 0, flow::contract_values("b", 10));
  Offset next;
  auto batch = log->read("t", 0, {7}, {.max_records = 6}, &next);
  REQUIRE(batch);
  REQUIRE(batch->records.size() == 6);
  CHECK(batch->records[0].value == "a7");
  CHECK(batch->records[3].value == "b0");
  CHECK(next == Offset{13});
  batch = log->read("t", 0, {0}, {.max_records = 100, .max_bytes = 1}, &next);
  REQUIRE(batch);
  CHECK(batch->records.size() == 1);
  CHECK(batch->records[0].timestamp == Millis{1});
  CHECK(log->read("t", 1, {0}, {}, &next).error().code == "L004"_code);
  CHECK(log->read("u", 0, {0}, {}, &next).error().code == "L004"_code);
}

TEST_CASE("members of one group read the same topics") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  flow::contract_topics(*log, {{.name = "a"}, {.name = "b"}});
  flow::ContractWaker waker;
  const auto one = log->open_source({"g", {"a"}, "1"}, waker);
  REQUIRE(one);
  CHECK(log->open_source({"g", {"b"}, "2"}, waker).error().code == "L007"_code);
}

TEST_CASE("retention tells which group keeps old records") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  flow::contract_topics(*log, {{.name = "t", .keep_millis = 10}});
  flow::contract_append(*log, "t", 0, {"a"}, {1});
  log->declare_groups({{"slow", {"t"}, ""}});
  log->retain({1000});
  const auto warnings = log->warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].topic == "t");
  CHECK(warnings[0].group == "slow");
  log->declare_groups({});
  log->retain({1000});
  CHECK(log->warnings().empty());
  CHECK(flow::contract_read(*log, "t", 0).empty());
  flow::contract_append(*log, "t", 0, {"b"}, {1000});
  CHECK(flow::contract_read(*log, "t", 0) == std::vector<std::string>{"b"});
  CHECK(flow::contract_topic(*log, "t").partitions[0].start == Offset{1});
}

TEST_CASE("a sink that is destroyed while its commit is under way leaves no trace of its memory") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  flow::contract_topics(*log, {{.name = "t"}});
  for (int i = 0; i < 50; ++i) {
    flow::ContractWaker waker;
    wire::RecordsBuilder records;
    records.append({.value = "value", .timestamp = 1});
    auto appender = log->open_appender({"t"}, waker);
    REQUIRE(appender);
    (*appender)->begin_append({{0, 0, 1, Millis{1}, Millis{1}, records.bytes()}});
    appender->reset();
  }
  for (const std::string& value : flow::contract_read(*log, "t", 0)) CHECK(value == "value");
}

// Stays inside wake() until somebody has taken the answer, or long enough to see that nobody can.
class SlowWaker final : public flow::Waker {
 public:
  void wake() noexcept override {
    std::unique_lock lock(mutex_);
    inside_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::milliseconds(100), [&] { return taken_; });
    inside_ = false;
    ++wakes_;
  }
  bool wait_inside() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return inside_ || wakes_ > 0; });
  }
  // True when wake() still runs.
  bool taken() {
    const std::lock_guard lock(mutex_);
    taken_ = true;
    changed_.notify_all();
    return inside_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false, taken_ = false;
  int wakes_ = 0;
};

TEST_CASE("who has taken an answer may end its waker: nobody is inside it any more") {
  TempFolder folder;
  auto log = open_or_fail({.folder = folder.path()});
  flow::contract_topics(*log, {{.name = "t"}});
  SlowWaker waker;
  wire::RecordsBuilder records;
  records.append({.value = "value", .timestamp = 1});
  auto appender = log->open_appender({"t"}, waker);
  REQUIRE(appender);
  (*appender)->begin_append({{0, 0, 1, Millis{1}, Millis{1}, records.bytes()}});
  REQUIRE(waker.wait_inside());
  const flow::SinkEvent event = (*appender)->poll();
  CHECK(std::holds_alternative<flow::Ended>(event));
  CHECK(!waker.taken());
}

}  // namespace
}  // namespace penstock::log
