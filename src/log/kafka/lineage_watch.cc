#include "log/kafka/lineage_watch.h"

#include <algorithm>
#include <string>

namespace penstock::log::kafka {

LineageWatch::LineageWatch(rd_kafka_t* client, const std::vector<TopicInfo>& topics)
    : client_(client),
      topics_(topics),
      answers_(rd_kafka_queue_new(client)),
      asked_(std::chrono::steady_clock::now()) {}

std::optional<Error> LineageWatch::check(std::chrono::steady_clock::time_point now) {
  if (!waiting_) {
    if (now < asked_ + kAskEvery) return std::nullopt;
    asked_ = now;
    ask();
    return std::nullopt;
  }
  const Event event(rd_kafka_queue_poll(answers_.get(), 0));
  if (event == nullptr) return std::nullopt;
  waiting_ = false;
  return judge(event.get());
}

void LineageWatch::ask() {
  std::vector<const char*> names;
  for (const TopicInfo& topic : topics_) names.push_back(topic.name.c_str());
  const TopicCollection wanted(rd_kafka_TopicCollection_of_topic_names(names.data(), names.size()));
  rd_kafka_DescribeTopics(client_, wanted.get(), nullptr, answers_.get());
  waiting_ = true;
}

// Trouble with the asking says nothing about the topic.
std::optional<Error> LineageWatch::judge(rd_kafka_event_t* event) const {
  const auto* result = rd_kafka_event_DescribeTopics_result(event);
  if (result == nullptr || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  size_t count = 0;
  const auto** found = rd_kafka_DescribeTopics_result_topics(result, &count);
  for (size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_TopicDescription_name(found[i]);
    const auto code = rd_kafka_error_code(rd_kafka_TopicDescription_error(found[i]));
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID) {
      return Error{"L120"_code, "the topic " + name + " is gone", {}, {}, {}, {}};
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const auto was = std::find_if(topics_.begin(), topics_.end(),
                                  [&](const TopicInfo& topic) { return topic.name == name; });
    const std::string lineage = lineage_text(rd_kafka_TopicDescription_topic_id(found[i]));
    if (was == topics_.end() || was->lineage == lineage) continue;
    return Error{"L120"_code,
                 "the topic " + name + " was deleted and made again: its id was " + was->lineage +
                     " and is " + lineage,
                 {},
                 {},
                 {},
                 {}};
  }
  return std::nullopt;
}

}  // namespace penstock::log::kafka
