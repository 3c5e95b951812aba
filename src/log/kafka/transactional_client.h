// transactional_client.h — one transactional producer: made, initialised, used, given up and made
// anew.
//
// Draws the line between what a transaction can still end as:
//
//     begin ──► offer, put ──► send_offsets ──► commit ──► done
//                   └────────────┴── abort      └── unknown: EndTxn may have been carried out
//
// Thread      one: the helper of the sink. Calls block, each in steps of kStepMillis with a beat
//             between.
// Lifetime    offered bytes stay until commit or abort ended well, or drop().
// Errors      a Trouble says whose turn it is (flow::CommitEnd) beside the cause.
//
//     client.ready(patience); client.begin(patience); client.offer(batch); client.send_offsets(…);
//     client.commit();
#pragma once

#include "flow/log.h"
#include "log/kafka/changelog.h"
#include "log/kafka/outbox.h"
#include "log/kafka/retirement.h"
#include "log/kafka/sink_world.h"
#include "log/kafka/transaction_thread.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::log::kafka {

inline constexpr int kStepMillis = 500;

// Why a transaction can not go on.
struct Trouble {
  flow::CommitEnd end = flow::CommitEnd::unknown;
  Error error;
};
using MaybeTrouble = std::optional<Trouble>;

class TransactionalClient {
 public:
  // `topics`: all that will be written to.
  TransactionalClient(SinkWorld& world, std::vector<std::string> topics, Vital& vital);
  ~TransactionalClient() { drop(); }

  // The transactional id of the next client.
  void call_it(std::string id) { id_ = std::move(id); }
  // A client whose predecessors are fenced and which knows the partitions of every topic.
  Result<void> ready(const Patience& patience);
  // Asks for the partitions of every topic again.
  Result<void> look_at_topics();
  int32_t partitions(size_t topic) const { return partitions_[topic]; }

  // Gives the client up first where retirement.h demands it.
  MaybeTrouble begin(const Patience& patience);
  bool open() const { return open_; }
  MaybeTrouble offer(const flow::EncodedBatch& batch);
  // Key and value are copied.
  MaybeTrouble put(size_t topic, int32_t partition, ByteView key, std::optional<ByteView> value);
  MaybeTrouble send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                            const rd_kafka_consumer_group_metadata_t& member);
  MaybeTrouble commit();
  // One try, so that readers need not wait for an epoch that is given up; abort() goes on from
  // there.
  void try_abort();
  // Ends when it is aborted, also over an outage (by another client then); false: stopped before.
  bool abort();
  // Destroys the client; nothing offered is read any more.
  void drop();

 private:
  Result<void> make();
  bool step_to_abort(bool& again);
  void meet_broker();
  Result<void> init(const Patience& patience);
  Trouble trouble(const rd_kafka_error_t& error, std::string_view what) const;
  Trouble refused(Error error) const;

  SinkWorld& world_;
  std::string id_;
  std::vector<std::string> topics_;
  Vital& vital_;
  TransactionTraffic traffic_;
  Deliveries deliveries_;
  Outbox outbox_;
  ClientTroubles troubles_;
  Client client_;
  std::vector<TopicHandle> handles_;
  std::vector<int32_t> partitions_;
  bool initialised_ = false;
  bool open_ = false;
  bool retire_ = false;
};

}  // namespace penstock::log::kafka
