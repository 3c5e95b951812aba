// repeater.h — a request that is sent until it is answered for good, by an owner who may be told to
// stop.
//
// Thread      one owner; stop() from any.
// Lifetime    the client outlives it.
// Limits      tries and pauses by retry.h.
//
//     Repeater repeater(client, {});
//     const auto judge = [&](http::Outcome outcome, bool repeated) { return Verdict::settled; };
//     const bool ended = repeater.perform([&] { return signed_request(); }, judge);
#pragma once

#include "aws/retry.h"
#include "http/client.h"

#include <functional>
#include <memory>

namespace penstock::aws {

enum class Verdict : uint8_t { settled, again, again_later };  // later: it is throttling

class Repeater {
 public:
  Repeater(http::Client& client, RetryOptions options);
  ~Repeater();
  Repeater(const Repeater&) = delete;

  // `make` before each try. `read` is told each outcome, and whether an earlier try may have been
  // carried out. The last outcome that it was told is the end. False: stopped before the end.
  bool perform(const std::function<http::Request()>& make,
               const std::function<Verdict(http::Outcome, bool repeated)>& read);
  // False: stopped meanwhile.
  bool pause(int64_t millis);
  // What waits, and all that comes later, ends soon.
  void stop() noexcept;

 private:
  class Waiter;
  http::Client& client_;
  const RetryOptions options_;
  RetryQuota quota_;
  Random random_;
  std::shared_ptr<Waiter> waiter_;
};

}  // namespace penstock::aws
