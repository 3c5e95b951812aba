// waker.h — "poll me again": how sources and sinks tell an engine that waits that something has
// changed.
//
// Thread      wake() from any thread, at any time, cheap and idempotent.
// Lifetime    outlives every source and sink that was given it.
#pragma once

namespace penstock::flow {

class Waker {
 public:
  virtual ~Waker() = default;
  virtual void wake() noexcept = 0;
};

}  // namespace penstock::flow
