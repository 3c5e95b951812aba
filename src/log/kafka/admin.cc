#include "log/kafka/admin.h"

#include "base/check.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <thread>
#include <utility>

namespace penstock::log::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using Send = std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;

constexpr int kOneMillis = 4'000;      // a request; then the way to its broker is looked up anew
constexpr int kRefreshMillis = 2'000;  // the looking up

// Leaders, and whom to ask what only one broker answers: librdkafka does not look again by itself
// when the one that it knew is gone, and would ask it for minutes.
void look_again(rd_kafka_t* client) {
  const rd_kafka_metadata_t* found = nullptr;
  if (rd_kafka_metadata(client, 1, nullptr, &found, kRefreshMillis) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(found);
  }
}

// Sends one request and waits for its answer.
Result<Event> ask_once(rd_kafka_t* client, rd_kafka_admin_op_t kind, std::string_view what,
                       const Send& send, bool committed) {
  const Queue queue(rd_kafka_queue_new(client));
  const AdminOptions options(rd_kafka_AdminOptions_new(client, kind));
  char said[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kOneMillis, said, sizeof said);
  if (committed) {
    const ErrorHandle refused(rd_kafka_AdminOptions_set_isolation_level(
        options.get(), RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED));
    PENSTOCK_CHECK(refused == nullptr);
  }
  send(options.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), kOneMillis + 1'000));
  if (event == nullptr) {
    return std::unexpected(kafka_error(RD_KAFKA_RESP_ERR__TIMED_OUT, what));
  }
  const auto code = rd_kafka_event_error(event.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
  const char* detail = rd_kafka_event_error_string(event.get());
  return std::unexpected(kafka_error(code, what, detail == nullptr ? "" : detail));
}

Result<Event> ask(rd_kafka_t* client, rd_kafka_admin_op_t kind, std::string_view what,
                  const Send& send, bool committed = false) {
  const auto until = steady_clock::now() + milliseconds(kAdminMillis - kOneMillis - kRefreshMillis);
  while (true) {
    auto answer = ask_once(client, kind, what, send, committed);
    if (answer || answer.error().code != "L101"_code || steady_clock::now() > until) return answer;
    look_again(client);
  }
}

std::vector<const char*> c_names(const std::vector<std::string>& names) {
  std::vector<const char*> all;
  for (const std::string& name : names) all.push_back(name.c_str());
  return all;
}

Result<NewTopicHandle> new_topic(const NewTopic& spec) {
  char said[256] = "";
  NewTopicHandle topic(
      rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, spec.replicas, said, sizeof said));
  if (topic == nullptr) return fail("L006"_code, "the topic " + spec.name + ": " + said);
  rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy",
                               spec.compacted ? "compact" : "delete");
  if (!spec.compacted) {
    rd_kafka_NewTopic_set_config(topic.get(), "retention.ms",
                                 std::to_string(spec.keep_millis).c_str());
  }
  if (spec.record_bytes_max > 0) {
    rd_kafka_NewTopic_set_config(topic.get(), "max.message.bytes",
                                 std::to_string(spec.record_bytes_max).c_str());
  }
  return topic;
}

Error refused_topic(const rd_kafka_topic_result_t* result) {
  const std::string name = rd_kafka_topic_result_name(result);
  const auto code = rd_kafka_topic_result_error(result);
  const char* words = rd_kafka_topic_result_error_string(result);
  const std::string said = words == nullptr ? rd_kafka_err2str(code) : words;
  if (code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION || code == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS) {
    return {"L006"_code, "the topic " + name + ": " + said, {}, {}, {}, {}};
  }
  return kafka_error(code, "making the topic " + name, said);
}

// Every partition of the list at this point of it.
List spec_list(const std::vector<TopicInfo>& topics, int64_t spec) {
  List list(rd_kafka_topic_partition_list_new(8));
  for (const TopicInfo& topic : topics) {
    for (int32_t p = 0; p < topic.partitions; ++p) {
      rd_kafka_topic_partition_list_add(list.get(), topic.name.c_str(), p)->offset = spec;
    }
  }
  return list;
}

constexpr std::string_view kEndsWhat = "asking for the ends of topics";

using EachEnd = std::function<void(size_t, int32_t, Offset)>;

// Once; the code of a partition that did not answer.
Result<rd_kafka_resp_err_t> list_offsets_once(rd_kafka_t* client,
                                              const std::vector<TopicInfo>& topics, int64_t spec,
                                              bool committed, const EachEnd& each) {
  const List wanted = spec_list(topics, spec);
  PENSTOCK_TRY(event, ask(
                          client, RD_KAFKA_ADMIN_OP_LISTOFFSETS, kEndsWhat,
                          [&](const auto* options, auto* queue) {
                            rd_kafka_ListOffsets(client, wanted.get(), options, queue);
                          },
                          committed));
  size_t count = 0;
  const auto** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto* found = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR) return found->err;
    const auto at = std::find_if(topics.begin(), topics.end(), [&](const TopicInfo& topic) {
      return topic.name == found->topic;
    });
    if (at == topics.end()) continue;
    each(static_cast<size_t>(at - topics.begin()), found->partition, {found->offset});
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// The leader of a topic that was made just now, or moved, is not known to every broker at once.
Result<void> list_offsets(rd_kafka_t* client, const std::vector<TopicInfo>& topics, int64_t spec,
                          bool committed, const EachEnd& each) {
  const auto until = steady_clock::now() + milliseconds(kAdminMillis);
  while (
      std::any_of(topics.begin(), topics.end(), [](const auto& t) { return t.partitions > 0; })) {
    PENSTOCK_TRY(code, list_offsets_once(client, topics, spec, committed, each));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (!is_outage(code) || steady_clock::now() > until) {
      return std::unexpected(kafka_error(code, kEndsWhat));
    }
    look_again(client);
    std::this_thread::sleep_for(milliseconds(20));
  }
  return {};
}

}  // namespace

std::string lineage_text(const rd_kafka_Uuid_t* id) { return rd_kafka_Uuid_base64str(id); }

// ---- birth

Result<std::unique_ptr<Admin>> Admin::open(const Settings& settings) {
  ClientTroubles troubles;
  PENSTOCK_TRY(conf, make_conf(settings, Role::admin, &troubles));
  PENSTOCK_TRY(client, make_client(std::move(conf), Role::admin));
  const auto until = steady_clock::now() + milliseconds(settings.unreachable_millis);
  const std::string what = "reaching " + settings.brokers;
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now()).count();
    const rd_kafka_metadata_t* found = nullptr;
    const auto code = rd_kafka_metadata(client.get(), 0, nullptr, &found,
                                        static_cast<int>(std::clamp<int64_t>(left, 1, 500)));
    const MetadataHandle metadata(found);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    rd_kafka_poll(client.get(), 0);
    if (left <= 0 || troubles.refused()) return std::unexpected(troubles.explain(what));
    if (!is_outage(code)) return std::unexpected(kafka_error(code, what));
  }
  Settings worked = settings;
  worked.reached = true;
  return std::unique_ptr<Admin>(new Admin(std::move(worked), std::move(client)));
}

// ---- topics

Result<std::vector<std::string>> Admin::create(const std::vector<NewTopic>& topics) {
  std::vector<std::string> names;
  for (const NewTopic& topic : topics) names.push_back(topic.name);
  PENSTOCK_TRY(there, describe(names));
  std::vector<NewTopicHandle> handles;
  std::vector<rd_kafka_NewTopic_t*> wanted;
  for (size_t i = 0; i < topics.size(); ++i) {
    if (!there[i].lineage.empty()) continue;
    PENSTOCK_TRY(handle, new_topic(topics[i]));
    wanted.push_back(handle.get());
    handles.push_back(std::move(handle));
  }
  std::vector<std::string> made;
  if (wanted.empty()) return made;
  PENSTOCK_TRY(event, ask(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, "making topics",
                          [&](const auto* options, auto* queue) {
                            rd_kafka_CreateTopics(client_.get(), wanted.data(), wanted.size(),
                                                  options, queue);
                          }));
  size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;  // another of us was faster
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(refused_topic(results[i]));
    made.emplace_back(rd_kafka_topic_result_name(results[i]));
  }
  const auto place = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name);
  };
  std::sort(made.begin(), made.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  PENSTOCK_TRY_VOID(wait_for_leaders(names));
  return made;
}

Result<void> Admin::add_partitions(const std::string& topic, int32_t total) {
  const std::string what = "adding partitions to " + topic;
  char said[256] = "";
  const NewPartitionsHandle wanted(
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(total), said, sizeof said));
  if (wanted == nullptr) {
    return std::unexpected(kafka_error(RD_KAFKA_RESP_ERR__INVALID_ARG, what, said));
  }
  rd_kafka_NewPartitions_t* one = wanted.get();
  PENSTOCK_TRY(event, ask(client_.get(), RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, what,
                          [&](const auto* options, auto* queue) {
                            rd_kafka_CreatePartitions(client_.get(), &one, 1, options, queue);
                          }));
  size_t count = 0;
  const auto** results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* words = rd_kafka_topic_result_error_string(results[i]);
    return std::unexpected(kafka_error(code, what, words == nullptr ? "" : words));
  }
  return wait_for_leaders({topic});
}

Result<void> Admin::wait_for_leaders(const std::vector<std::string>& names) {
  const auto until = steady_clock::now() + milliseconds(kAdminMillis);
  while (true) {
    PENSTOCK_TRY(found, describe(names));
    const auto missing = std::find_if(found.begin(), found.end(), [](const TopicInfo& topic) {
      return topic.lineage.empty() || !topic.led;
    });
    if (missing == found.end()) return {};
    if (steady_clock::now() > until) {
      return std::unexpected(
          kafka_error(RD_KAFKA_RESP_ERR__TIMED_OUT, "waiting for the leaders of " + missing->name));
    }
    std::this_thread::sleep_for(milliseconds(10));  // the answer changes; nothing tells when
  }
}

Result<std::vector<TopicInfo>> Admin::describe(const std::vector<std::string>& names) {
  std::vector<TopicInfo> infos(names.size());
  for (size_t i = 0; i < names.size(); ++i) infos[i].name = names[i];
  if (names.empty()) return infos;
  const auto c = c_names(names);
  const TopicCollection wanted(
      rd_kafka_TopicCollection_of_topic_names(const_cast<const char**>(c.data()), c.size()));
  PENSTOCK_TRY(event, ask(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, "asking for topics",
                          [&](const auto* options, auto* queue) {
                            rd_kafka_DescribeTopics(client_.get(), wanted.get(), options, queue);
                          }));
  size_t count = 0;
  const auto** found = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_TopicDescription_name(found[i]);
    const auto code = rd_kafka_error_code(rd_kafka_TopicDescription_error(found[i]));
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return std::unexpected(kafka_error(code, "asking for the topic " + name));
    }
    size_t partitions = 0;
    const auto** parts = rd_kafka_TopicDescription_partitions(found[i], &partitions);
    const bool led = std::all_of(parts, parts + partitions, [](const auto* part) {
      return rd_kafka_TopicPartitionInfo_leader(part) != nullptr;
    });
    for (TopicInfo& info : infos) {
      if (info.name != name) continue;
      info.lineage = lineage_text(rd_kafka_TopicDescription_topic_id(found[i]));
      info.partitions = static_cast<int32_t>(partitions);
      info.led = led;
    }
  }
  return infos;
}

Result<std::vector<std::string>> Admin::all_topics() {
  const rd_kafka_metadata_t* found = nullptr;
  const auto code = rd_kafka_metadata(client_.get(), 1, nullptr, &found, kAdminMillis);
  const MetadataHandle metadata(found);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(kafka_error(code, "asking for all topics"));
  }
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const std::string_view name = metadata->topics[i].topic;
    if (!name.starts_with("__")) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<TopicSettings>> Admin::topic_settings(const std::vector<std::string>& names,
                                                         bool once) {
  if (names.empty()) return std::vector<TopicSettings>();
  TopicResources wanted(names);
  const Send send = [&](const auto* options, auto* queue) {
    rd_kafka_DescribeConfigs(client_.get(), wanted.data(), wanted.size(), options, queue);
  };
  constexpr std::string_view kWhat = "asking for the settings of topics";
  PENSTOCK_TRY(
      event, (once ? ask_once(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, kWhat, send, false)
                   : ask(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, kWhat, send)));
  return settings_of(event.get(), names, settings_);
}

Result<std::vector<std::vector<flow::PartitionState>>> Admin::bounds(
    const std::vector<TopicInfo>& topics, bool committed) {
  std::vector<std::vector<flow::PartitionState>> states(topics.size());
  for (size_t t = 0; t < topics.size(); ++t) {
    for (int32_t p = 0; p < topics[t].partitions; ++p) states[t].push_back({p, {}, {}});
  }
  PENSTOCK_TRY_VOID(list_offsets(client_.get(), topics, RD_KAFKA_OFFSET_SPEC_EARLIEST, committed,
                                 [&](size_t topic, int32_t partition, Offset at) {
                                   states[topic][static_cast<size_t>(partition)].start = at;
                                 }));
  PENSTOCK_TRY_VOID(list_offsets(client_.get(), topics, RD_KAFKA_OFFSET_SPEC_LATEST, committed,
                                 [&](size_t topic, int32_t partition, Offset at) {
                                   states[topic][static_cast<size_t>(partition)].end = at;
                                 }));
  return states;
}

// ---- groups

Result<std::vector<CommittedOffset>> Admin::committed(const std::string& group) {
  const GroupOffsetsRequest request(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  rd_kafka_ListConsumerGroupOffsets_t* wanted = request.get();
  PENSTOCK_TRY(event,
               ask(client_.get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
                   "asking for the positions of " + group, [&](const auto* options, auto* queue) {
                     rd_kafka_ListConsumerGroupOffsets(client_.get(), &wanted, 1, options, queue);
                   }));
  size_t count = 0;
  const auto** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  std::vector<CommittedOffset> offsets;
  for (size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_error_code(rd_kafka_group_result_error(groups[i]));
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return std::unexpected(kafka_error(code, "asking for the positions of " + group));
    }
    const auto* list = rd_kafka_group_result_partitions(groups[i]);
    for (int p = 0; p < list->cnt; ++p) {
      const auto& row = list->elems[p];
      if (row.err != RD_KAFKA_RESP_ERR_NO_ERROR || row.offset < 0) continue;
      offsets.push_back({row.topic,
                         row.partition,
                         {row.offset},
                         {static_cast<const char*>(row.metadata), row.metadata_size}});
    }
  }
  return offsets;
}

Result<uint32_t> Admin::members(const std::string& group) {
  const char* name = group.c_str();
  PENSTOCK_TRY(event,
               ask(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
                   "asking for the members of " + group, [&](const auto* options, auto* queue) {
                     rd_kafka_DescribeConsumerGroups(client_.get(), &name, 1, options, queue);
                   }));
  size_t count = 0;
  const auto** found = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count == 0) return 0;
  const auto code = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(found[0]));
  if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return 0;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(kafka_error(code, "asking for the members of " + group));
  }
  return static_cast<uint32_t>(rd_kafka_ConsumerGroupDescription_member_count(found[0]));
}

}  // namespace penstock::log::kafka
