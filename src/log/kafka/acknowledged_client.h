// acknowledged_client.h — at least once: an epoch's records are acknowledged one by one, and then
// the group is told.
//
// A crash in between leaves records that are made again: repeats, never a gap. The position is
// moved by the consumer that read it (membership.h), and only as long as that is still the member,
// in the generation, that the epoch began with; the broker compares both once more.
//
// Thread, Lifetime, Errors: as epoch_client.h has them. settle(): `abort` when a record was not
//             taken. send_offsets(): `retry` for outages and while the group rebalances, `abort`
//             for a membership that has ended.
#pragma once

#include "log/kafka/epoch_client.h"

namespace penstock::log::kafka {

class AcknowledgedClient final : public EpochClient {
 public:
  using EpochClient::EpochClient;
  ~AcknowledgedClient() override { drop(); }

  MaybeTrouble begin(const Patience& patience) override;
  MaybeTrouble settle() override;
  MaybeTrouble send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                            const KafkaMembership& member) override;
  MaybeTrouble commit() override;
  bool abort() override;

 private:
  Role role() const override { return Role::idempotent_producer; }
  Result<void> configure(rd_kafka_conf_t*) override { return {}; }
  Result<void> init(const Patience&) override { return {}; }
};

}  // namespace penstock::log::kafka
