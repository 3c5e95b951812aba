#include "meter/paced_source.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace penstock::meter {
namespace {

constexpr Partition kOnly{0, 0};
constexpr int64_t kCatchUpMillis = 1'000;

}  // namespace

PacedSource::PacedSource(std::string name, std::unique_ptr<RecordMaker> maker,
                         avro::SchemaPtr schema, avro::Framing framing, Pace pace,
                         const Clock& clock)
    : name_(std::move(name)),
      maker_(std::move(maker)),
      schema_(std::move(schema)),
      framing_(framing),
      pace_(pace),
      clock_(&clock) {
  PENSTOCK_CHECK(pace_.every_millis >= 0 && pace_.records > 0);
}

void PacedSource::start(Partition partition, Offset next) {
  PENSTOCK_CHECK(partition == kOnly);
  started_ = true;
  next_ = paced_from_ = next.value;
  paced_since_ = clock_->now();
}

// How many records may be handed out now.
int64_t PacedSource::due(Millis now) {
  if (pace_.every_millis == 0) return INT64_MAX;
  const double per_milli =
      static_cast<double>(pace_.records) / static_cast<double>(pace_.every_millis);
  const int64_t millis = std::max<int64_t>(0, now.value - paced_since_.value);
  const int64_t count =
      paced_from_ + static_cast<int64_t>(static_cast<double>(millis) * per_milli) - next_;
  const int64_t most =
      std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(kCatchUpMillis) * per_milli));
  if (count <= most) return count;
  paced_from_ = next_ + most;  // what was missed longer ago is not made up for
  paced_since_ = now;
  return most;
}

flow::SourceEvent PacedSource::poll(const flow::PollLimits& limits) {
  if (closed_) return flow::Idle{};
  if (!std::exchange(announced_, true)) return flow::Assigned{{kOnly}, nullptr};
  if (!answered_ || !started_ || paused_) return flow::Idle{};
  const Millis now = clock_->now();
  const int64_t count = std::min<int64_t>(due(now), limits.max_records);
  if (count <= 0) return flow::Idle{};
  auto bytes = std::make_shared<std::string>();
  std::vector<size_t> ends;
  for (int64_t i = 0; i < count && bytes->size() < limits.max_bytes; ++i) {
    if (framing_ == avro::Framing::single_object)
      avro::append_single_object_header(schema_->fingerprint(), *bytes);
    maker_->append(next_ + i, *bytes);
    ends.push_back(bytes->size());
  }
  row::RawBatch batch;
  batch.partition = kOnly;
  batch.records.resize(ends.size());
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    row::RawRecord& record = batch.records[i];
    record.value = std::string_view(*bytes).substr(begin, ends[i] - begin);
    record.offset = {next_++};
    record.timestamp = now;
    record.has_value = true;
  }
  batch.memory = std::move(bytes);
  return batch;
}

}  // namespace penstock::meter
