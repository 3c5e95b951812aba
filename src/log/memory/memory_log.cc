#include "log/memory/memory_log.h"

#include "base/check.h"
#include "flow/dead_letter.h"
#include "log/memory/memory_sink.h"
#include "log/memory/memory_source.h"

#include <algorithm>
#include <utility>

namespace penstock::log {
namespace {

class MemorySchemas final : public flow::SchemaSource {
 public:
  Found find(uint64_t fingerprint) override {
    const auto at = schemas_.find(fingerprint);
    return {at == schemas_.end() ? nullptr : at->second, true};
  }
  Result<void> add(const avro::SchemaPtr& schema) override {
    schemas_.emplace(schema->fingerprint(), schema);
    return {};
  }
  std::vector<avro::SchemaPtr> all() override {
    std::vector<avro::SchemaPtr> found;
    for (const auto& entry : schemas_) found.push_back(entry.second);
    return found;
  }

 private:
  std::map<uint64_t, avro::SchemaPtr> schemas_;
};

}  // namespace

MemoryLog::MemoryLog(MemoryLogSettings settings)
    : settings_(std::move(settings)), schemas_(std::make_unique<MemorySchemas>()) {}
MemoryLog::~MemoryLog() = default;

Result<std::vector<std::string>> MemoryLog::create_missing(
    const std::vector<flow::TopicSpec>& topics) {
  std::vector<std::string> made;
  for (const flow::TopicSpec& spec : topics) {
    if (find_topic(spec.name) != nullptr) continue;
    auto topic = std::make_unique<Topic>();
    topic->spec = spec;
    if (!spec.letters_of.empty()) topic->record_bytes_max += flow::kMaxLetterBytes;
    topic->lineage = "m" + std::to_string(++lineages_);
    for (int32_t i = 0; i < spec.partitions; ++i) {
      topic->partitions.push_back(std::make_unique<TopicPartition>());
    }
    topics_.emplace(spec.name, std::move(topic));
    made.push_back(spec.name);
  }
  return made;
}

void MemoryLog::set_record_bytes_max(std::string_view topic, uint64_t bytes) {
  find_topic(topic)->record_bytes_max = bytes;
}

void MemoryLog::declare_groups(const std::vector<flow::SourceSpec>& groups) { declared_ = groups; }

Topic* MemoryLog::find_topic(std::string_view name) {
  const auto at = topics_.find(name);
  return at == topics_.end() ? nullptr : at->second.get();
}

Result<std::vector<Topic*>> MemoryLog::find_topics(const std::vector<std::string>& names) {
  std::vector<Topic*> found;
  for (const std::string& name : names) {
    found.push_back(find_topic(name));
    if (found.back() == nullptr) return fail("L001"_code, "there is no topic " + name);
  }
  return found;
}

Group& MemoryLog::group(const std::string& name) {
  auto& slot = groups_[name];
  if (slot == nullptr) slot = std::make_unique<Group>(name, now_);
  return *slot;
}

Result<std::unique_ptr<flow::Source>> MemoryLog::open_source(const flow::SourceSpec& spec,
                                                             flow::Waker& waker) {
  PENSTOCK_TRY(found, find_topics(spec.topics));
  return std::make_unique<MemorySource>(*this, spec, std::move(found), group(spec.group), waker);
}

Result<std::unique_ptr<flow::LogSink>> MemoryLog::open_sink(const flow::SinkSpec& spec,
                                                            flow::Waker& waker) {
  PENSTOCK_TRY(found, find_topics(spec.outputs));
  return std::make_unique<MemorySink>(*this, spec, std::move(found), group(spec.group), waker);
}

Result<std::unique_ptr<flow::Appender>> MemoryLog::open_appender(
    const std::vector<std::string>& topics, flow::Waker&) {
  PENSTOCK_TRY(found, find_topics(topics));
  return std::make_unique<MemoryAppender>(*this, std::move(found));
}

flow::SchemaSource& MemoryLog::schemas() { return *schemas_; }

Result<std::vector<flow::TopicState>> MemoryLog::topics() {
  std::vector<flow::TopicState> states;
  for (const auto& [name, topic] : topics_) {
    flow::TopicState state{name, topic->lineage, topic->spec.keep_millis, {}};
    for (const auto& partition : topic->partitions) {
      state.partitions.push_back(
          {static_cast<int32_t>(state.partitions.size()), partition->start(), partition->end()});
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<std::vector<flow::GroupState>> MemoryLog::groups() {
  std::vector<flow::GroupState> states;
  for (const auto& [name, group] : groups_) {
    flow::GroupState state{name, {}, group->members()};
    for (const auto& [input, position] : group->positions()) {
      if (!position.known) continue;
      state.positions.push_back({input.first, input.second, position.next, position.fates});
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<row::RawBatch> MemoryLog::read(std::string_view topic, int32_t partition, Offset from,
                                      const flow::PollLimits& limits, Offset* next) {
  const Topic* found = find_topic(topic);
  const auto index = static_cast<size_t>(partition);
  if (found == nullptr || index >= found->partitions.size()) {
    return fail("L001"_code,
                "there is no partition " + std::string(topic) + "/" + std::to_string(partition));
  }
  row::RawBatch batch;
  batch.partition.index = partition;
  const TopicPartition& records = *found->partitions[index];
  *next = from;
  records.read(*next, records.stable_end(), limits, false, batch);
  return batch;
}

void MemoryLog::wake_all() {
  for (flow::Waker* waker : wakers_) waker->wake();
}

// ---- transactions

bool MemoryLog::stale(const Transaction& transaction) const {
  const auto at = producer_epochs_.find(transaction.producer);
  return at != producer_epochs_.end() && at->second != transaction.producer_epoch;
}

bool MemoryLog::pending_offsets(const std::string& group, const std::string& input,
                                int32_t index) const {
  if (settings_.flaw == MemoryFlaw::claim_unstable) return false;
  for (const TransactionPtr& open : open_) {
    if (!open->offsets_sent || open->group != group) continue;
    if (settings_.flaw == MemoryFlaw::late_end_accepted && stale(*open)) continue;
    for (const flow::PartitionCommit& moved : open->offsets.partitions) {
      if (moved.partition.index == index && open->inputs[moved.partition.topic] == input) {
        return true;
      }
    }
  }
  return false;
}

void MemoryLog::end(Transaction& transaction, bool commit) {
  using State = Transaction::State;
  if (transaction.state != State::open) return;
  transaction.state = commit ? State::committed : State::aborted;
  for (TopicPartition* touched : transaction.touched)
    touched->end_transaction(&transaction, commit);
  if (commit && transaction.offsets_sent) {
    Group& of = group(transaction.group);
    for (const flow::PartitionCommit& moved : transaction.offsets.partitions) {
      Group::Position& position =
          of.position({transaction.inputs[moved.partition.topic], moved.partition.index});
      position.known = true;
      position.next = moved.next;
      position.fates = moved.fates;
    }
    apply_state(transaction, of);
  }
  std::erase_if(open_, [&](const TransactionPtr& t) { return t.get() == &transaction; });
  wake_all();
}

void MemoryLog::apply_state(const Transaction& transaction, Group& of) {
  for (const Transaction::Change& change : transaction.changes) {
    auto& rows = of.position({transaction.inputs[change.input.topic], change.input.index}).state;
    if (change.gone) {
      rows.erase(change.row.key);
    } else {
      rows[change.row.key] = change.row.value;
    }
  }
}

// The request that ends a transaction has come to the log.
void MemoryLog::arrive(Transaction& transaction) {
  const bool refused = stale(transaction) && settings_.flaw != MemoryFlaw::late_end_accepted;
  transaction.ends = kNever;
  end(transaction, !refused);
}

// ---- time and faults

void MemoryLog::advance(Millis now) {
  now_ = now;
  const auto open = open_;
  for (const TransactionPtr& transaction : open) {
    if (transaction->ends <= now) {
      arrive(*transaction);
    } else if (transaction->ends == kNever &&
               transaction->started + settings_.transaction_millis <= now) {
      end(*transaction, false);
    }
  }
  for (const auto& entry : groups_) {
    Group& group = *entry.second;
    const uint32_t before = group.members();
    if (settings_.session_millis > 0) group.advance(now, settings_.session_millis);
    if (group.members() != before) wake_all();
  }
}

Millis MemoryLog::next_event() const {
  Millis at = kNever;
  for (const TransactionPtr& transaction : open_) {
    at = std::min(at, transaction->ends == kNever
                          ? transaction->started + settings_.transaction_millis
                          : transaction->ends);
  }
  if (settings_.session_millis > 0) {
    for (const auto& entry : groups_) {
      at = std::min(at, entry.second->next_end_of_session(settings_.session_millis));
    }
  }
  return at;
}

void MemoryLog::alive(std::string_view member) {
  for (const auto& entry : groups_) entry.second->alive(member);
}

void MemoryLog::evict(std::string_view member) {
  for (const auto& entry : groups_) entry.second->evict(member);
  wake_all();
}

void MemoryLog::lose_next_answer(bool written) {
  lose_ = written ? LoseAnswer::written : LoseAnswer::not_written;
}

void MemoryLog::retain(Millis now) {
  for (const auto& [name, topic] : topics_) {
    if (topic->spec.keep_millis < 0) continue;
    for (size_t p = 0; p < topic->partitions.size(); ++p) {
      Offset read = topic->partitions[p]->end();
      for (const flow::SourceSpec& spec : declared_) {
        if (std::find(spec.topics.begin(), spec.topics.end(), name) == spec.topics.end()) continue;
        const auto& position = group(spec.group).position({name, static_cast<int32_t>(p)});
        read = std::min(read, position.known ? position.next : topic->partitions[p]->start());
      }
      topic->partitions[p]->trim(read, now + -topic->spec.keep_millis);
    }
  }
}

}  // namespace penstock::log
