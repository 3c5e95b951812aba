// store.h — a table that rows end in: what a store has to be able to do.
//
// Implementations: store/sqlite, store/postgres, store/redshift, store/dynamodb and store/model
// (tests, simulator). All pass store_contract.h. A store keeps its own positions, per (pipeline,
// stage, store, topic lineage, partition): next offset, term, fates. The first statement of each
// transaction swaps the *last stored* position; DynamoDB, which has none, swaps it after the rows.
//
// Thread      a Store may be used from any thread; a StoreSink belongs to one worker.
// Lifetime    the Store outlives its sinks.
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "flow/log.h"
#include "flow/sink.h"
#include "flow/waker.h"
#include "row/column.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::flow {

// How rows meet rows of the same key.
enum class Merge : uint8_t {
  append,     // every row is kept
  upsert,     // the last written wins, per key
  newest_by,  // the row with the greatest `newest_by` value wins; ties: the greater (lineage,
              // offset)
};

struct StoreTable {
  std::string table;  // the name in the store's line
  Merge merge = Merge::append;
  std::vector<std::string> key;  // of upsert and newest_by
  std::string newest_by;         // field, with Merge::newest_by
  avro::SchemaPtr schema;        // of the rows
  // Where the name has a `<field>`: the table of each of its values, all of one shape. Empty: there
  // is `table` alone.
  std::vector<std::string> each = {};
};

struct StoreSpec {
  std::string pipeline, stage, store;  // the identity of the positions
  StoreTable table;
  std::vector<std::string> inputs;    // topics; Partition::topic counts through these
  std::vector<std::string> lineages;  // of those topics
};

// Rows of one write(), dense: columns[field of the schema][0 … count).
struct StoreRows {
  uint32_t count = 0;
  std::vector<row::Column> columns;
  std::span<const RowId> ids;  // where each row came from
  uint32_t table = 0;          // which of StoreTable::each
};

class StoreSink : public Sink {
 public:
  virtual WriteAnswer write(const StoreRows& rows) = 0;
};

// What stands in a store, for verify and status.
struct StoreState {
  std::vector<GroupPosition>
      positions;                 // of every (stage, topic, partition) of this pipeline and store
  std::optional<uint64_t> rows;  // in the table, when it can be counted
};

// What a store counted since it was opened, for metrics: "write_units_total".
struct StoreFigure {
  std::string_view name, help;
  double value = 0;
};

// Rows whose field has this value (as text).
struct RowFilter {
  std::string field;
  std::string value;
};

class Store {
 public:
  virtual ~Store() = default;
  // Makes the table and the positions table when they are missing, and in an existing table the
  // columns that it lacks (nullable); another key or a column of another type is an error (S…).
  virtual Result<void> create_missing(const StoreTable& table) = 0;
  virtual Result<std::unique_ptr<StoreSink>> open_sink(const StoreSpec& spec, Waker& waker) = 0;
  virtual Result<StoreState> state(const StoreSpec& spec) = 0;
  // The newest `limit` rows as JSON objects (plain style), for people: newest by rowid where the
  // store has one.
  virtual Result<std::vector<std::string>> newest(const StoreTable& table, uint32_t limit,
                                                  const std::optional<RowFilter>& of) = 0;
  virtual std::vector<StoreFigure> figures() const { return {}; }
};

}  // namespace penstock::flow
