#include "app/tail_avro.h"

#include "app/container_text.h"
#include "app/record_text.h"
#include "app/terminal.h"
#include "avro/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::app {
namespace {

struct Datum {
  Millis timestamp;
  std::string bytes;
};

class Collected {
 public:
  Collected(const Looked& at, const plan::Topic& topic) : at_(at), topic_(topic) {}

  Result<void> read(int32_t partition, Offset next) {
    while (true) {
      PENSTOCK_TRY(batch, at_.log.read(topic_.name, partition, next, {}, &next));
      if (batch.records.empty()) return {};
      for (const row::RawRecord& record : batch.records) add(record);
    }
  }

  // The newest `limit`, by time.
  std::vector<Datum> take(int64_t limit) {
    std::ranges::stable_sort(datums_, {}, &Datum::timestamp);
    const auto keep = std::min(datums_.size(), static_cast<size_t>(limit));
    datums_.erase(datums_.begin(), datums_.end() - static_cast<std::ptrdiff_t>(keep));
    return std::move(datums_);
  }
  size_t left_out() const { return left_out_; }

 private:
  void add(const row::RawRecord& record) {
    if (record.has_value) open_record(record, &topic_, at_.schemas, opened_);
    Datum made{.timestamp = record.timestamp, .bytes = {}};
    const avro::Resolver* resolver = record.has_value ? resolver_of(opened_.schema) : nullptr;
    if (resolver != nullptr && resolver->run(opened_.datum, made.bytes, nullptr)) {
      datums_.push_back(std::move(made));
    } else {
      ++left_out_;
    }
  }

  const avro::Resolver* resolver_of(const avro::SchemaPtr& writer) {
    if (writer == nullptr) return nullptr;
    const auto known = resolvers_.find(writer);
    if (known != resolvers_.end()) return known->second ? &*known->second : nullptr;
    auto made = avro::Resolver::compile(writer->root(), topic_.schema->root());
    auto& kept = resolvers_[writer];
    if (made) kept = std::move(*made);
    return kept ? &*kept : nullptr;
  }

  const Looked& at_;
  const plan::Topic& topic_;
  Opened opened_;
  std::map<avro::SchemaPtr, std::optional<avro::Resolver>> resolvers_;
  std::vector<Datum> datums_;
  size_t left_out_ = 0;
};

}  // namespace

Result<void> check_tail_avro(const Options& options) {
  const auto wrong = [](std::string message, std::string cure) {
    return fail("U001"_code, std::move(message)).cure(std::move(cure));
  };
  if (options.inputs.size() != 1)
    return wrong("tail -o avro takes one topic", "name the topic: a file has one schema");
  if (options.follow)
    return wrong("tail -o avro does not follow", "leave --follow out: a file has an end");
  if (Terminal::output_is_terminal())
    return wrong("an Avro file is nothing to read on a terminal", "write > FILE.avro, or -o json");
  return {};
}

Result<int> tail_avro(const Options& options, const Looked& at, const plan::Topic& topic,
                      ops::Output& output) {
  if (topic.schema == nullptr)
    return fail("U002"_code, fmt::format("topic \"{}\" has no schema", topic.name));
  Collected collected(at, topic);
  PENSTOCK_TRY(states, at.log.topics());
  const auto state = std::ranges::find(states, topic.name, &flow::TopicState::name);
  if (state != states.end()) {
    for (const auto& partition : state->partitions) {
      const int64_t from = std::max(partition.start.value, partition.end.value - options.limit);
      PENSTOCK_TRY_VOID(collected.read(partition.index, Offset{from}));
    }
  }
  avro::ContainerWriter file = container_for(*topic.schema, options.codec);
  for (const Datum& datum : collected.take(options.limit)) {
    file.add(datum.bytes);
    if (const std::string ready = file.take(); !ready.empty()) output.out(ready);
  }
  output.out(std::move(file).finish());
  if (collected.left_out() > 0) {
    output.note(
        fmt::format("{} records are no values of the topic's schema and were left out; "
                    "tail -o json shows them\n",
                    collected.left_out()));
  }
  return 0;
}

}  // namespace penstock::app
