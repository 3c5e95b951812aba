// store_rows.h — what the store benchmarks write: every meter's reading of some quarter hours, six
// columns, as a sink gets them.
#pragma once

#include "avro/schema.h"
#include "base/check.h"
#include "flow/store.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::store {

inline constexpr int64_t kQuarterHourMillis = 900'000;
inline constexpr int64_t kStartMillis = 1'767'225'600'000;

class Bell final : public flow::Waker {
 public:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

// One epoch's rows: every meter's reading of some quarter hours.
class Readings {
 public:
  Readings(uint32_t meters, uint32_t count)
      : meters_(meters), at_(count), kwh_(count), ids_(count) {
    for (uint32_t i = 0; i < meters; ++i) names_.push_back("meter-" + std::to_string(100'000 + i));
    meter_.resize(count);
    status_.assign(count, "Done");
    tariff_.assign(count, "H0");
    rows_.count = count;
    rows_.columns.resize(6);
    for (row::Column& column : rows_.columns) column.kind = row::Kind::string;
    rows_.columns[0].views = meter_.data();
    rows_.columns[1] = {.kind = row::Kind::int64, .int64s = at_.data()};
    rows_.columns[2] = {.kind = row::Kind::float64, .float64s = kwh_.data()};
    rows_.columns[3] = rows_.columns[2];
    rows_.columns[4].views = status_.data();
    rows_.columns[5].views = tariff_.data();
    rows_.ids = ids_;
  }
  const flow::StoreRows& epoch(int64_t first) {
    for (uint32_t i = 0; i < rows_.count; ++i) {
      const int64_t offset = first + i;
      meter_[i] = names_[static_cast<size_t>(offset % meters_)];
      at_[i] = kStartMillis + offset / meters_ * kQuarterHourMillis;
      kwh_[i] = static_cast<double>(offset % 977) * 0.01;
      ids_[i] = {{0, 0}, {offset}};
    }
    return rows_;
  }

 private:
  int64_t meters_;
  std::vector<std::string> names_;
  std::vector<ByteView> meter_, status_, tariff_;
  std::vector<int64_t> at_;
  std::vector<double> kwh_;
  std::vector<flow::RowId> ids_;
  flow::StoreRows rows_;
};

inline flow::StoreSpec spec_of(flow::Merge merge) {
  auto schema =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"meter_id","type":"string"},)"
                  R"({"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},)"
                  R"({"name":"kwh","type":"double"},{"name":"kvarh","type":"double"},)"
                  R"({"name":"status","type":"string"},{"name":"tariff","type":"string"}]})");
  PENSTOCK_CHECK(schema.has_value());
  flow::StoreSpec spec{"p", "s", "store", {}, {"in"}, {"lineage"}};
  spec.table = {"readings", merge, {}, "", *schema};
  if (merge == flow::Merge::upsert) spec.table.key = {"meter_id", "at"};
  if (merge == flow::Merge::newest_by) {
    spec.table.key = {"meter_id"};
    spec.table.newest_by = "at";
  }
  return spec;
}

template <class Event>
Event wait(flow::StoreSink& sink, Bell& bell) {
  while (true) {
    flow::SinkEvent event = sink.poll();
    if (auto* found = std::get_if<Event>(&event)) return std::move(*found);
    PENSTOCK_CHECK(std::holds_alternative<flow::Waiting>(event));
    bell.wait();
  }
}

}  // namespace penstock::store
