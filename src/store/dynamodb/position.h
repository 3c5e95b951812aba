// position.h — how far each partition is in a store: an item each in the table penstock_positions.
//
//   id S (partition key)   pipeline/stage/store/topic/partition, each part percent-encoded
//   lineage S, next N, term N, fates S (once something was committed); pipeline, stage, store,
// topic
//   S and partition N for people
//
// A claim makes the term greater; a commit swaps next on the condition that next and term are those
// it knows. Partitions are swapped side by side and independently.
//
// Thread      one owner.
// Errors      S003: the topic was made anew. Replies as they come.
#pragma once

#include "flow/store.h"
#include "store/dynamodb/exchange.h"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace penstock::store::dynamodb {

inline constexpr const char* kPositionsTable = "penstock_positions";

class PositionKeeper {
 public:
  PositionKeeper(Caller& caller, Exchange::Shared& shared, std::shared_ptr<Exchange::Box> box,
                 const flow::StoreSpec& spec)
      : caller_(caller), shared_(shared), box_(std::move(box)), spec_(spec) {}

  flow::SinkEvent claim(const flow::PartitionSet& partitions);

  enum class Moved : uint8_t { yes, no, fenced, unknown };
  struct Swaps {
    std::vector<Moved> moved;  // of each partition of the commit
    std::optional<Reply> trouble;
  };
  Swaps swap(const std::vector<flow::PartitionCommit>& commits);

 private:
  struct Claiming;
  struct Swapping;
  std::string id_of(Partition partition) const;
  std::string key_body(Partition partition) const;
  std::string claim_body(const flow::Owned& owned, bool found) const;
  std::string swap_body(const flow::PartitionCommit& commit) const;
  void on_claim(Claiming& claiming, Call call, const Reply& reply);
  void on_found(Claiming& claiming, size_t index, const Reply& reply);
  void on_swap(Swapping& swapping, Call call, const Reply& reply);

  Caller& caller_;
  Exchange::Shared& shared_;
  std::shared_ptr<Exchange::Box> box_;
  const flow::StoreSpec& spec_;
};

}  // namespace penstock::store::dynamodb
