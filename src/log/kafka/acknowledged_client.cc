#include "log/kafka/acknowledged_client.h"

#include <utility>

namespace penstock::log::kafka {
namespace {

bool membership_ended(int code) {
  return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
         code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         code == RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH ||
         code == RD_KAFKA_RESP_ERR_FENCED_MEMBER_EPOCH ||
         code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || code == RD_KAFKA_RESP_ERR__DESTROY;
}

bool waits(int code) { return is_outage(code) || code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS; }

// The consumer may have joined anew since, as somebody else: then it would vouch for work that is
// not its own.
bool is_still(rd_kafka_t* consumer, const KafkaMembership& member) {
  const GroupMetadata now(rd_kafka_consumer_group_metadata(consumer));
  return now != nullptr &&
         rd_kafka_consumer_group_metadata_generation_id(now.get()) == member.generation &&
         member.member_id == rd_kafka_consumer_group_metadata_member_id(now.get());
}

rd_kafka_resp_err_t outcome_of(rd_kafka_event_t& event) {
  if (const auto error = rd_kafka_event_error(&event)) return error;
  const auto* list = rd_kafka_event_topic_partition_list(&event);
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return list->elems[i].err;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

MaybeTrouble AcknowledgedClient::begin(const Patience& patience) {
  if (auto prepared = ready(patience); !prepared) {
    return Trouble{flow::CommitEnd::retry, std::move(prepared).error()};
  }
  open_ = true;
  return std::nullopt;
}

MaybeTrouble AcknowledgedClient::settle() {
  while (rd_kafka_outq_len(client_.get()) > 0 && !vital_.stop) {
    vital_.beat();
    rd_kafka_flush(client_.get(), kStepMillis);
  }
  const std::string what = "writing as " + id_;
  if (deliveries_.failed > 0) return refused(kafka_error(deliveries_.error, what));
  if (vital_.stop) return refused(kafka_error(RD_KAFKA_RESP_ERR__DESTROY, what));
  return std::nullopt;
}

// Waits for the answer, however long it takes: a second one before it might arrive first.
MaybeTrouble AcknowledgedClient::send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                                              const KafkaMembership& member) {
  const std::string what = "committing the positions of " + id_;
  const std::shared_ptr<rd_kafka_t> consumer = member.consumer.lock();
  vital_.beat();
  if (consumer == nullptr || !is_still(consumer.get(), member)) {
    return Trouble{flow::CommitEnd::abort, kafka_error(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, what)};
  }
  const Queue answers(rd_kafka_queue_new(consumer.get()));
  auto code = rd_kafka_commit_queue(consumer.get(), &offsets, answers.get(), nullptr, nullptr);
  while (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    vital_.beat();
    const Event event(rd_kafka_queue_poll(answers.get(), kStepMillis));
    if (event != nullptr) {
      code = outcome_of(*event);
      break;
    }
    if (vital_.stop) code = RD_KAFKA_RESP_ERR__DESTROY;
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  const bool again = waits(code) && !membership_ended(code);
  return Trouble{again ? flow::CommitEnd::retry : flow::CommitEnd::abort, kafka_error(code, what)};
}

MaybeTrouble AcknowledgedClient::commit() {
  if (auto trouble = settle()) return trouble;
  open_ = false;
  return std::nullopt;
}

// What is still in the queue must not arrive behind what is written next: it goes with the client.
bool AcknowledgedClient::abort() {
  if (open_) drop();
  return ready_at_last();
}

}  // namespace penstock::log::kafka
