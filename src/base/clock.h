// clock.h — time as a parameter. Nothing below ops/ reads the machine's clock by itself.
//
// Thread      now() from any thread.
#pragma once

#include "base/units.h"

namespace penstock {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time. Monotonic enough for deadlines: implementations never step back by more than NTP
  // does.
  virtual Millis now() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  Millis now() const override;
};

}  // namespace penstock
