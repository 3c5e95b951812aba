// kafka_log.h — a Kafka cluster as a flow::Log: groups, transactions, topics.
//
// Thread      as flow::Log has it. Everything here may block for seconds, but ends.
// Lifetime    everything that it made is destroyed before it.
// Limits      names of topics and groups are the cluster's own; <pipeline>.schemas and
//             <pipeline>.positions are made beside the pipeline's topics. topics() and groups()
//             tell of those that this process made, opened or declared; of all that are not
//             internal to Kafka when it has named none.
// Errors      open(): L1xx within Settings::unreachable_millis. L004 no such topic, L006 a topic
//             that cannot be, L1xx the rest. Outages while running are waited out.
//
//     PENSTOCK_TRY(log, KafkaLog::open(settings));
//     PENSTOCK_TRY(made, log->create_missing(topics));
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "log/kafka/settings.h"

#include <memory>

namespace penstock::log::kafka {

class KafkaLog : public flow::Log {
 public:
  static Result<std::unique_ptr<KafkaLog>> open(Settings settings);

  // For tests: the next commit of a sink of this log ends `unknown`; `written`: whether it
  // happened.
  virtual void lose_next_answer_for_test(bool written) = 0;
};

}  // namespace penstock::log::kafka
