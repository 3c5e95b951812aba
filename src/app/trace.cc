#include "app/trace.h"

#include "app/record_lines.h"
#include "wire/partitioner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::app {
namespace {

class Trace {
 public:
  Trace(const Options& options, const Looked& at, ops::Output& output)
      : options_(options), at_(at), output_(output) {}

  // In the order in which records flow: topics as declared, then stores.
  Result<int> run() {
    PENSTOCK_TRY(states, at_.log.topics());
    for (const std::string& key : options_.inputs) {
      for (const plan::Topic& topic : at_.plan.topics) {
        const auto state = std::ranges::find(states, topic.name, &flow::TopicState::name);
        if (state != states.end()) PENSTOCK_TRY_VOID(trace_topic(topic, *state, key));
      }
      for (const plan::Stage& stage : at_.plan.stages) {
        if (!stage.to_store.empty()) PENSTOCK_TRY_VOID(trace_store(stage, key));
      }
    }
    if (found_ == 0) output_.note("nothing has this key\n");
    return found_ > 0 ? 0 : 1;
  }

 private:
  // Where our partitioner puts the key; a foreign producer may have put it anywhere else.
  Result<void> trace_topic(const plan::Topic& topic, const flow::TopicState& state,
                           const std::string& key) {
    const auto count = static_cast<int32_t>(state.partitions.size());
    const int32_t usual = count > 0 ? wire::partition_of(key, count) : 0;
    std::vector<RecordLine> lines;
    for (const bool at_usual : {true, false}) {
      for (const flow::PartitionState& partition : state.partitions) {
        if ((partition.index == usual) != at_usual) continue;
        Offset next = partition.start;
        PENSTOCK_TRY_VOID(read_lines(
            at_.log, at_.schemas, topic.name, &topic, partition.index,
            [&](const row::RawRecord& record) { return record.has_key && record.key == key; }, next,
            lines));
      }
      if (!lines.empty()) break;
    }
    found_ += lines.size();
    print_lines(topic.name, std::move(lines), options_.limit, options_.format, output_);
    return {};
  }

  // Rows are found by the one field that is the key of what their stage reads.
  Result<void> trace_store(const plan::Stage& stage, const std::string& key) {
    flow::Store* store = at_.store_of(stage.to_store);
    const plan::Topic* input = at_.plan.topic(stage.from.front());
    const plan::Store& planned = *at_.plan.store(stage.to_store);
    if (store == nullptr || input == nullptr || input->key.size() != 1) return {};
    const std::string& field = input->key.front();
    const auto& fields = planned.table.schema->root().fields;
    if (std::ranges::find(fields, field, &avro::Field::name) == fields.end()) return {};
    PENSTOCK_TRY(rows, store->newest(planned.table, static_cast<uint32_t>(options_.limit),
                                     flow::RowFilter{field, key}));
    found_ += rows.size();
    const bool json = options_.format == Format::json || options_.format == Format::yaml;
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      output_.out(json ? fmt::format("{{\"store\":\"{}\",\"row\":{}}}\n", stage.to_store, *row)
                       : fmt::format("{} {}\n", stage.to_store, *row));
    }
    return {};
  }

  const Options& options_;
  const Looked& at_;
  ops::Output& output_;
  size_t found_ = 0;
};

}  // namespace

Result<int> trace(const Options& options, const Looked& at, ops::Output& output) {
  return Trace(options, at, output).run();
}

}  // namespace penstock::app
