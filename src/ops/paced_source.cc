#include "ops/paced_source.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace penstock::ops {
namespace {

class PacedSource final : public flow::Source {
 public:
  PacedSource(std::unique_ptr<flow::Source> source, double rate, const Clock& clock)
      : source_(std::move(source)), rate_(rate), clock_(clock), since_(clock.now()) {}

  flow::SourceEvent poll(const flow::PollLimits& limits) override {
    refill();
    if (allowance_ < 1.0 && !source_->at_end()) return flow::Idle{};
    flow::PollLimits less = limits;
    less.max_records =
        static_cast<uint32_t>(std::clamp(allowance_, 1.0, static_cast<double>(limits.max_records)));
    flow::SourceEvent event = source_->poll(less);
    if (const auto* batch = std::get_if<row::RawBatch>(&event)) {
      allowance_ -= static_cast<double>(batch->records.size());
    }
    return event;
  }

  void start(Partition partition, Offset next) override { source_->start(partition, next); }
  void answer() override { source_->answer(); }
  Offset position(Partition partition) const override { return source_->position(partition); }
  void pause(bool paused) override { source_->pause(paused); }
  bool at_end() const override { return source_->at_end(); }
  flow::Membership membership() const override { return source_->membership(); }
  void commit_group(const flow::Commit& commit) override { source_->commit_group(commit); }
  void close() override { source_->close(); }

 private:
  void refill() {
    const Millis now = clock_.now();
    const auto passed = static_cast<double>(std::max<int64_t>(0, now.value - since_.value));
    since_ = now;
    allowance_ = std::min(allowance_ + passed * rate_ / 1000.0, std::max(1.0, rate_ / 10.0));
  }

  std::unique_ptr<flow::Source> source_;
  double rate_;
  const Clock& clock_;
  Millis since_;
  double allowance_ = 1.0;  // records that may go now
};

}  // namespace

std::unique_ptr<flow::Source> pace(std::unique_ptr<flow::Source> source, double records_per_second,
                                   const Clock& clock) {
  return std::make_unique<PacedSource>(std::move(source), records_per_second, clock);
}

}  // namespace penstock::ops
