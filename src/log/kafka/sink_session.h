// sink_session.h — the blocking side of a KafkaSink: what a claim, a commit and an abort do, step
// by step.
//
// Exactly once, an epoch is one transaction. At least once, its records are acknowledged first,
// then the group takes the positions, and the own copy and the state follow: a crash in between
// leaves repeats, never a gap, and the state's own position says where to begin again.
//
// Thread      one at a time: claim(), commit(), abort() and prepare() on the helper thread; the
//             rest by the sink's owner while no job runs.
// Lifetime    shared by sink and helper; the client, and with it every use of an epoch's bytes,
//             ends with the session or end().
// Errors      as flow::Sink has them: ClaimFailed, Ended.
//
//     auto session = std::make_shared<SinkSession>(world, spec);
//     thread.post([session, …] { return session->claim(partitions, membership); });
#pragma once

#include "flow/log.h"
#include "log/kafka/epoch_client.h"
#include "log/kafka/group_offsets.h"
#include "log/kafka/offset_text.h"
#include "log/kafka/positions_topic.h"
#include "log/kafka/state_topic.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log::kafka {

// What an epoch will write, by reference, kept until its end.
struct PendingEpoch {
  std::vector<flow::EncodedBatch> batches;
  std::vector<flow::StateChange> changes;
  uint64_t records = 0;
  uint64_t bytes = 0;
  // What a commit that is tried again has done already.
  bool offered = false;     // the records, to the client
  bool positioned = false;  // at least once: the group has the positions
  bool followed = false;    // and what follows them was offered
  void clear();
};

class SinkSession {
 public:
  SinkSession(SinkWorld& world, flow::SinkSpec spec, std::vector<uint64_t> record_bytes_max);

  // Begins what every claim needs; what fails here fails again, and is told, at the claim.
  flow::SinkEvent prepare();
  flow::SinkEvent claim(const flow::PartitionSet& partitions, const flow::Membership& membership);
  flow::SinkEvent commit(const flow::Commit& commit);
  flow::SinkEvent abort();

  PendingEpoch& epoch() { return epoch_; }
  int32_t partitions(uint32_t output) const { return client_->partitions(output); }
  // Looked up anew, after an epoch that was too large for a topic.
  std::optional<std::vector<uint64_t>> take_new_limits() {
    return std::exchange(new_limits_, std::nullopt);
  }
  const std::shared_ptr<Vital>& vital() const { return vital_; }
  const flow::SinkSpec& spec() const { return spec_; }

 private:
  struct Found;  // of one claimed partition
  Result<void> look_at_inputs();
  Result<std::vector<flow::Owned>> find(const flow::PartitionSet& partitions, bool in_group);
  Result<void> ask_group(std::vector<Found>& found, const Patience& patience);
  Result<void> ask_positions(std::vector<Found>& found, const Patience& patience);
  Result<void> ask_earliest(std::vector<Found>& found);
  Result<void> read_states(std::vector<Found>& found, const Patience& patience);
  void begin_where_the_state_stands(Found& found) const;
  flow::Owned owned(Found& found);
  Result<void> same_topic(Partition partition, const std::string& lineage) const;
  flow::ClaimFailed claim_failed(Error error) const;

  MaybeTrouble write_at_once(const flow::Commit& commit);
  MaybeTrouble write_in_turn(const flow::Commit& commit);
  MaybeTrouble lost(LoseAt at);
  MaybeTrouble offer_batches();
  MaybeTrouble put_state();
  MaybeTrouble put_positions(const flow::Commit& commit);
  MaybeTrouble send_offsets(const flow::Commit& commit);
  flow::Ended ended(Trouble trouble);
  bool renew_client();
  size_t positions_output() const { return spec_.outputs.size(); }

  SinkWorld& world_;
  flow::SinkSpec spec_;
  std::shared_ptr<Vital> vital_;
  std::vector<TopicInfo> inputs_;  // as of the last claim; without lineage: no topic
  PendingEpoch epoch_;
  bool too_large_ = false;  // the epoch, for one of the topics
  std::optional<std::vector<uint64_t>> new_limits_;
  std::unique_ptr<EpochClient> client_;
};

}  // namespace penstock::log::kafka
