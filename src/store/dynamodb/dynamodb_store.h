// dynamodb_store.h — a table in Amazon DynamoDB, or in what speaks its protocol (ScyllaDB's
// Alternator, DynamoDB Local) by endpoint.
//
// There is no transaction over an epoch: rows come first and are idempotent (writer.h), positions
// follow per partition by compare-and-swap (position.h). Items are described in item.h.
//
// Thread      the store from any thread, its calls wait; a sink from its worker, with a helper
//             thread.
// Lifetime    the store outlives its sinks, the clock outlives the store.
// Limits      state() counts rows only in tables of at most kCountPagesMax MB; newest() looks at as
//             many.
// Errors      open: W001 … W005, H001, H003. create_missing: S002, S008, S030 … S033.
//
//     PENSTOCK_TRY(store, DynamoDbStore::open({.region = "eu-north-1", .create = true}, clock));
//     PENSTOCK_TRY_VOID(store->create_missing(table));
//     PENSTOCK_TRY(sink, store->open_sink(spec, waker));
#pragma once

#include "aws/surroundings.h"
#include "base/clock.h"
#include "flow/store.h"
#include "store/dynamodb/session.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::store::dynamodb {

inline constexpr uint32_t kCountPagesMax = 16;

struct StoreSettings {
  std::string region = {};    // "": AWS's own settings
  std::string endpoint = {};  // "": the region's own
  bool create = false;        // tables that are missing are made, on demand
  bool immutable = false;     // the key determines the item
  std::optional<int64_t> expire_after_millis = {};
  aws::RetryOptions retry = {};
};

class DynamoDbStore final : public flow::Store {
 public:
  // Waits for the first credentials.
  static Result<std::unique_ptr<DynamoDbStore>> open(StoreSettings settings, const Clock& clock,
                                                     aws::Surroundings here = aws::machine());

  Result<void> create_missing(const flow::StoreTable& table) override;
  Result<std::unique_ptr<flow::StoreSink>> open_sink(const flow::StoreSpec& spec,
                                                     flow::Waker& waker) override;
  Result<flow::StoreState> state(const flow::StoreSpec& spec) override;
  // By the version's order where there is one.
  Result<std::vector<std::string>> newest(const flow::StoreTable& table, uint32_t limit,
                                          const std::optional<flow::RowFilter>& of) override;
  std::vector<flow::StoreFigure> figures() const override;
  const Usage& usage() const { return *access_->usage; }

  // For people: the tables as create_missing() makes them, a line each; and in what those that are
  // there differ.
  static Result<std::vector<std::string>> describe(const StoreSettings& settings,
                                                   const flow::StoreTable& table);
  Result<std::vector<std::string>> compare(const flow::StoreTable& table);

 private:
  DynamoDbStore(StoreSettings settings, std::shared_ptr<const Access> access, const Clock& clock)
      : settings_(std::move(settings)), access_(std::move(access)), clock_(clock) {}
  Result<void> ensure_table(Caller& caller, const std::string& table,
                            const std::vector<KeyPart>& key) const;

  StoreSettings settings_;
  std::shared_ptr<const Access> access_;
  const Clock& clock_;
};

}  // namespace penstock::store::dynamodb
