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
#include <optional>
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

// How an epoch gets in: as one act, or, as in a key-value store without transactions, as puts of
// single items, each conditional on a version, and the positions after them, per partition. There
// a version is (newest_by's value, lineage, offset), and tables can not append.
enum class Act : uint8_t { one, keyed_puts };

// What the store contract's test lets happen to the store, and bugs for it to find.
struct ModelFaults {
  enum class Bug : uint8_t {
    none,
    no_swap,          // a commit takes no notice of what position and term are stored
    positions_apart,  // rows first, positions in an act of their own
    blind_resend,     // a commit whose answer is lost is made once more, and called done
    // of Act::keyed_puts
    adds,           // a put adds its numbers to those that are there
    owner_version,  // a version is (term, offset): who came later wins, also with an older record
    unconditional,  // a put takes no notice of the version that is there
  };
  struct Cut {
    uint32_t after = 0;    // so many requests are still answered
    bool applied = false;  // the one that is lost was done
  };
  std::optional<Cut> cut;  // gone when it happened
  bool away = false;
  std::optional<double> refuse_above;  // of any field that is a floating-point number
  Bug bug = Bug::none;
};

class ModelStore final : public flow::Store {
 public:
  explicit ModelStore(Act act = Act::one);
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
  // Read at every request; not to be changed while another thread uses the store.
  ModelFaults& faults() { return *faults_; }

 private:
  friend class ModelSink;
  struct Contents;
  Act act_;
  std::shared_ptr<ModelFaults> faults_;
  std::shared_ptr<Contents> contents_;
};

}  // namespace penstock::store
