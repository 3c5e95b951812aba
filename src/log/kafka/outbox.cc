#include "log/kafka/outbox.h"

#include "log/kafka/settings.h"
#include "wire/record_batch.h"

#include <algorithm>
#include <string>

namespace penstock::log::kafka {
namespace {

constexpr size_t kAtOnce = 1024;
constexpr int kRoomMillis = 10;

// No view may be null where bytes are meant: the client takes null for "none".
void* bytes_of(ByteView view) {
  static char none = 0;
  return view.data() == nullptr ? &none : const_cast<char*>(view.data());
}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || message->_private == nullptr) return;
  auto& deliveries = *static_cast<Deliveries*>(message->_private);
  if (deliveries.failed++ == 0) deliveries.error = message->err;
}

}  // namespace

void count_deliveries(rd_kafka_conf_t* conf) { rd_kafka_conf_set_dr_msg_cb(conf, on_delivery); }

Outbox::Outbox() : messages_(kAtOnce) {}

Result<void> Outbox::offer(rd_kafka_t* client, rd_kafka_topic_t* topic,
                           const flow::EncodedBatch& batch, Deliveries& deliveries, Vital& vital) {
  wire::RecordWalker walker(batch.records, batch.count);
  wire::RecordView record;
  size_t count = 0;
  while (walker.next(record)) {
    rd_kafka_message_t& message = messages_[count++];
    message.payload = record.has_value ? bytes_of(record.value) : nullptr;
    message.len = record.value.size();
    message.key = record.has_key ? bytes_of(record.key) : nullptr;
    message.key_len = record.key.size();
    message._private = &deliveries;
    if (count < kAtOnce) continue;
    PENSTOCK_TRY_VOID(send(client, topic, batch.partition, static_cast<int>(count), vital));
    count = 0;
  }
  if (walker.fault() != wire::BatchFault::none) {
    return fail("L121"_code, "an epoch's batch for " + std::string(rd_kafka_topic_name(topic)) +
                                 " is damaged: " + std::string(wire::describe(walker.fault())));
  }
  return count == 0 ? Result<void>()
                    : send(client, topic, batch.partition, static_cast<int>(count), vital);
}

// The client marks what it did not take for want of room, from the first such message to the last.
Result<void> Outbox::send(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition, int count,
                          Vital& vital) {
  rd_kafka_message_t* at = messages_.data();
  while (true) {
    if (rd_kafka_produce_batch(topic, partition, 0, at, count) == count) return {};
    rd_kafka_message_t* const end = at + count;
    rd_kafka_message_t* const refused =
        std::find_if(at, end, [](const auto& m) { return m.err != RD_KAFKA_RESP_ERR_NO_ERROR; });
    if (refused == end) return {};
    if (refused->err != RD_KAFKA_RESP_ERR__QUEUE_FULL || vital.stop) {
      return std::unexpected(
          kafka_error(refused->err, "writing " + std::string(rd_kafka_topic_name(topic))));
    }
    count = static_cast<int>(end - refused);
    at = refused;
    vital.beat();
    rd_kafka_poll(client, kRoomMillis);
  }
}

}  // namespace penstock::log::kafka
