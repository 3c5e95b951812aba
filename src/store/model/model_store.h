// model_store.h — a store in memory: what every other store has to behave like.
//
// Deterministic: every operation ends in the begin_…() call that starts it, so a simulator that
// wraps it decides when its answer is seen. Positions, terms and rows change in one act, under one
// lock. Rows are kept as text, with the record that they stem from, for a checker of laws.
//
// Thread      the store from any thread; a sink belongs to one worker.
// Lifetime    the store outlives its sinks; rows() are copies.
// Errors      S002 when a table is there already with other fields or another key; S003 when a
//             topic was made anew. A null in a key or newest_by field, or a NaN, is a rejected row.
//
//     store::ModelStore store;
//     PENSTOCK_TRY(sink, store.open_sink(spec, waker));
//     for (const store::ModelRow& row : store.rows("readings")) check(row.text, row.origin);
#pragma once

#include "flow/store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::store {

// Where a row came from, by names that outlive every sink.
struct ModelOrigin {
  std::string topic, lineage;
  int32_t partition = 0;
  Offset offset;
  auto operator<=>(const ModelOrigin&) const = default;
};

struct ModelRow {
  std::string key;   // of upsert and newest_by; "" for append
  std::string text;  // {"meter_id":"m1","at":1767225600000,…}; bytes and datums as hexadecimal text
  ModelOrigin origin;       // of the record that wrote it last
  uint64_t writes = 1;      // how often this key was written, for append 1
  uint64_t written_at = 0;  // grows with every row that is written
};

class ModelStore final : public flow::Store {
 public:
  ModelStore();
  ~ModelStore() override;

  Result<void> create_missing(const flow::StoreTable& table) override;
  Result<std::unique_ptr<flow::StoreSink>> open_sink(const flow::StoreSpec& spec,
                                                     flow::Waker& waker) override;
  Result<flow::StoreState> state(const flow::StoreSpec& spec) override;
  Result<std::vector<std::string>> newest(const flow::StoreTable& table, uint32_t limit,
                                          const std::optional<flow::RowFilter>& of) override;

  // In key order; append tables in the order of writing.
  std::vector<ModelRow> rows(std::string_view table) const;
  // Sinks that hold rows which are not committed.
  uint32_t open_epochs() const;

 private:
  friend class ModelSink;
  struct Contents;
  std::shared_ptr<Contents> contents_;
};

}  // namespace penstock::store
