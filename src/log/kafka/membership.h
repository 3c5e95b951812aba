// membership.h — which member of which generation of a group a source is, as Kafka's requests want
// it.
//
// Thread      immutable; any.
// Lifetime    shared: an epoch keeps the one of its first record (flow::Membership).
//
//     const auto* member = dynamic_cast<const KafkaMembership*>(commit.membership.get());
//     rd_kafka_send_offsets_to_transaction(client, offsets, member->metadata.get(), -1);
//     if (auto consumer = member->consumer.lock()) …   // outside transactions it commits by itself
#pragma once

#include "flow/sink.h"
#include "log/kafka/handles.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace penstock::log::kafka {

struct KafkaMembership final : flow::MembershipToken {
  KafkaMembership(GroupMetadata of, int32_t in_generation, std::string member,
                  std::weak_ptr<rd_kafka_t> read_by)
      : metadata(std::move(of)),
        generation(in_generation),
        member_id(std::move(member)),
        consumer(std::move(read_by)) {}

  GroupMetadata metadata;  // a copy: what the consumer learns later does not change it
  int32_t generation;      // >= 0: without one there is no membership (null)
  std::string member_id;
  std::weak_ptr<rd_kafka_t> consumer;  // which is this member, as long as it is
};

}  // namespace penstock::log::kafka
