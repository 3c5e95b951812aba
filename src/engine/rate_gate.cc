#include "engine/rate_gate.h"

#include <algorithm>

namespace penstock::engine {
namespace {

constexpr int64_t kRecord = 1000;  // thousandths: a record a second is one per millisecond

}  // namespace

// At least a whole record, at most what may gather.
int64_t RateGate::step() const { return std::max(kRecord, per_second_ * kStepMillis); }

void RateGate::tick(Millis now) {
  if (per_second_ == 0) return;
  const int64_t passed = now_ ? std::clamp<int64_t>(now.value - now_->value, 0, 86'400'000) : 0;
  now_ = now;
  budget_ = std::min(budget_ + passed * per_second_, kRecord + per_second_ * kBurstMillis);
}

uint32_t RateGate::allowed() const {
  if (per_second_ == 0) return UINT32_MAX;
  return budget_ < step() ? 0
                          : static_cast<uint32_t>(std::min<int64_t>(budget_ / kRecord, UINT32_MAX));
}

void RateGate::took(uint64_t records) {
  if (per_second_ > 0) budget_ -= static_cast<int64_t>(records) * kRecord;
}

Millis RateGate::opens_at() const {
  if (allowed() > 0 || !now_) return kNever;
  return *now_ + (step() - budget_ + per_second_ - 1) / per_second_;
}

}  // namespace penstock::engine
