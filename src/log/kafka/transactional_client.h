// transactional_client.h — exactly once: an epoch is one transaction.
//
// Draws the line between what a transaction can still end as:
//
//     begin ──► offer, put ──► send_offsets ──► commit ──► done
//                   └────────────┴── abort      └── unknown: EndTxn may have been carried out
//
// Thread, Lifetime, Errors: as epoch_client.h has them.
#pragma once

#include "log/kafka/epoch_client.h"
#include "log/kafka/retirement.h"

#include <string_view>
#include <utility>

namespace penstock::log::kafka {

class TransactionalClient final : public EpochClient {
 public:
  using EpochClient::EpochClient;
  ~TransactionalClient() override { drop(); }  // before the traffic that it counts in

  // Gives the client up first where retirement.h demands it.
  MaybeTrouble begin(const Patience& patience) override;
  MaybeTrouble send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                            const KafkaMembership& member) override;
  MaybeTrouble commit() override;
  void try_abort() override;
  bool abort() override;

 private:
  Role role() const override { return Role::transactional_producer; }
  Result<void> configure(rd_kafka_conf_t* conf) override;
  Result<void> init(const Patience& patience) override;
  void dropped() override { retire_ = initialised_ = false; }
  void meet_broker();
  bool step_to_abort(bool& again);
  Trouble trouble(const rd_kafka_error_t& error, std::string_view what) const;

  TransactionTraffic traffic_;
  bool initialised_ = false;
  bool retire_ = false;
};

}  // namespace penstock::log::kafka
