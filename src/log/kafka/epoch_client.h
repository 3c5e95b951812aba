// epoch_client.h — the producer that an epoch leaves by: made, initialised, used, given up and made
// anew. What the two deliveries have in common; how an epoch ends is theirs.
//
//     exactly once   begin ─► offer, put ─► send_offsets ─► commit ─► done          one transaction
//     at least once  begin ─► offer ─► settle ─► send_offsets ─► put ─► commit ─► done
//
// Thread      one: the helper of the sink. Calls block, each in steps of kStepMillis with a beat
//             between.
// Lifetime    offered bytes stay until commit or abort ended well, or drop().
// Errors      a Trouble says whose turn it is (flow::CommitEnd) beside the cause.
//
//     auto client = make_epoch_client(world, topics, vital);
//     client->ready(patience); client->begin(patience); client->offer(batch); …
#pragma once

#include "flow/log.h"
#include "log/kafka/changelog.h"
#include "log/kafka/membership.h"
#include "log/kafka/outbox.h"
#include "log/kafka/sink_world.h"
#include "log/kafka/transaction_thread.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::log::kafka {

inline constexpr int kStepMillis = 500;

// Why an epoch can not go on.
struct Trouble {
  flow::CommitEnd end = flow::CommitEnd::unknown;
  Error error;
};
using MaybeTrouble = std::optional<Trouble>;

class EpochClient {
 public:
  // `topics`: all that will be written to.
  EpochClient(SinkWorld& world, std::vector<std::string> topics, Vital& vital);
  virtual ~EpochClient() = default;  // each kind drops its client itself
  EpochClient(const EpochClient&) = delete;

  // The name of the next client: its transactional id, where it has one.
  void call_it(std::string id) { id_ = std::move(id); }
  // A client that knows the partitions of every topic, and has fenced its predecessors where it
  // can.
  Result<void> ready(const Patience& patience);
  // Asks for the partitions of every topic again.
  Result<void> look_at_topics();
  int32_t partitions(size_t topic) const { return partitions_[topic]; }

  virtual MaybeTrouble begin(const Patience& patience) = 0;
  bool open() const { return open_; }
  MaybeTrouble offer(const flow::EncodedBatch& batch);
  // Key and value are copied.
  MaybeTrouble put(size_t topic, int32_t partition, ByteView key, std::optional<ByteView> value);
  // At least once: everything offered so far is on the cluster.
  virtual MaybeTrouble settle() { return std::nullopt; }
  virtual MaybeTrouble send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                                    const KafkaMembership& member) = 0;
  virtual MaybeTrouble commit() = 0;
  // One try, so that readers need not wait for an epoch that is given up; abort() goes on from
  // there.
  virtual void try_abort() {}
  // Ends when nothing of the epoch can follow any more, also over an outage (by another client
  // then); false: stopped before.
  virtual bool abort() = 0;
  // Destroys the client; nothing offered is read any more.
  void drop();
  // Another client, as abort() gets one.
  bool renew();
  // What the first topics take (limits.h); for the next client.
  void know_limits(std::vector<uint64_t> record_bytes_max) {
    record_bytes_max_ = std::move(record_bytes_max);
  }

 protected:
  virtual Role role() const = 0;
  virtual Result<void> configure(rd_kafka_conf_t* conf) = 0;
  virtual Result<void> init(const Patience& patience) = 0;
  virtual void dropped() {}
  // Tells the owner what keeps a job that began then, unless that is a matter of moments.
  void tell_wait(std::chrono::steady_clock::time_point began, Error why);
  // Gets another client after drop(); waits for as long as it takes.
  bool ready_at_last();
  // Of a call before commit: nothing was committed, whatever it says.
  Trouble refused(Error error) const;

  SinkWorld& world_;
  std::string id_;
  const std::vector<std::string> topics_;
  Vital& vital_;
  Deliveries deliveries_;
  ClientTroubles troubles_;
  Client client_;
  bool open_ = false;

 private:
  Result<void> make();

  Outbox outbox_;
  std::vector<TopicHandle> handles_;
  std::vector<int32_t> partitions_;
  std::vector<uint64_t> record_bytes_max_;
  bool ready_ = false;
};

// Is it somebody newer who uses the same id?
bool is_fenced(int code);

// As the settings' delivery has it.
std::unique_ptr<EpochClient> make_epoch_client(SinkWorld& world, std::vector<std::string> topics,
                                               Vital& vital);

}  // namespace penstock::log::kafka
