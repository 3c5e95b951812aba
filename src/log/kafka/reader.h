// reader.h — records of a partition without a group, for people: tail, dead letters, verify.
//
// Thread      any; one call at a time, the others wait.
// Lifetime    within its KafkaLog's; batches outlive it.
// Limits      a call ends within kReadMillis; a read that goes on where the last one ended costs
//             no seek.
// Errors      L004 no such partition; L1xx what kafka_error() makes of the cluster's answer.
//
//     PENSTOCK_TRY(batch, reader.read("usage", 0, Offset{0}, {}, &next));
#pragma once

#include "log/kafka/admin.h"
#include "log/kafka/feed.h"
#include "log/kafka/handles.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::log::kafka {

inline constexpr int kReadMillis = 10'000;

class Reader {
 public:
  explicit Reader(Admin& admin) : admin_(admin) {}
  ~Reader();

  // As flow::Log::read().
  Result<row::RawBatch> read(std::string_view topic, int32_t partition, Offset from,
                             const flow::PollLimits& limits, Offset* next);

 private:
  // The partition that is being read.
  struct Open {
    TopicHandle topic;
    TopicInfo of;
    int32_t partition;
    std::unique_ptr<Feed> feed;
  };
  Result<void> connect();
  Result<void> seek(const TopicInfo& topic, int32_t partition, Offset from);
  Result<row::RawBatch> take_until(Offset end, const flow::PollLimits& limits, Offset* next);
  void stop();

  Admin& admin_;
  std::mutex mutex_;
  ClientTroubles troubles_;
  SharedClient client_;
  std::optional<Open> open_;
  std::unique_ptr<flow::Waker> waker_;
};

}  // namespace penstock::log::kafka
