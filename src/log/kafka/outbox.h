// outbox.h — hands encoded batches to a producer, by reference.
//
// Thread      one owner: the helper thread of a sink or appender. offer() blocks while the
//             producer's queue is full.
// Lifetime    the batches' bytes stay until the client has given them up: after a commit or abort
//             that ended well, a flush without rest, or the client's end. Keys are copied by the
//             client.
// Limits      as the client's: queue.buffering.max.messages are waited for, message.max.bytes
//             refused.
// Errors      L1xx of kafka_error(); a batch that is none is "L121".
//
//     Outbox outbox;                                   // keeps its memory
//     PENSTOCK_TRY_VOID(outbox.offer(client, topic, batch, deliveries, vital));
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "log/kafka/handles.h"
#include "log/kafka/transaction_thread.h"

#include <cstdint>
#include <vector>

namespace penstock::log::kafka {

// What a client's delivery reports say; the opaque pointer of each message.
struct Deliveries {
  uint64_t failed = 0;
  int error = 0;  // the first
};
// Install before the client is made; failures are counted in rd_kafka_poll(), flush and commit.
void count_deliveries(rd_kafka_conf_t* conf);

class Outbox {
 public:
  Outbox();
  // All records of the batch, in order. Beats while it waits for room; Vital::stop ends that.
  Result<void> offer(rd_kafka_t* client, rd_kafka_topic_t* topic, const flow::EncodedBatch& batch,
                     Deliveries& deliveries, Vital& vital);

 private:
  Result<void> send(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition, int count,
                    Vital& vital);
  std::vector<rd_kafka_message_t> messages_;
};

}  // namespace penstock::log::kafka
