#include "inspect/dead.h"

#include "flow/dead_letter.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_set>
#include <utility>

namespace penstock::inspect {
namespace {

std::optional<std::string> owned(const std::optional<ByteView>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

Letter to_letter(const flow::DeadLetter& from) {
  return {std::string(from.stage),
          std::string(from.topic),
          std::string(from.lineage),
          std::string(from.step),
          std::string(from.reason),
          std::string(from.detail),
          from.partition,
          from.offset,
          from.timestamp,
          owned(from.key),
          owned(from.value)};
}

// Gathers one topic's letters, partition by partition.
class Gatherer {
 public:
  Gatherer(std::string topic, int64_t limit) : limit_(limit) { result_.topic = std::move(topic); }

  void take(const row::RawRecord& record) {
    const auto letter = record.has_value ? flow::read_dead_letter(record.value) : std::nullopt;
    if (!letter) {
      ++result_.unreadable;
      return;
    }
    if (!seen_
             .insert(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", letter->stage, letter->topic,
                                 letter->lineage, letter->partition, letter->offset.value,
                                 letter->step))
             .second) {
      ++result_.repeats;
      return;
    }
    ++result_.distinct;
    kept_.push_back(to_letter(*letter));
    if (limit_ >= 0 && kept_.size() > static_cast<size_t>(limit_)) kept_.pop_front();
  }

  StageLetters finish() && {
    result_.newest.assign(std::make_move_iterator(kept_.begin()),
                          std::make_move_iterator(kept_.end()));
    return std::move(result_);
  }

 private:
  int64_t limit_;
  StageLetters result_;
  std::deque<Letter> kept_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Result<std::vector<StageLetters>> dead_letters(const plan::Plan& plan, flow::Log& log,
                                               std::string_view stage, int64_t limit) {
  std::vector<StageLetters> all;
  PENSTOCK_TRY(topics, log.topics());
  for (const plan::Stage& one : plan.stages) {
    if (!stage.empty() && stage != one.id && stage != one.name) continue;
    if (std::ranges::find(all, one.dead_topic, &StageLetters::topic) != all.end()) continue;
    Gatherer gatherer(one.dead_topic, limit);
    const auto topic = std::ranges::find(topics, one.dead_topic, &flow::TopicState::name);
    if (topic != topics.end()) {
      for (const flow::PartitionState& partition : topic->partitions) {
        for (Offset at = partition.start; at < partition.end;) {
          PENSTOCK_TRY(batch, log.read(one.dead_topic, partition.index, at, {}, &at));
          if (batch.records.empty()) break;
          for (const row::RawRecord& record : batch.records) gatherer.take(record);
        }
      }
    }
    all.push_back(std::move(gatherer).finish());
  }
  return all;
}

}  // namespace penstock::inspect
