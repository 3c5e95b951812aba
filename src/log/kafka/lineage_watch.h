// lineage_watch.h — does a topic still have the id that it had when it was opened?
//
// librdkafka goes on reading a topic that was deleted and made again, as if nothing had happened,
// when the new one has the offset. So its id is asked for now and then, beside the reading.
//
// Thread      the source's.
// Lifetime    the client, the admin's, outlives it.
// Limits      one request every kAskEvery for all topics of a source; found out that late, or at
//             claim.
// Errors      L120.
//
//     if (auto error = watch.check()) return SourceFault{*error, false};
#pragma once

#include "log/kafka/admin.h"
#include "log/kafka/handles.h"

#include <chrono>
#include <optional>
#include <vector>

namespace penstock::log::kafka {

class LineageWatch {
 public:
  static constexpr std::chrono::seconds kAskEvery{10};

  LineageWatch(rd_kafka_t* client, const std::vector<TopicInfo>& topics);
  // Never waits. What the last answer says; asks again when it is time.
  std::optional<Error> check(std::chrono::steady_clock::time_point now);

 private:
  void ask();
  std::optional<Error> judge(rd_kafka_event_t* event) const;

  rd_kafka_t* client_;
  const std::vector<TopicInfo>& topics_;
  Queue answers_;
  std::chrono::steady_clock::time_point asked_;
  bool waiting_ = false;
};

}  // namespace penstock::log::kafka
