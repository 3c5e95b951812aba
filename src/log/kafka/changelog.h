// changelog.h — reads a compacted topic's partition from its start to its end as it is now.
//
// Records of transactions that were aborted are never seen; those of one that is still open are
// waited for, since behind it committed ones may lie.
//
// Thread      one; blocks at most until `deadline`.
// Limits      as what the callback keeps: every record goes by once, superseded ones too.
// Errors      L122 the end was not reached in time (an open transaction in front of it, an outage).
//
//     PENSTOCK_TRY_VOID(replay(admin, "p.positions", 0, {deadline, stop}, [&](const ChangelogRow&
//     row) {…}));
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "log/kafka/admin.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace penstock::log::kafka {

struct ChangelogRow {
  ByteView key;
  std::optional<ByteView> value;  // nothing: gone
};
using ChangelogTaker = std::function<void(const ChangelogRow&)>;

struct Patience {
  std::chrono::steady_clock::time_point deadline;
  const std::atomic<bool>* stop = nullptr;
  bool over() const {
    return (stop != nullptr && *stop) || std::chrono::steady_clock::now() >= deadline;
  }
};

// The offset behind the last record, of open transactions too.
Result<Offset> end_of(Admin& admin, const std::string& topic, int32_t partition);

// A reader of one partition that stays.
class Changelog {
 public:
  Changelog(Changelog&&) = default;
  ~Changelog();
  static Result<Changelog> open(const Settings& settings, const std::string& topic,
                                int32_t partition);
  // Gives what is there, waits at most `millis` for the first; position() moves past markers.
  Result<void> poll(int millis, const ChangelogTaker& take);
  // Everything before it has gone by.
  Offset position() const { return position_; }

 private:
  Changelog(Client client, const std::string& topic, int32_t partition);
  Result<void> serve(const rd_kafka_message_t& message, const ChangelogTaker& take);
  Client client_;
  TopicHandle topic_;
  Queue queue_;
  List list_;               // the partition, to ask for its position
  int32_t partition_ = -1;  // when it was started
  Offset position_;
};

Result<void> replay(Admin& admin, const std::string& topic, int32_t partition,
                    const Patience& patience, const ChangelogTaker& take);

}  // namespace penstock::log::kafka
