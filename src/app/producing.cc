#include "app/producing.h"

#include "meter/meter_source.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::app {
namespace {

constexpr int64_t kTurnMillis = 5;

Result<std::unique_ptr<ops::WorkerThread>> start_one(Instance& instance,
                                                     const plan::Producer& producer,
                                                     const Clock& clock) {
  const plan::Plan& plan = *instance.plan();
  const plan::Topic& topic = *plan.topic(producer.to);
  const ops::Parts parts = instance.parts();
  const std::string table_name = producer.config->text("meters");
  flow::Table* table = table_name.empty() ? nullptr : parts.table(table_name);
  const auto version = table == nullptr ? nullptr : table->current();
  PENSTOCK_TRY(opened,
               meter::open_producer(producer.part, producer.name, *producer.config, version.get(),
                                    topic.schema, ops::feed_framing(topic), clock));
  std::unique_ptr<flow::Source> source = std::move(opened);
  const std::string name = fmt::format("meter:{}", producer.name);
  const auto make = [&](flow::Waker& waker) {
    const std::string group = fmt::format("{}.produce.{}", plan.pipeline, producer.name);
    return ops::make_feed_worker(parts, {group, name, producer.to, std::move(source)}, waker);
  };
  return ops::WorkerThread::start(name, clock, make, kTurnMillis);
}

}  // namespace

Result<std::unique_ptr<Producing>> Producing::start(Instance& instance, const Clock& clock) {
  auto producing = std::unique_ptr<Producing>(new Producing(clock));
  for (const plan::Producer& producer : instance.plan()->producers) {
    PENSTOCK_TRY(thread, start_one(instance, producer, clock));
    producing->threads_.push_back(std::move(thread));
  }
  return producing;
}

bool Producing::drain(const ops::DrainHow& how) { return ops::drain(threads_, clock_, how); }

uint64_t Producing::committed_records() const {
  uint64_t sum = 0;
  for (const auto& thread : threads_) sum += thread->snapshot().counters.committed_records;
  return sum;
}

std::vector<ops::WorkerSnapshot> Producing::workers() const {
  std::vector<ops::WorkerSnapshot> all;
  for (const auto& thread : threads_) all.push_back(thread->snapshot());
  return all;
}

std::optional<Error> Producing::failure() const {
  for (const auto& thread : threads_) {
    const ops::WorkerSnapshot now = thread->snapshot();
    if (now.state == engine::WorkerState::failed) return now.error;
  }
  return std::nullopt;
}

}  // namespace penstock::app
