#include "ops/stage_worker.h"

#include "engine/forward.h"
#include "inspect/lag.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::ops {
namespace {

Result<std::vector<std::string>> lineages_of(flow::Log& log,
                                             const std::vector<std::string>& names) {
  PENSTOCK_TRY(topics, log.topics());
  std::vector<std::string> lineages;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(topics, name, &flow::TopicState::name);
    lineages.push_back(found == topics.end() ? name : found->lineage);
  }
  return lineages;
}

Result<std::unique_ptr<engine::Chain>> make_chain(const Parts& parts, const plan::Stage& stage) {
  PENSTOCK_TRY(lineages, lineages_of(*parts.log, stage.from));
  PENSTOCK_TRY(chain, engine::Chain::make(
                          {parts.plan, &stage, parts.schemas, parts.table, std::move(lineages)}));
  for (const avro::SchemaPtr& schema : chain->output_schemas())
    PENSTOCK_TRY_VOID(parts.schemas->add(schema));
  return std::move(chain);
}

engine::WorkerSpec worker_spec(const plan::Plan& plan, const plan::Stage& stage,
                               std::vector<std::string> outputs) {
  engine::WorkerSpec spec;
  spec.stage = stage.id;
  spec.outputs = std::move(outputs);
  spec.store = stage.to_store;
  spec.limits.epoch_rows = stage.epoch.rows;
  spec.limits.epoch_bytes = stage.epoch.size_bytes;
  spec.limits.epoch_millis = stage.epoch.every_millis;
  spec.limits.poll.max_records = static_cast<uint32_t>(std::min<uint64_t>(4096, stage.epoch.rows));
  spec.stop_above.share = plan.dead_letters.stop_share;
  spec.stop_above.window_millis = plan.dead_letters.stop_window_millis;
  return spec;
}

// A processor and the topics that it writes, in the order of the epoch's outputs.
struct Work {
  std::unique_ptr<engine::Processor> processor;
  std::vector<std::string> outputs;
  uint64_t records_per_second = 0;
};

Result<Work> chain_work(const Parts& parts, const plan::Stage& stage) {
  PENSTOCK_TRY(chain, make_chain(parts, stage));
  std::vector<std::string> outputs = chain->outputs();
  return Work{std::move(chain), std::move(outputs)};
}

Result<StageWorker> assemble(const Parts& parts, const plan::Stage& stage, Work work,
                             std::unique_ptr<flow::Source> source, const std::string& member,
                             flow::Waker& waker) {
  engine::WorkerEnds ends;
  ends.source = std::move(source);
  flow::Log* log = parts.log;
  if (stage.to_store.empty()) {
    const bool stateful = work.processor->memory() != nullptr;
    flow::SinkSpec spec{stage.group, stage.from, work.outputs, member, stateful};
    ends.open_log_sink = [log, spec, &waker] { return log->open_sink(spec, waker); };
  } else {
    PENSTOCK_TRY(topics, log->topics());
    flow::StoreSpec spec = inspect::store_spec(*parts.plan, stage, topics);
    flow::Store* store = parts.store(stage.to_store);
    ends.open_store_sink = [store, spec, &waker] { return store->open_sink(spec, waker); };
    PENSTOCK_TRY(appender, log->open_appender(work.outputs, waker));
    ends.appender = std::move(appender);
  }
  engine::WorkerSpec spec = worker_spec(*parts.plan, stage, std::move(work.outputs));
  spec.limits.records_per_second = work.records_per_second;
  auto worker = std::make_unique<engine::Worker>(std::move(spec), std::move(ends), *work.processor);
  return StageWorker{std::move(work.processor), std::move(worker)};
}

// The plan with one more stage: from the feed's source into its topic, without steps.
std::shared_ptr<plan::Plan> with_feed(const plan::Plan& plan, const FeedSpec& feed) {
  auto extended = std::make_shared<plan::Plan>(plan);
  const plan::Topic target = *plan.topic(feed.topic);
  plan::Topic source = target;
  source.name = feed.source_name;
  source.declared = feed.source_name;
  source.framing = feed_framing(target);
  source.unframed_bare = false;
  extended->topics.push_back(std::move(source));
  plan::Stage stage;
  stage.name = stage.id = feed.source_name;
  stage.group = feed.group;
  stage.from = {feed.source_name};
  stage.input = target.schema;
  stage.to_topics = {feed.topic};
  stage.output = target.schema;
  if (!plan.stages.empty()) stage.epoch = plan.stages.front().epoch;
  extended->stages.push_back(std::move(stage));
  return extended;
}

}  // namespace

avro::Framing feed_framing(const plan::Topic& topic) {
  return topic.framing == avro::Framing::bare ? avro::Framing::bare : avro::Framing::single_object;
}

Result<StageWorker> make_stage_worker(const Parts& parts, const plan::Stage& stage,
                                      const StageWorkerSpec& spec, flow::Waker& waker) {
  PENSTOCK_TRY(work, chain_work(parts, stage));
  const std::string member = fmt::format("{}-{}", stage.id, spec.number);
  PENSTOCK_TRY(source, parts.log->open_source({stage.group, stage.from, member}, waker));
  work.records_per_second = spec.records_per_second;
  return assemble(parts, stage, std::move(work), std::move(source), member, waker);
}

Result<StageWorker> make_feed_worker(const Parts& parts, FeedSpec feed, flow::Waker& waker) {
  Parts extended = parts;
  extended.plan = with_feed(*parts.plan, feed);
  const plan::Stage& stage = extended.plan->stages.back();
  const std::string member = feed.source_name;
  if (feed.raw) {
    Work work{engine::make_forward(feed.topic), {feed.topic}};
    return assemble(extended, stage, std::move(work), std::move(feed.source), member, waker);
  }
  PENSTOCK_TRY(work, chain_work(extended, stage));
  return assemble(extended, stage, std::move(work), std::move(feed.source), member, waker);
}

}  // namespace penstock::ops
