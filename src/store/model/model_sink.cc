#include "base/check.h"
#include "store/model/model_contents.h"
#include "store/model/model_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace penstock::store {

class ModelSink final : public flow::StoreSink {
 public:
  ModelSink(Act act, std::shared_ptr<ModelStore::Contents> contents,
            std::shared_ptr<ModelFaults> faults, flow::StoreSpec spec, flow::Waker& waker)
      : act_(act),
        contents_(std::move(contents)),
        faults_(std::move(faults)),
        spec_(std::move(spec)),
        waker_(&waker) {}
  ~ModelSink() override { forget_rows(); }

  void begin_claim(flow::PartitionSet partitions, flow::Membership) override {
    const Fate fate = next_fate(*faults_);
    if (fate == Fate::not_done) return end(flow::ClaimFailed{gone(), true});
    const std::lock_guard lock(contents_->mutex);
    flow::Claimed claimed;
    for (const Partition partition : partitions) {
      const PositionKey key = position_key(partition);
      if (const std::string other = other_lineage(key, partition); !other.empty()) {
        end(flow::ClaimFailed{fail("S003"_code, other).take(), false});
        return;
      }
      ModelPosition& position = contents_->positions[key];
      position.topic = spec_.inputs[partition.topic];
      ++position.term.value;
      claimed.owned.push_back({partition,
                               position.term,
                               position.next,
                               position.fates,
                               position.committed ? flow::Start::resumed : flow::Start::first,
                               {}});
    }
    if (fate == Fate::done_but_lost) return end(flow::ClaimFailed{gone(), true});
    end(std::move(claimed));
  }

  flow::WriteAnswer write(const flow::StoreRows& rows) override {
    PENSTOCK_CHECK(!event_);
    const std::lock_guard lock(contents_->mutex);
    if (rows_.empty() && rows.count > 0) ++contents_->open_epochs;
    if (rows.count > 0) rows_.push_back(rows);
    return flow::WriteAnswer::accepted;
  }

  void begin_commit(flow::Commit commit) override {
    PENSTOCK_CHECK(!commit.partitions.empty());
    if (faults_->away) return end(lost(flow::CommitEnd::retry));
    if (act_ == Act::keyed_puts) {
      flow::Ended ended = put_all(commit);
      if (ended.end == flow::CommitEnd::done) forget_rows();
      return end(std::move(ended));
    }
    const bool apart = faults_->bug == ModelFaults::Bug::positions_apart;
    flow::Ended ended = request([&] { return try_commit(commit, !apart); });
    if (apart && ended.end == flow::CommitEnd::done)
      ended = request([&] { return move_positions(commit); });
    if (ended.end == flow::CommitEnd::unknown && faults_->bug == ModelFaults::Bug::blind_resend) {
      resending_ = true;
      ended = try_commit(commit, true);
      resending_ = false;
    }
    if (ended.end == flow::CommitEnd::done) forget_rows();
    end(std::move(ended));
  }

  void begin_abort() override {
    forget_rows();
    end(flow::Aborted{});
  }

  flow::SinkEvent poll() override {
    if (!event_) return flow::Waiting{};
    return *std::exchange(event_, std::nullopt);
  }

  void release(const flow::PartitionSet&) override {}

 private:
  PositionKey position_key(Partition partition) const {
    return {spec_.pipeline, spec_.stage, spec_.store, spec_.lineages[partition.topic],
            partition.index};
  }

  // Says what is wrong when this topic's position stands there under another lineage only.
  std::string other_lineage(const PositionKey& key, Partition partition) const {
    if (contents_->positions.contains(key)) return {};
    for (const auto& [known, position] : contents_->positions) {
      const bool same = std::get<0>(known) == spec_.pipeline && std::get<1>(known) == spec_.stage &&
                        std::get<2>(known) == spec_.store &&
                        std::get<4>(known) == partition.index &&
                        position.topic == spec_.inputs[partition.topic];
      if (same && position.committed)
        return fmt::format("topic \"{}\" is not the one that was read before", position.topic);
    }
    return {};
  }

  static Error gone() { return fail("S006"_code, "the store does not answer").take(); }
  static flow::Ended lost(flow::CommitEnd end) { return {end, {}, {}, gone()}; }

  flow::Ended request(const std::function<flow::Ended()>& run) {
    const Fate fate = next_fate(*faults_);
    if (fate == Fate::not_done) return lost(flow::CommitEnd::unknown);
    flow::Ended ended = run();
    return fate == Fate::answered ? ended : lost(flow::CommitEnd::unknown);
  }

  bool owns(const flow::PartitionCommit& moved) const {
    if (faults_->bug == ModelFaults::Bug::no_swap || resending_) return true;
    const auto it = contents_->positions.find(position_key(moved.partition));
    return it != contents_->positions.end() && it->second.next == moved.from &&
           it->second.term == moved.term;
  }

  flow::Ended try_commit(const flow::Commit& commit, bool with_positions) {
    const std::lock_guard lock(contents_->mutex);
    for (const flow::PartitionCommit& moved : commit.partitions) {
      if (!owns(moved)) return fenced();
    }
    flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
    std::vector<std::pair<PreparedRow, ModelOrigin>> prepared = prepare_rows(ended);
    if (!ended.rejected.empty()) return rejected(std::move(ended));
    ModelTable& table = this->table();
    for (auto& [row, origin] : prepared) contents_->apply(table, std::move(row), origin);
    if (with_positions) set_positions(commit, ended);
    return ended;
  }

  // The items a few at a time, then the positions.
  flow::Ended put_all(const flow::Commit& commit) {
    constexpr size_t kItemsPerRequest = 4;
    flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
    std::vector<std::pair<PreparedRow, ModelOrigin>> prepared = prepare_rows(ended);
    if (!ended.rejected.empty()) return rejected(std::move(ended));
    const Term term = commit.partitions.front().term;
    for (size_t i = 0; i < prepared.size(); i += kItemsPerRequest) {
      const flow::Ended put = request([&] {
        const std::lock_guard lock(contents_->mutex);
        for (size_t j = i; j < std::min(i + kItemsPerRequest, prepared.size()); ++j) {
          auto& [row, origin] = prepared[j];
          contents_->put(table(), std::move(row), origin, term, faults_->bug);
        }
        return flow::Ended{flow::CommitEnd::done, {}, {}, {}};
      });
      if (put.end != flow::CommitEnd::done) return put;
    }
    for (const flow::PartitionCommit& moved : commit.partitions) {
      const flow::Commit one{{moved}, commit.membership};
      const flow::Ended set = request([&] { return owns(moved) ? move_positions(one) : fenced(); });
      if (set.end != flow::CommitEnd::done) return set;
      ended.durable.set(moved.partition, moved.next);
    }
    return ended;
  }

  static flow::Ended fenced() {
    return {flow::CommitEnd::fenced,
            {},
            {},
            fail("S004"_code, "another worker owns this partition").take()};
  }
  flow::Ended rejected(flow::Ended ended) {
    ended.end = flow::CommitEnd::rejected;
    for (const flow::RejectedRow& row : ended.rejected) refused_.insert(row.row);
    ended.error = fail("S007"_code, "the store refused rows").take();
    return ended;
  }
  ModelTable& table() const {
    const auto table = contents_->tables.find(spec_.table.table);
    PENSTOCK_CHECK(table != contents_->tables.end());
    return table->second;
  }

  flow::Ended move_positions(const flow::Commit& commit) {
    const std::lock_guard lock(contents_->mutex);
    flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
    set_positions(commit, ended);
    return ended;
  }

  void set_positions(const flow::Commit& commit, flow::Ended& ended) {
    for (const flow::PartitionCommit& moved : commit.partitions) {
      ModelPosition& position = contents_->positions[position_key(moved.partition)];
      position.next = moved.next;
      position.fates = moved.fates;
      position.committed = true;
      ended.durable.set(moved.partition, moved.next);
    }
  }

  std::vector<std::pair<PreparedRow, ModelOrigin>> prepare_rows(flow::Ended& ended) const {
    std::vector<std::pair<PreparedRow, ModelOrigin>> prepared;
    for (const flow::StoreRows& rows : rows_) {
      for (uint32_t i = 0; i < rows.count; ++i) {
        const flow::RowId id = rows.ids[i];
        if (refused_.contains(id)) continue;
        PreparedRow row = prepare(spec_.table, rows, i, faults_->refuse_above);
        if (!row.reason.empty()) ended.rejected.push_back({id, row.reason, "a column refuses it"});
        const uint32_t topic = id.partition.topic;
        prepared.emplace_back(
            std::move(row),
            ModelOrigin{spec_.inputs[topic], spec_.lineages[topic], id.partition.index, id.offset});
      }
    }
    return prepared;
  }

  void forget_rows() {
    const std::lock_guard lock(contents_->mutex);
    if (!rows_.empty()) --contents_->open_epochs;
    rows_.clear();
    refused_.clear();
  }

  void end(flow::SinkEvent event) {
    PENSTOCK_CHECK(!event_);
    event_ = std::move(event);
    waker_->wake();
  }

  Act act_;
  std::shared_ptr<ModelStore::Contents> contents_;
  std::shared_ptr<ModelFaults> faults_;
  flow::StoreSpec spec_;
  flow::Waker* waker_;
  std::vector<flow::StoreRows> rows_;  // of the open epoch
  std::set<flow::RowId> refused_;      // of those, what the store refused
  std::optional<flow::SinkEvent> event_;
  bool resending_ = false;  // the bug's
};

Result<std::unique_ptr<flow::StoreSink>> ModelStore::open_sink(const flow::StoreSpec& spec,
                                                               flow::Waker& waker) {
  PENSTOCK_CHECK(spec.inputs.size() == spec.lineages.size());
  PENSTOCK_TRY_VOID(create_missing(spec.table));
  return std::make_unique<ModelSink>(act_, contents_, faults_, spec, waker);
}

}  // namespace penstock::store
