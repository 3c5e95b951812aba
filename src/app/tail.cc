#include "app/tail.h"

#include "app/record_lines.h"
#include "app/tail_avro.h"
#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace penstock::app {
namespace {

constexpr auto kFollowEvery = std::chrono::milliseconds(200);

// Where each partition of a topic is to be read on from.
struct Cursor {
  std::string topic;
  const plan::Topic* planned;
  std::vector<std::pair<int32_t, Offset>> next;
};

class Tail {
 public:
  Tail(const Options& options, const Looked& at, ops::Output& output)
      : options_(options), at_(at), output_(output) {}

  Result<int> run(const std::vector<std::string>& topics) {
    PENSTOCK_TRY(states, at_.log.topics());
    for (const std::string& name : topics) {
      const auto state = std::ranges::find(states, name, &flow::TopicState::name);
      if (state == states.end()) continue;
      Cursor cursor{name, at_.plan.topic(name), {}};
      for (const auto& partition : state->partitions) {
        const int64_t from = std::max(partition.start.value, partition.end.value - options_.limit);
        cursor.next.emplace_back(partition.index, Offset{from});
      }
      cursors_.push_back(std::move(cursor));
    }
    PENSTOCK_TRY_VOID(print_new(options_.limit));
    while (options_.follow && !output_.gone()) {
      std::this_thread::sleep_for(kFollowEvery);
      PENSTOCK_TRY_VOID(print_new(INT64_MAX));
    }
    return 0;
  }

 private:
  Result<void> print_new(int64_t limit) {
    for (Cursor& cursor : cursors_) {
      std::vector<RecordLine> lines;
      for (auto& [partition, next] : cursor.next) {
        PENSTOCK_TRY_VOID(read_lines(at_.log, at_.schemas, cursor.topic, cursor.planned, partition,
                                     {}, next, lines));
      }
      print_lines(cursor.topic, std::move(lines), limit, options_.format, output_);
    }
    return {};
  }

  const Options& options_;
  const Looked& at_;
  ops::Output& output_;
  std::vector<Cursor> cursors_;
};

Result<void> tail_store(const Options& options, const Looked& at, const plan::Store& store,
                        ops::Output& output) {
  flow::Store* opened = at.store_of(store.name);
  if (opened == nullptr)
    return fail("S001"_code, fmt::format("store \"{}\" is not there yet", store.name));
  PENSTOCK_TRY(rows, opened->newest(store.table, static_cast<uint32_t>(options.limit), {}));
  for (const std::string& row : rows) output.out(row + "\n");
  return {};
}

}  // namespace

Result<int> tail(const Options& options, const Looked& at, ops::Output& output) {
  std::vector<std::string> topics;
  std::vector<std::string_view> known;
  for (const plan::Topic& topic : at.plan.topics) known.push_back(topic.name);
  for (const plan::Store& store : at.plan.stores) known.push_back(store.name);
  for (const std::string& name : options.inputs) {
    if (const plan::Topic* topic = at.plan.topic(name); topic != nullptr) {
      if (options.format == Format::avro) return tail_avro(options, at, *topic, output);
      topics.push_back(name);
    } else if (const plan::Store* store = at.plan.store(name); store != nullptr) {
      if (options.format == Format::avro)
        return fail("U001"_code, "a store's rows are no Avro file").cure("name a topic");
      PENSTOCK_TRY_VOID(tail_store(options, at, *store, output));
    } else {
      return fail("U002"_code, fmt::format("the pipeline has no topic or store \"{}\"", name))
          .hint(did_you_mean(name, known));
    }
  }
  if (options.inputs.empty()) {
    for (const plan::Topic& topic : at.plan.topics) topics.push_back(topic.name);
  }
  return Tail(options, at, output).run(topics);
}

}  // namespace penstock::app
