// store_contract_cut.h — lost requests before a store that has none: its sinks' claims and commits
// do not reach it, or their answers are lost.
//
// For stores in a file, whose harness has nothing between the store and its world to cut.
//
// Thread      one; the store behind it may have more.
// Lifetime    the store outlives this, this outlives its sinks.
//
//     CutStore cutting(store);
//     cutting.cut = StoreCut{.after = 0, .applied = true};   // the next claim's or commit's answer
#pragma once

#include "flow/store_contract.h"

namespace penstock::flow {

class CutStore final : public Store {
 public:
  explicit CutStore(Store& store) : store_(store) {}
  std::optional<StoreCut> cut;
  bool away = false;

  Result<void> create_missing(const StoreTable& table) override {
    return store_.create_missing(table);
  }
  Result<StoreState> state(const StoreSpec& spec) override { return store_.state(spec); }
  Result<std::vector<std::string>> newest(const StoreTable& table, uint32_t limit,
                                          const std::optional<RowFilter>& of) override {
    return store_.newest(table, limit, of);
  }
  Result<std::unique_ptr<StoreSink>> open_sink(const StoreSpec& spec, Waker& waker) override {
    PENSTOCK_TRY(sink, store_.open_sink(spec, waker));
    return std::make_unique<CutSink>(*this, std::move(sink), waker);
  }

 private:
  class CutSink final : public StoreSink {
   public:
    CutSink(CutStore& owner, std::unique_ptr<StoreSink> sink, Waker& waker)
        : owner_(owner), sink_(std::move(sink)), waker_(waker) {}
    void begin_claim(PartitionSet partitions, Membership membership) override {
      lost_ = ClaimFailed{gone(), true};
      if (reaches()) sink_->begin_claim(std::move(partitions), std::move(membership));
    }
    void begin_commit(Commit commit) override {
      lost_ = Ended{owner_.away ? CommitEnd::retry : CommitEnd::unknown, {}, {}, gone()};
      if (reaches()) sink_->begin_commit(std::move(commit));
    }
    WriteAnswer write(const StoreRows& rows) override { return sink_->write(rows); }
    void begin_abort() override { sink_->begin_abort(); }
    void release(const PartitionSet& partitions) override { sink_->release(partitions); }
    SinkEvent poll() override {
      if (at_once_) {
        at_once_ = false;
        return lost_;
      }
      SinkEvent event = sink_->poll();
      if (!loses_ || std::holds_alternative<Waiting>(event)) return event;
      loses_ = false;
      return lost_;
    }

   private:
    static Error gone() { return fail("S006"_code, "the store does not answer").take(); }
    // Whether the store hears of it.
    bool reaches() {
      const bool cut = owner_.cut && owner_.cut->after-- == 0;
      const bool applied = cut && owner_.cut->applied;
      if (cut) owner_.cut.reset();
      at_once_ = owner_.away || (cut && !applied);
      loses_ = applied;
      if (at_once_) waker_.wake();
      return !at_once_;
    }

    CutStore& owner_;
    std::unique_ptr<StoreSink> sink_;
    Waker& waker_;
    SinkEvent lost_;
    bool at_once_ = false;
    bool loses_ = false;
  };

  Store& store_;
};

}  // namespace penstock::flow
