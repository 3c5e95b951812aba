#include "log/kafka/group_offsets.h"

#include "log/kafka/settings.h"

#include <algorithm>
#include <array>

namespace penstock::log::kafka {
namespace {

bool pending(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      return true;
    default:
      return is_outage(error);
  }
}

StableOffsets refused(rd_kafka_resp_err_t error, const std::string& group, const char* detail) {
  StableOffsets got;
  got.again = pending(error);
  got.error = kafka_error(error, "reading the positions of the group " + group,
                          detail == nullptr ? "" : detail);
  return got;
}

StableOffsets read(const rd_kafka_group_result_t& result, const std::string& group, size_t count) {
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(&result)) {
    return refused(rd_kafka_error_code(error), group, rd_kafka_error_string(error));
  }
  const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(&result);
  if (list == nullptr || static_cast<size_t>(list->cnt) != count) {
    return refused(RD_KAFKA_RESP_ERR__TIMED_OUT, group, "an answer for other partitions");
  }
  StableOffsets got;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& at = list->elems[i];
    if (at.err != RD_KAFKA_RESP_ERR_NO_ERROR) return refused(at.err, group, nullptr);
    StableOffset& offset = got.offsets.emplace_back();
    if (at.offset < 0) continue;
    offset.next = Offset{at.offset};
    if (at.metadata != nullptr) {
      offset.metadata.assign(static_cast<const char*>(at.metadata), at.metadata_size);
    }
  }
  return got;
}

// The answer need not come in the order of the question.
StableOffsets in_order(StableOffsets got, const rd_kafka_topic_partition_list_t& list,
                       const std::vector<TopicPartition>& wanted) {
  if (got.error) return got;
  StableOffsets ordered;
  for (const auto& [topic, partition] : wanted) {
    for (int i = 0; i < list.cnt; ++i) {
      if (list.elems[i].partition != partition || topic != list.elems[i].topic) continue;
      ordered.offsets.push_back(std::move(got.offsets[static_cast<size_t>(i)]));
      break;
    }
  }
  return ordered;
}

}  // namespace

StableOffsets stable_offsets(rd_kafka_t* client, const std::string& group,
                             const std::vector<TopicPartition>& partitions, int millis) {
  std::array<char, 256> text{};
  const AdminOptions options(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), millis, text.data(), text.size());
  const ErrorHandle unstable(rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), 1));
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const auto& [topic, partition] : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  }
  const GroupOffsetsRequest request(
      rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), list.get()));
  const Queue queue(rd_kafka_queue_new(client));
  rd_kafka_ListConsumerGroupOffsets_t* one = request.get();
  rd_kafka_ListConsumerGroupOffsets(client, &one, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), millis + 500));
  if (event == nullptr) return refused(RD_KAFKA_RESP_ERR__TIMED_OUT, group, nullptr);
  if (const auto error = rd_kafka_event_error(event.get())) {
    return refused(error, group, rd_kafka_event_error_string(event.get()));
  }
  size_t groups = 0;
  const auto* result = rd_kafka_event_ListConsumerGroupOffsets_result(event.get());
  const rd_kafka_group_result_t** results =
      rd_kafka_ListConsumerGroupOffsets_result_groups(result, &groups);
  if (groups != 1) return refused(RD_KAFKA_RESP_ERR__TIMED_OUT, group, "no answer for it");
  StableOffsets got = read(*results[0], group, partitions.size());
  if (got.error) return got;
  got = in_order(std::move(got), *rd_kafka_group_result_partitions(results[0]), partitions);
  if (got.offsets.size() == partitions.size()) return got;
  return refused(RD_KAFKA_RESP_ERR__TIMED_OUT, group, "an answer for other partitions");
}

}  // namespace penstock::log::kafka
