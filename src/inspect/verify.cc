#include "inspect/verify.h"

#include "inspect/dead.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::inspect {
namespace {

// What all groups of the log say they wrote, by topic.
using Written = std::map<std::string, uint64_t, std::less<>>;

void add_counts(const flow::Fates& fates, Written& written) {
  for (const auto& [name, count] : fates.out) written[name] += count;
  for (const auto& [name, count] : fates.copied) written[name] += count;
}

// Every record up to the position was read once. Where retention took the oldest, a group that came
// later began there: it read at least what is still kept.
Sum verify_position(const Snapshot& snapshot, const PartitionLag& one) {
  Sum sum;
  sum.what = fmt::format("stage {}, {}/{}", one.stage, one.topic, one.partition);
  Offset start;
  if (const flow::TopicState* topic = snapshot.topic(one.topic); topic != nullptr) {
    const auto found =
        std::ranges::find(topic->partitions, one.partition, &flow::PartitionState::index);
    if (found != topic->partitions.end()) start = found->start;
  }
  const auto in = static_cast<int64_t>(one.fates.in);
  if (start.value == 0) {
    sum.equation = fmt::format("in {} = position {}", in, one.position.value);
    sum.holds = in == one.position.value;
  } else {
    sum.equation =
        fmt::format("in {} ≤ position {}, first kept {}", in, one.position.value, start.value);
    sum.holds = in <= one.position.value && in >= one.position.value - start.value;
  }
  return sum;
}

// What was counted after the fates had been read: more of it, while the pipeline runs.
bool matches(uint64_t counted, uint64_t told, const VerifyHow& how) {
  return how.running ? counted >= told : counted == told;
}
std::string_view relation(const VerifyHow& how) { return how.running ? "≥" : "="; }

StageSum& sum_of(std::string_view stage, Verified& verified) {
  const auto found = std::ranges::find(verified.stages, stage, &StageSum::stage);
  if (found != verified.stages.end()) return *found;
  return verified.stages.emplace_back(StageSum{std::string(stage), 0, {}, true});
}

void verify_partitions(const Snapshot& snapshot, bool dense, Verified& verified) {
  for (const PartitionLag& one : snapshot.stages) {
    StageSum& stage = sum_of(one.stage, verified);
    ++stage.partitions;
    stage.fates.add(one.fates);
    const auto add = [&](Sum sum) {
      stage.holds &= sum.holds;
      sum.of_partition = true;
      verified.sums.push_back(std::move(sum));
    };
    add({fmt::format("stage {}, {}/{}", one.stage, one.topic, one.partition), equation(one.fates),
         one.fates.adds_up()});
    if (dense) add(verify_position(snapshot, one));
  }
}

// The stages' own fates come with the snapshot; every other group of this pipeline is a file or a
// producer.
Written all_written(const plan::Plan& plan, const Snapshot& snapshot) {
  Written written;
  for (const PartitionLag& one : snapshot.stages) add_counts(one.fates, written);
  for (const flow::GroupState& group : snapshot.groups) {
    const bool is_stage = std::ranges::any_of(
        plan.stages, [&](const plan::Stage& stage) { return stage.group == group.name; });
    if (is_stage || !group.name.starts_with(plan.pipeline + ".")) continue;
    for (const flow::GroupPosition& position : group.positions) add_counts(position.fates, written);
  }
  return written;
}

bool is_dead_topic(const plan::Plan& plan, std::string_view name) {
  return std::ranges::any_of(plan.stages,
                             [&](const plan::Stage& stage) { return stage.dead_topic == name; });
}

void verify_topics(const plan::Plan& plan, const Snapshot& snapshot, const Written& written,
                   const VerifyHow& how, Verified& verified) {
  for (const flow::TopicState& topic : snapshot.topics) {
    if (plan.topic(topic.name) == nullptr || is_dead_topic(plan, topic.name)) continue;
    uint64_t records = 0;
    for (const flow::PartitionState& partition : topic.partitions)
      records += static_cast<uint64_t>(partition.end.value);
    const auto told = written.find(topic.name);
    const uint64_t expected = told == written.end() ? 0 : told->second;
    verified.sums.push_back(
        {fmt::format("topic {}", topic.name),
         fmt::format("records {} {} written {}", records, relation(how), expected),
         matches(records, expected, how)});
  }
}

// Letters that retention took are not missed: then there may be fewer.
Result<void> verify_dead(const plan::Plan& plan, flow::Log& log, const Snapshot& snapshot,
                         const VerifyHow& how, Verified& verified) {
  PENSTOCK_TRY(letters, dead_letters(plan, log, "", 0));
  for (const StageLetters& one : letters) {
    uint64_t told = 0;
    for (const PartitionLag& lag : snapshot.stages) {
      const plan::Stage* stage = plan.stage(lag.stage);
      if (stage != nullptr && stage->dead_topic == one.topic) told += lag.fates.dead;
    }
    bool whole = true;
    if (const flow::TopicState* topic = snapshot.topic(one.topic); topic != nullptr) {
      whole =
          std::ranges::all_of(topic->partitions, [](const auto& p) { return p.start.value == 0; });
    }
    verified.sums.push_back(
        {fmt::format("topic {}", one.topic),
         fmt::format("letters {} {} dead {}", one.distinct, !whole ? "≤" : relation(how), told),
         !whole ? one.distinct <= told : matches(one.distinct, told, how)});
  }
  return {};
}

void verify_stores(const plan::Plan& plan, const Snapshot& snapshot, const Written& written,
                   Verified& verified) {
  for (const Snapshot::StoreRows& one : snapshot.stores) {
    const plan::Store* store = plan.store(one.store);
    if (store == nullptr || !one.rows) continue;
    const auto told = written.find(one.store);
    const uint64_t expected = told == written.end() ? 0 : told->second;
    const bool append = store->table.merge == flow::Merge::append;
    verified.sums.push_back(
        {fmt::format("store {}", one.store),
         fmt::format("rows {} {} written {}", *one.rows, append ? "=" : "≤", expected),
         append ? *one.rows == expected : *one.rows <= expected});
  }
}

}  // namespace

std::string equation(const flow::Fates& fates) {
  return fmt::format("in {} = out {} + dropped {} + dead {} + absorbed {}", fates.in,
                     fates.out.total(), fates.dropped.total(), fates.dead, fates.absorbed);
}

bool Verified::holds() const { return std::ranges::all_of(sums, &Sum::holds); }

Result<Verified> verify(const plan::Plan& plan, flow::Log& log, const Snapshot& snapshot,
                        const VerifyHow& how) {
  Verified verified;
  const Written written = all_written(plan, snapshot);
  verify_partitions(snapshot, how.dense, verified);
  if (how.dense) verify_topics(plan, snapshot, written, how, verified);
  PENSTOCK_TRY_VOID(verify_dead(plan, log, snapshot, how, verified));
  verify_stores(plan, snapshot, written, verified);
  return verified;
}

}  // namespace penstock::inspect
