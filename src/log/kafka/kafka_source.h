// kafka_source.h — a member of a consumer group, on a librdkafka consumer of its own.
//
// Each partition is read from its own queue, round robin, in batches; the consumer's own queue
// carries only events (a batch read from it would swallow rebalances). Cooperative-sticky,
// read_committed.
// A pause only stops taking: what the client reads ahead is bounded by its queue.
//
//   joining ──► Assigned ──claim, start(), answer()──► reading ──► Revoked ──answer()──┐
//      ▲            ▲                                     │                              │
//      │            └───────────────── the next rebalance ┴──────────────────────────────┘
//      └──answer()── Lost ◄── evicted
//
// Thread      the worker that owns it.
// Lifetime    within its KafkaLog's. Destroyed or closed, it has left the group (waits for that at
//             most kLeaveMillis).
// Limits      read ahead: 64 MiB over all partitions of the topics, at least 1 MiB each.
// Errors      as SourceFault: L130 the log does not have the position (any more), L120 the topic is
//             another one, L131 damaged records (these stop one partition); outages and rights:
//             L1xx, retry.
//
//     PENSTOCK_TRY(source, KafkaSource::open(admin, {"p.stage", {"in"}, "worker-0"}, waker));
#pragma once

#include "flow/log.h"
#include "log/kafka/admin.h"
#include "log/kafka/feed.h"
#include "log/kafka/handles.h"
#include "log/kafka/lineage_watch.h"
#include "log/kafka/membership.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log::kafka {

inline constexpr int kLeaveMillis = 2'000;

class KafkaSource final : public flow::Source {
 public:
  static Result<std::unique_ptr<KafkaSource>> open(Admin& admin, const flow::SourceSpec& spec,
                                                   flow::Waker& waker);
  ~KafkaSource() override;

  flow::SourceEvent poll(const flow::PollLimits& limits) override;
  void start(Partition partition, Offset next) override;
  void answer() override;
  Offset position(Partition partition) const override;
  void pause(bool paused) override { paused_ = paused; }
  void hold(Partition partition, bool held) override;
  bool at_end() const override;
  flow::Membership membership() const override { return membership_; }
  void commit_group(const flow::Commit& commit) override;
  void close() override;

  const std::string& group() const { return spec_.group; }

 private:
  // What is known of a partition that was told in Assigned.
  struct Reading {
    std::unique_ptr<Feed> feed;  // since start()
    std::optional<Offset> seek;  // wanted, but the client does not read it yet
    bool given = false;          // to the client by incremental_assign
    bool broken = false;         // the client has stopped reading it
    bool told = false;           // its fault
    bool held = false;           // what the client reads of it ahead waits
  };
  enum class Pending : uint8_t { nothing, assigned, revoked, lost };

  KafkaSource(Admin& admin, flow::SourceSpec spec, std::vector<TopicInfo> topics,
              flow::Waker& waker)
      : admin_(admin), spec_(std::move(spec)), topics_(std::move(topics)), waker_(waker) {}
  Result<void> connect();

  std::optional<flow::SourceEvent> next_event();
  std::optional<flow::SourceEvent> serve_rebalance(rd_kafka_event_t* event, bool lost);
  std::optional<flow::SourceEvent> serve_assigned(flow::PartitionSet partitions);
  std::optional<flow::SourceEvent> serve_revoked(flow::PartitionSet partitions, bool lost);
  std::optional<flow::SourceEvent> serve_error(rd_kafka_event_t* event);
  std::optional<flow::SourceEvent> take(Partition partition, Reading& reading,
                                        const flow::PollLimits& limits);
  std::optional<flow::SourceEvent> tell_fault(Partition partition, Reading& reading);

  flow::Membership current_membership() const;
  flow::PartitionSet partitions_of(const rd_kafka_topic_partition_list_t* list) const;
  void give(const flow::PartitionSet& partitions);
  void take_back(const flow::PartitionSet& partitions);
  void seek(Partition partition, Offset next);
  const std::string& topic_of(Partition partition) const { return spec_.topics[partition.topic]; }

  Admin& admin_;
  flow::SourceSpec spec_;
  std::vector<TopicInfo> topics_;
  flow::Waker& waker_;
  SharedClient client_;
  Queue events_;
  std::optional<LineageWatch> lineages_;
  ClientTroubles troubles_;
  std::map<Partition, Reading> reading_;
  Partition last_;  // read last; the next one has its turn
  Pending pending_ = Pending::nothing;
  std::deque<std::pair<Event, bool>> waiting_;  // rebalances that came before the answer; lost?
  flow::PartitionSet leaving_;
  flow::Membership membership_;
  std::chrono::steady_clock::time_point outage_told_{};
  bool paused_ = false;
};

}  // namespace penstock::log::kafka
