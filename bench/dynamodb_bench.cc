// What the DynamoDB store costs its own process per item, against DynamoDB Local in memory, which
// is another process.
//
//     tools/with_dynamodb build/release/bench/dynamodb_bench
//
// immutable     upserts of rows whose key determines them: batches of 25, no condition
// conditional   newest_by: one conditional put for each item
// User and system time of all threads, in microseconds per item; one epoch each to get warm.
#include "aws/surroundings.h"
#include "store/dynamodb/dynamodb_store.h"
#include "store_rows.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace penstock::store {
namespace {

aws::Surroundings surroundings() {
  // Local keeps the tables of each access key apart.
  return {[](const std::string& name) -> std::optional<std::string> {
            if (name == "AWS_ACCESS_KEY_ID") return fmt::format("AKIABENCH{}", getpid());
            if (name == "AWS_SECRET_ACCESS_KEY") return "secret";
            if (name == "AWS_REGION") return "eu-north-1";
            return std::nullopt;
          },
          [](const std::string& path) -> Result<std::string> {
            return fail("W002"_code, path + " cannot be read");
          },
          ""};
}

double cpu_micros() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return micros(used.ru_utime) + micros(used.ru_stime);
}

class Trial {
 public:
  Trial(const char* endpoint, flow::Merge merge, const char* table) : spec_(spec_of(merge)) {
    dynamodb::StoreSettings settings;
    settings.endpoint = endpoint;
    settings.create = true;
    settings.immutable = merge == flow::Merge::upsert;
    auto store = dynamodb::DynamoDbStore::open(settings, clock_, surroundings());
    PENSTOCK_CHECK(store.has_value());
    store_ = *std::move(store);
    spec_.table.table = table;
    PENSTOCK_CHECK(store_->create_missing(spec_.table).has_value());
    auto sink = store_->open_sink(spec_, bell_);
    PENSTOCK_CHECK(sink.has_value());
    sink_ = *std::move(sink);
    sink_->begin_claim({{0, 0}}, nullptr);
    owned_ = wait<flow::Claimed>(*sink_, bell_).owned.at(0);
  }
  void epoch(const flow::StoreRows& rows) {
    PENSTOCK_CHECK(sink_->write(rows) == flow::WriteAnswer::accepted);
    const Offset next{owned_.next.value + static_cast<int64_t>(rows.count)};
    sink_->begin_commit({{{owned_.partition, owned_.term, owned_.next, next, {}}}, nullptr});
    PENSTOCK_CHECK(wait<flow::Ended>(*sink_, bell_).end == flow::CommitEnd::done);
    owned_.next = next;
  }

 private:
  SystemClock clock_;
  std::unique_ptr<dynamodb::DynamoDbStore> store_;
  flow::StoreSpec spec_;
  Bell bell_;
  std::unique_ptr<flow::StoreSink> sink_;
  flow::Owned owned_;
};

// Every epoch has a newer reading of each meter.
void measure(const char* endpoint, const char* name, flow::Merge merge, uint32_t meters,
             int epochs) {
  Trial trial(endpoint, merge, name);
  Readings rows(meters, meters);
  trial.epoch(rows.epoch(0));
  const double before = cpu_micros();
  const auto began = std::chrono::steady_clock::now();
  for (int epoch = 1; epoch <= epochs; ++epoch) trial.epoch(rows.epoch(int64_t{epoch} * meters));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const double items = static_cast<double>(meters) * epochs;
  fmt::print("{:<12} {:7.1f} us of CPU per item  {:8.0f} items/s, the server's speed\n", name,
             (cpu_micros() - before) / items, items / took.count());
}

}  // namespace
}  // namespace penstock::store

int main() {
  const char* endpoint = std::getenv("PENSTOCK_TEST_DYNAMODB");
  PENSTOCK_CHECK(endpoint != nullptr);
  penstock::store::measure(endpoint, "immutable", penstock::flow::Merge::upsert, 5'000, 6);
  penstock::store::measure(endpoint, "conditional", penstock::flow::Merge::newest_by, 2'000, 4);
}
