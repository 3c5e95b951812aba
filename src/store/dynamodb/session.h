// session.h — claims and commits of one sink, as calls that wait.
//
// A commit puts the epoch's rows, the newest of each key only, then moves the positions of those
// partitions whose rows are all written. So rows may be ahead of their position, never behind; a
// repeat changes nothing (writer.h). What is written of an epoch is remembered until the epoch
// ends,
// and is not put again by the next try.
//
// Thread      the sink's helper thread; stop() from the worker's.
// Errors      an outage or throttling is `retry`; a position whose swap was not answered is
//             `unknown`; rows that do not fit, here or there, are `rejected`. Missing rights are
//             `retry`, and a claim says that trying soon is pointless.
#pragma once

#include "base/clock.h"
#include "store/dynamodb/position.h"
#include "store/dynamodb/writer.h"
#include "store/thread/threaded_sink.h"

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace penstock::store::dynamodb {

struct SinkOptions {
  aws::RetryOptions retry;
  bool immutable = false;
  std::optional<int64_t> expire_after_millis;
  uint64_t seed = 1;
};

class Session final : public store::StoreSession {
 public:
  static Result<std::unique_ptr<Session>> make(std::shared_ptr<const Access> access,
                                               flow::StoreSpec spec, SinkOptions options,
                                               const Clock& clock);

  flow::SinkEvent claim(const flow::PartitionSet& partitions) override;
  flow::Ended commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                     std::set<flow::RowId>& refused) override;
  void forget_epoch() noexcept override;
  void stop() noexcept override { box_->stop(); }

 private:
  Session(std::shared_ptr<const Access> access, flow::StoreSpec spec, SinkOptions options,
          const Clock& clock, ItemMaker maker, std::vector<KeyPart> key);
  std::vector<flow::RejectedRow> encode(std::span<const flow::StoreRows> rows,
                                        const std::set<flow::RowId>& refused);
  std::vector<uint32_t> winners() const;
  flow::Ended move_positions(const flow::Commit& commit, const std::vector<uint32_t>& put,
                             std::optional<Reply> trouble);
  flow::Ended rejected(std::vector<flow::RejectedRow> rows, std::set<flow::RowId>& refused) const;
  // A table is another one than when we started.
  std::optional<Error> other_table();

  std::shared_ptr<const Access> access_;
  flow::StoreSpec spec_;
  SinkOptions options_;
  const Clock& clock_;
  ItemMaker maker_;
  std::vector<KeyPart> key_;
  std::shared_ptr<Exchange::Box> box_ = std::make_shared<Exchange::Box>();
  Exchange::Shared shared_;
  Caller caller_;
  Writer writer_;
  PositionKeeper positions_;

  // Of the open epoch.
  bool encoded_ = false;
  std::vector<Item> items_;
  std::vector<ItemState> states_;
};

}  // namespace penstock::store::dynamodb
