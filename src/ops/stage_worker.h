// stage_worker.h — one worker of a stage with all that it needs: chain, source, sink.
//
// Thread      built anywhere; then the thread that turns it.
// Lifetime    log, stores and tables outlive it.
//
//     PENSTOCK_TRY(worker, ops::make_stage_worker(parts, stage, 0, waker));
#pragma once

#include "base/error.h"
#include "engine/chain.h"
#include "engine/worker.h"
#include "flow/log.h"
#include "flow/store.h"
#include "flow/table.h"
#include "flow/waker.h"
#include "plan/plan.h"

#include <functional>
#include <memory>
#include <string>

namespace penstock::ops {

// What a pipeline runs on, opened. The functions never return null for a name that the plan
// declares.
struct Parts {
  std::shared_ptr<const plan::Plan> plan;
  flow::Log* log = nullptr;
  flow::SchemaSource* schemas = nullptr;  // the log's and the registries'
  std::function<flow::Store*(const std::string& name)> store;
  std::function<flow::Table*(const std::string& name)> table;
};

struct StageWorker {
  std::unique_ptr<engine::Processor> processor;
  std::unique_ptr<engine::Worker> worker;  // uses the processor
};

struct StageWorkerSpec {
  int number = 0;                   // for people
  uint64_t records_per_second = 0;  // that it reads at most; 0: as many as there are
};
// A worker of a stage of the plan. Registers the schemas that it will write.
Result<StageWorker> make_stage_worker(const Parts& parts, const plan::Stage& stage,
                                      const StageWorkerSpec& spec, flow::Waker& waker);

// A worker that reads a source which is no topic (a file, a simulated client) into one topic.
// `group` names where its position is kept, `source_name` the input ("file:…").
struct FeedSpec {
  std::string group;
  std::string source_name;
  std::string topic;
  std::unique_ptr<flow::Source> source;
  bool raw =
      false;  // records go on as they are, unread; else they are decoded and get the topic's key
};
// How such a source frames what it reads for a topic: the worker writes the topic's own framing.
avro::Framing feed_framing(const plan::Topic& topic);
Result<StageWorker> make_feed_worker(const Parts& parts, FeedSpec feed, flow::Waker& waker);

}  // namespace penstock::ops
