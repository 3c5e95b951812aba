#include "app/look.h"

#include "app/record_text.h"
#include "app/report.h"
#include "app/tail.h"
#include "app/trace.h"
#include "base/suggest.h"
#include "inspect/dead.h"
#include "inspect/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::app {
namespace {

Value counts(const flow::NamedCounts& counts) {
  Value::Object object;
  for (const auto& [name, count] : counts) object.emplace_back(name, count);
  return object;
}

Value fates_value(const flow::Fates& fates) {
  return Value::Object{
      {"in", fates.in},     {"out", counts(fates.out)},   {"dropped", counts(fates.dropped)},
      {"dead", fates.dead}, {"absorbed", fates.absorbed}, {"copied", counts(fates.copied)}};
}

Report lag_report(const inspect::Snapshot& snapshot, bool wide) {
  Report report;
  report.table = {{"STAGE", "GROUP", "TOPIC", "PARTITION", "POSITION", "END", "LAG"}};
  if (wide) report.table[0].push_back("GROUP POSITION");
  Value::Array rows;
  int64_t total = 0;
  for (const inspect::PartitionLag& one : snapshot.stages) {
    total += one.lag;
    report.table.push_back({one.stage, one.group, one.topic, std::to_string(one.partition),
                            std::to_string(one.position.value), std::to_string(one.end.value),
                            std::to_string(one.lag)});
    if (wide) report.table.back().push_back(std::to_string(one.group_position.value));
    rows.push_back(Value::Object{{"stage", one.stage},
                                 {"group", one.group},
                                 {"topic", one.topic},
                                 {"partition", static_cast<int64_t>(one.partition)},
                                 {"position", one.position.value},
                                 {"group_position", one.group_position.value},
                                 {"end", one.end.value},
                                 {"lag", one.lag}});
  }
  report.tree = Value::Object{{"lag", total}, {"partitions", std::move(rows)}};
  report.footer = fmt::format("lag in all: {}\n", total);
  return report;
}

flow::Fates stage_fates(const inspect::Snapshot& snapshot, std::string_view stage) {
  flow::Fates sum;
  for (const auto& one : snapshot.stages) {
    if (one.stage == stage) sum.add(one.fates);
  }
  return sum;
}

Value worker_value(const ops::WorkerSnapshot& worker) {
  return Value::Object{{"stage", worker.stage},
                       {"state", std::string(engine::to_text(worker.state))},
                       {"waits_for", worker.error ? Value(one_line(*worker.error)) : Value()},
                       {"idle", worker.idle},
                       {"partitions", worker.partitions_owned}};
}

Report status_report(const Looked& at, const inspect::Snapshot& snapshot) {
  Report report;
  report.table = {{"STAGE", "READS", "WRITES", "IN", "OUT", "DROPPED", "DEAD", "LAG"}};
  Value::Array stages;
  for (const plan::Stage& stage : at.plan.stages) {
    const flow::Fates fates = stage_fates(snapshot, stage.id);
    const int64_t lag = snapshot.lag_of(stage.id);
    const std::string to = stage.to_store.empty()
                               ? fmt::format("{}", fmt::join(stage.to_topics, ", "))
                               : stage.to_store;
    report.table.push_back({stage.id, fmt::format("{}", fmt::join(stage.from, ", ")), to,
                            std::to_string(fates.in), std::to_string(fates.out.total()),
                            std::to_string(fates.dropped.total()), std::to_string(fates.dead),
                            std::to_string(lag)});
    Value fates_tree = fates_value(fates);
    stages.push_back(Value::Object{
        {"stage", stage.id}, {"to", to}, {"lag", lag}, {"fates", std::move(fates_tree)}});
  }
  Value::Array stores;
  for (const auto& store : snapshot.stores) {
    if (store.rows) report.footer += fmt::format("store {}: {} rows\n", store.store, *store.rows);
    stores.push_back(
        Value::Object{{"store", store.store}, {"rows", store.rows ? Value(*store.rows) : Value()}});
  }
  Value::Array workers;
  for (const ops::WorkerSnapshot& worker : at.workers) {
    report.footer += ops::describe(worker);
    workers.push_back(worker_value(worker));
  }
  Value::Array scaling;
  for (const StageNeed& need : at.needs) {
    if (!need.decision) continue;
    report.footer += fmt::format("scaling {}: {}\n", need.stage, need.decision->reason);
    scaling.push_back(Value::Object{{"stage", need.stage},
                                    {"workers", static_cast<int64_t>(need.decision->replicas)},
                                    {"reason", need.decision->reason}});
  }
  report.tree = Value::Object{{"pipeline", at.plan.pipeline},   {"target", at.plan.target},
                              {"running", !at.workers.empty()}, {"workers", std::move(workers)},
                              {"stages", std::move(stages)},    {"stores", std::move(stores)},
                              {"scaling", std::move(scaling)}};
  return report;
}

// A line per stage, and each partition that is wrong; wide: each partition.
Report verify_report(const inspect::Verified& verified, bool wide) {
  Report report;
  report.table = {{"", "WHAT", "SUM"}};
  const auto row = [&](bool holds, std::string what, std::string sum) {
    report.table.push_back({holds ? "ok" : "WRONG", std::move(what), std::move(sum)});
  };
  for (const inspect::StageSum& stage : verified.stages) {
    if (wide) break;
    row(stage.holds, fmt::format("stage {}, {} partitions", stage.stage, stage.partitions),
        inspect::equation(stage.fates));
  }
  Value::Array sums;
  for (const inspect::Sum& sum : verified.sums) {
    if (wide || !sum.of_partition || !sum.holds) row(sum.holds, sum.what, sum.equation);
    sums.push_back(
        Value::Object{{"what", sum.what}, {"equation", sum.equation}, {"holds", sum.holds}});
  }
  report.footer =
      verified.holds() ? "every record is accounted for\n" : "some sums do not add up\n";
  report.tree = Value::Object{{"holds", verified.holds()}, {"sums", std::move(sums)}};
  return report;
}

Value letter_value(const inspect::Letter& letter) {
  return Value::Object{{"stage", letter.stage},
                       {"topic", letter.topic},
                       {"partition", static_cast<int64_t>(letter.partition)},
                       {"offset", letter.offset.value},
                       {"step", letter.step},
                       {"reason", letter.reason},
                       {"detail", letter.detail},
                       {"timestamp_millis", letter.timestamp.value},
                       {"key", letter.key ? Value(shown_bytes(*letter.key)) : Value()},
                       {"value_hex", letter.value ? Value(hex(*letter.value)) : Value()}};
}

Report dead_report(const std::vector<inspect::StageLetters>& stages) {
  Report report;
  report.table = {{"STAGE", "FROM", "PARTITION", "OFFSET", "STEP", "REASON", "DETAIL", "VALUE"}};
  Value::Array letters;
  std::map<std::string, uint64_t> totals;
  Value::Array topics;
  for (const inspect::StageLetters& one : stages) {
    report.footer += fmt::format("{}: {} dead letters\n", one.topic, one.distinct);
    topics.push_back(
        Value::Object{{"topic", one.topic}, {"distinct", one.distinct}, {"repeats", one.repeats}});
    for (const inspect::Letter& letter : one.newest) {
      report.table.push_back({letter.stage, letter.topic, std::to_string(letter.partition),
                              std::to_string(letter.offset.value), letter.step, letter.reason,
                              letter.detail,
                              letter.value ? shown_bytes(*letter.value).substr(0, 60) : "null"});
      letters.push_back(letter_value(letter));
    }
  }
  report.tree = Value::Object{{"topics", std::move(topics)}, {"letters", std::move(letters)}};
  return report;
}

Failure no_stage(const plan::Plan& plan, const std::string& name) {
  std::vector<std::string_view> names;
  for (const plan::Stage& stage : plan.stages) names.push_back(stage.name);
  return fail("U002"_code, fmt::format("the pipeline has no stage \"{}\"", name))
      .hint(did_you_mean(name, names));
}

}  // namespace

bool is_look(std::string_view verb) {
  return verb == "status" || verb == "lag" || verb == "tail" || verb == "dead" ||
         verb == "verify" || verb == "trace";
}

Result<int> look(const Options& options, const Looked& at, ops::Output& output) {
  if (options.verb == "tail") return tail(options, at, output);
  if (options.verb == "trace") return trace(options, at, output);
  if (options.verb == "dead") {
    if (!options.stage.empty() && at.plan.stage(options.stage) == nullptr)
      return no_stage(at.plan, options.stage);
    PENSTOCK_TRY(letters, inspect::dead_letters(at.plan, at.log, options.stage, options.limit));
    output.out(print(dead_report(letters), options.format));
    return 0;
  }
  PENSTOCK_TRY(snapshot, inspect::look(at.plan, at.log, at.store_of));
  if (options.verb == "lag") {
    output.out(print(lag_report(snapshot, options.format == Format::wide), options.format));
    return 0;
  }
  if (options.verb == "status") {
    output.out(print(status_report(at, snapshot), options.format));
    return 0;
  }
  PENSTOCK_TRY(verified, inspect::verify(at.plan, at.log, snapshot,
                                         {at.plan.log.part == "embedded", at.busy}));
  output.out(print(verify_report(verified, options.format == Format::wide), options.format));
  return verified.holds() ? 0 : 1;
}

}  // namespace penstock::app
