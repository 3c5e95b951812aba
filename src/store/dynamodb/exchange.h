// exchange.h — many operations on their way at once, each repeated until it is answered for good.
//
// run() hands every reply to `handle`, which may add() further calls, or again() the same one after
// a
// pause (retry.h), and returns when nothing is left. What waits for its pause holds up nobody else.
//
// Thread      one owner; stop() from any.
// Limits      kFlightsMax requests on their way; a reply may lie for kTogetherPatience.
//
//     Exchange exchange(caller, options, quota, random, stopped);
//     exchange.add({"PutItem", body, index});
//     exchange.run([&](Call call, const Reply& reply) { if (!exchange.again(call, reply)) … });
#pragma once

#include "aws/retry.h"
#include "base/random.h"
#include "store/dynamodb/caller.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::store::dynamodb {

inline constexpr size_t kFlightsMax = 48;
// Replies are taken some at a time: to wake up for each costs more than to read it.
inline constexpr size_t kTogether = 8;
inline constexpr std::chrono::milliseconds kTogetherPatience{4};

struct Call {
  std::string_view operation;
  std::string body;
  uint64_t tag = 0;      // the owner's
  uint32_t retries = 0;  // so far, without progress
  int taken = 0;         // of the quota, by the last retry
};

class Exchange {
 public:
  struct Shared {
    aws::RetryOptions options;
    aws::RetryQuota quota;
    Random random{1};
    uint64_t flights = 0;  // their number is never used again
  };
  // Where replies arrive, and whether the owner is to stop; outlives every request.
  class Box {
   public:
    void put(uint64_t flight, http::Outcome outcome);
    void stop();
    bool stopped() const;

   private:
    friend class Exchange;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::pair<uint64_t, http::Outcome>> arrived_;
    size_t wanted_ = 1;  // so many wake the owner
    bool stopped_ = false;
  };
  using Handle = std::function<void(Call, const Reply&)>;

  Exchange(Caller& caller, Shared& shared, std::shared_ptr<Box> box)
      : caller_(caller), shared_(shared), box_(std::move(box)) {}

  void add(Call call);
  // The same call after a pause; false: it was tried enough, or too much failed lately. Then it is
  // its owner's turn to pause and to come back.
  bool again(Call call, const Reply& reply);
  // After a pause, without being counted: there was progress.
  void later(Call call, aws::RetryCause cause);
  // Returns when every call was handled for good, or soon after Box::stop().
  void run(const Handle& handle);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Waiting {
    Time due;
    Call call;
  };
  void start_due();
  Time next_due() const;
  std::vector<std::pair<uint64_t, http::Outcome>> wait();

  Caller& caller_;
  Shared& shared_;
  std::shared_ptr<Box> box_;
  std::vector<Call> ready_;
  std::vector<Waiting> waiting_;
  std::unordered_map<uint64_t, Call> flying_;
};

}  // namespace penstock::store::dynamodb
