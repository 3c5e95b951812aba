// writer.h — items into a table.
//
// Items without a version go in batches of 25 of one table, no key twice in one; those with one go
// as single puts, each on the condition that what is there is older. Either may be repeated any
// number of times. What is throttled waits without holding up the rest, but once all rows of some
// partition are written nobody waits longer than kPatienceMillis for those of others.
//
// Thread      one owner.
// Errors      Report::trouble is why items are left; `refused` are those that the service will
//             never
//             take, found by halving their batch.
#pragma once

#include "store/dynamodb/exchange.h"
#include "store/dynamodb/item.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace penstock::store::dynamodb {

inline constexpr size_t kBatchItemsMax = 25;
inline constexpr size_t kBatchBytesMax = 4 * 1024 * 1024;  // the service's own limit is 16 MB
inline constexpr int64_t kPatienceMillis = 1'000;

enum class ItemState : uint8_t { open, done, refused };

class Writer {
 public:
  // `tables`: an item says which of them it is for.
  Writer(Caller& caller, Exchange::Shared& shared, std::shared_ptr<Exchange::Box> box,
         std::vector<std::string> tables, std::vector<KeyPart> key);

  struct Report {
    std::vector<flow::RejectedRow> refused;
    std::optional<Reply> trouble;
  };
  // Puts the items at `todo` and sets their states.
  Report put(const std::vector<Item>& items, const std::vector<uint32_t>& todo,
             std::vector<ItemState>& states);

 private:
  struct Run;
  void add_batch(Run& run, std::vector<uint32_t> batch, uint32_t retries);
  std::string body_of(const Run& run, const std::vector<uint32_t>& batch) const;
  std::string body_of(const Item& item) const;
  void on_reply(Run& run, Call call, const Reply& reply);
  void on_done(Run& run, const Call& call, const Reply& reply);
  void on_refused(Run& run, const Call& call, const Reply& reply);
  void try_again(Run& run, Call call, const Reply& reply);
  std::vector<uint32_t> left_of(const Run& run, const std::vector<uint32_t>& batch,
                                const Reply& reply) const;
  void settle(Run& run, uint32_t index, ItemState state);

  Caller& caller_;
  Exchange::Shared& shared_;
  std::shared_ptr<Exchange::Box> box_;
  std::vector<std::string> tables_;
  std::vector<KeyPart> key_;
};

}  // namespace penstock::store::dynamodb
