#include "faulty_sink.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

namespace penstock::sim {
namespace {

Error fault_error(Fault fault) {
  return fail("L001"_code, "injected: " + std::string(kFaultNames[static_cast<size_t>(fault)]))
      .take();
}

// One operation of a sink on its way through the faults.
class Passage {
 public:
  Passage(World& world, Slot& slot) : world_(world), slot_(slot) {}

  // Calls `pass` unless the fault keeps the request from arriving.
  template <class Pass>
  void begin(Point point, Pass&& pass, flow::SinkEvent (*refused)(Fault)) {
    forced_.reset();
    swallow_ = false;
    deliver_at_ = world_.now();
    fault_ = world_.draw(slot_, point);
    if (fault_ == Fault::crash_before) throw Crash{};
    const bool outage = world_.in_outage() && applies(Fault::retry, point);
    const bool arrives = !outage && fault_ != Fault::lost_undone && fault_ != Fault::retry &&
                         fault_ != Fault::refuse;
    if (arrives) {
      pass();
      swallow_ = fault_ == Fault::lost_done;
      if (fault_ == Fault::lost_early) forced_ = refused(Fault::lost_early);
    } else {
      forced_ = refused(outage ? Fault::retry : fault_);
    }
    const uint64_t late = fault_ == Fault::delay ? 20 + world_.random().below(300) : 0;
    deliver_at_ = world_.now() + static_cast<int64_t>(late + world_.random().below(4));
    world_.wake_at(slot_, deliver_at_);
    if (fault_ == Fault::crash_after) throw Crash{};
  }

  template <class Poll>
  flow::SinkEvent poll(Poll&& inner) {
    if (world_.now() < deliver_at_) {
      world_.wake_at(slot_, deliver_at_);
      return flow::Waiting{};
    }
    if (forced_) return *std::exchange(forced_, std::nullopt);
    flow::SinkEvent event = inner();
    if (!swallow_ || std::holds_alternative<flow::Waiting>(event)) return event;
    swallow_ = false;
    return flow::Ended{flow::CommitEnd::unknown, {}, {}, fault_error(Fault::lost_done)};
  }

  flow::WriteAnswer write(flow::WriteAnswer (*pass)(void*), void* with) {
    const Fault fault = world_.draw(slot_, Point::write);
    if (fault == Fault::crash_before) throw Crash{};
    if (fault == Fault::full) return flow::WriteAnswer::full;
    if (fault == Fault::error) return flow::WriteAnswer::error;
    const flow::WriteAnswer answer = pass(with);
    if (fault == Fault::crash_after) throw Crash{};
    return answer;
  }

  // For --trace.
  void tell(const flow::Commit& commit) {
    for (const flow::PartitionCommit& moved : commit.partitions) {
      world_.note(slot_, fmt::format("commits {}: {} to {}", moved.partition.index,
                                     moved.from.value, moved.next.value));
    }
  }
  void tell(const flow::SinkEvent& event) {
    if (const auto* claimed = std::get_if<flow::Claimed>(&event)) {
      for (const flow::Owned& owned : claimed->owned) {
        world_.note(slot_,
                    fmt::format("claimed {} at {}", owned.partition.index, owned.next.value));
      }
    } else if (const auto* ended = std::get_if<flow::Ended>(&event)) {
      world_.note(slot_, fmt::format("ended {}", static_cast<int>(ended->end)));
    }
  }
  bool tracing() const { return world_.tracing(); }

  Fault fault() const { return fault_; }
  World& world() { return world_; }

 private:
  World& world_;
  Slot& slot_;
  Fault fault_ = Fault::none;
  std::optional<flow::SinkEvent> forced_;
  bool swallow_ = false;
  Millis deliver_at_;
};

flow::SinkEvent claim_refused(Fault fault) { return flow::ClaimFailed{fault_error(fault), true}; }

flow::SinkEvent commit_refused(Fault fault) {
  flow::CommitEnd end = flow::CommitEnd::unknown;
  if (fault == Fault::retry) end = flow::CommitEnd::retry;
  if (fault == Fault::refuse) end = flow::CommitEnd::abort;
  return flow::Ended{end, {}, {}, fault_error(fault)};
}

// What log and store have in common.
template <class Base>
class FaultySink : public Base {
 public:
  FaultySink(World& world, Slot& slot, std::unique_ptr<Base> sink)
      : passage_(world, slot), sink_(std::move(sink)) {}

  void begin_claim(flow::PartitionSet partitions, flow::Membership membership) override {
    passage_.begin(
        Point::claim, [&] { sink_->begin_claim(std::move(partitions), std::move(membership)); },
        claim_refused);
  }
  void begin_commit(flow::Commit commit) override {
    if (passage_.tracing()) passage_.tell(commit);
    passage_.begin(Point::commit, [&] { pass_commit(std::move(commit)); }, commit_refused);
  }
  void begin_abort() override {
    passage_.begin(Point::abort, [&] { sink_->begin_abort(); }, commit_refused);
  }
  flow::SinkEvent poll() override {
    flow::SinkEvent event = passage_.poll([&] { return sink_->poll(); });
    if (passage_.tracing()) passage_.tell(event);
    return event;
  }
  void release(const flow::PartitionSet& partitions) override { sink_->release(partitions); }

 protected:
  virtual void pass_commit(flow::Commit commit) { sink_->begin_commit(std::move(commit)); }

  Passage passage_;
  std::unique_ptr<Base> sink_;
};

class FaultyLogSink final : public FaultySink<flow::LogSink> {
 public:
  using FaultySink::FaultySink;
  flow::WriteAnswer write(const flow::EncodedBatch& batch) override {
    std::pair with{sink_.get(), &batch};
    return passage_.write(
        [](void* p) {
          auto& [sink, what] = *static_cast<decltype(with)*>(p);
          return sink->write(*what);
        },
        &with);
  }
  flow::WriteAnswer write_state(std::span<const flow::StateChange> changes) override {
    std::pair with{sink_.get(), changes};
    return passage_.write(
        [](void* p) {
          auto& [sink, what] = *static_cast<decltype(with)*>(p);
          return sink->write_state(what);
        },
        &with);
  }
  int32_t partitions(uint32_t output) const override { return sink_->partitions(output); }
  uint64_t record_bytes_max(uint32_t output) const override {
    return sink_->record_bytes_max(output);
  }
};

class FaultyStoreSink final : public FaultySink<flow::StoreSink> {
 public:
  using FaultySink::FaultySink;
  flow::WriteAnswer write(const flow::StoreRows& rows) override {
    std::pair with{sink_.get(), &rows};
    const flow::WriteAnswer answer = passage_.write(
        [](void* p) {
          auto& [sink, what] = *static_cast<decltype(with)*>(p);
          return sink->write(*what);
        },
        &with);
    if (answer == flow::WriteAnswer::accepted) written_.push_back(rows);
    return answer;
  }
  void begin_abort() override {
    written_.clear();
    FaultySink::begin_abort();
  }

 private:
  // The network delivers the request twice: rows, positions and all.
  void pass_commit(flow::Commit commit) override {
    flow::Commit again = commit;
    sink_->begin_commit(std::move(commit));
    if (passage_.fault() == Fault::repeat) {
      SlotWaker waker;
      auto twin = passage_.world().store().open_sink(passage_.world().store_spec(), waker);
      for (const flow::StoreRows& rows : written_) (*twin)->write(rows);
      (*twin)->begin_commit(std::move(again));
    }
  }
  flow::SinkEvent poll() override {
    flow::SinkEvent event = FaultySink::poll();
    const auto* ended = std::get_if<flow::Ended>(&event);
    if (ended != nullptr && ended->end == flow::CommitEnd::done) written_.clear();
    return event;
  }
  std::vector<flow::StoreRows> written_;
};

class FaultyAppender final : public flow::Appender {
 public:
  FaultyAppender(World& world, Slot& slot, std::unique_ptr<flow::Appender> appender)
      : passage_(world, slot), appender_(std::move(appender)) {}
  int32_t partitions(uint32_t output) const override { return appender_->partitions(output); }
  uint64_t record_bytes_max(uint32_t output) const override {
    return appender_->record_bytes_max(output);
  }
  void begin_append(std::vector<flow::EncodedBatch> batches) override {
    passage_.begin(
        Point::append, [&] { appender_->begin_append(std::move(batches)); }, commit_refused);
  }
  flow::SinkEvent poll() override {
    return passage_.poll([&] { return appender_->poll(); });
  }

 private:
  Passage passage_;
  std::unique_ptr<flow::Appender> appender_;
};

}  // namespace

std::unique_ptr<flow::LogSink> faulty(World& world, Slot& slot,
                                      std::unique_ptr<flow::LogSink> sink) {
  return std::make_unique<FaultyLogSink>(world, slot, std::move(sink));
}
std::unique_ptr<flow::StoreSink> faulty(World& world, Slot& slot,
                                        std::unique_ptr<flow::StoreSink> sink) {
  return std::make_unique<FaultyStoreSink>(world, slot, std::move(sink));
}
std::unique_ptr<flow::Appender> faulty(World& world, Slot& slot,
                                       std::unique_ptr<flow::Appender> appender) {
  return std::make_unique<FaultyAppender>(world, slot, std::move(appender));
}

}  // namespace penstock::sim
