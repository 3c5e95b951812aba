// handles.h — owning handles for what librdkafka hands out.
//
// Thread      as unique_ptr.
// Lifetime    everything made from a client (queues, messages, metadata) goes before the client.
//
//     kafka::Queue queue(rd_kafka_queue_new(client));
//     kafka::List partitions(rd_kafka_topic_partition_list_new(4));
#pragma once

#include "log/kafka/settings.h"  // Client, Conf

#include <librdkafka/rdkafka.h>

#include <memory>

namespace penstock::log::kafka {

// Calls `Function` when the handle ends.
template <auto Function>
struct Calls {
  template <class T>
  void operator()(T* handle) const {
    Function(handle);
  }
};
template <class T, auto Function>
using Handle = std::unique_ptr<T, Calls<Function>>;

using Queue = Handle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using List = Handle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Event = Handle<rd_kafka_event_t, rd_kafka_event_destroy>;
using ErrorHandle = Handle<rd_kafka_error_t, rd_kafka_error_destroy>;
using TopicHandle = Handle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using Message = Handle<rd_kafka_message_t, rd_kafka_message_destroy>;
using GroupMetadata =
    Handle<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;
using MetadataHandle = Handle<const struct rd_kafka_metadata, rd_kafka_metadata_destroy>;
using AdminOptions = Handle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using TopicCollection = Handle<rd_kafka_TopicCollection_t, rd_kafka_TopicCollection_destroy>;
using NewTopicHandle = Handle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using NewPartitionsHandle = Handle<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy>;
using ConfigResource = Handle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using GroupOffsetsRequest =
    Handle<rd_kafka_ListConsumerGroupOffsets_t, rd_kafka_ListConsumerGroupOffsets_destroy>;

}  // namespace penstock::log::kafka
