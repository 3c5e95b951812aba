// model_contents.h — what lies in a ModelStore. Private to the room.
//
// Thread      everything under `mutex`.
#pragma once

#include "store/model/model_store.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace penstock::store {

// One row as the store takes it, or why it does not.
struct PreparedRow {
  std::string key, text;
  std::string newest_text;     // of text kinds
  double newest_number = 0.0;  // of number kinds
  double number = 0.0;         // of its last floating-point field
  std::string reason;          // "" = good
};
PreparedRow prepare(const flow::StoreTable& table, const flow::StoreRows& rows, uint32_t row,
                    std::optional<double> refuse_above = {});

// What becomes of the next request.
enum class Fate : uint8_t { answered, not_done, done_but_lost };
Fate next_fate(ModelFaults& faults);

struct ModelTable {
  flow::StoreTable shape;
  struct Kept {
    ModelRow row;
    double newest_number = 0.0;
    std::string newest_text;
    Term term;  // of the worker that wrote it
  };
  std::vector<Kept> appended;
  std::map<std::string, Kept, std::less<>> by_key;
};

struct ModelPosition {
  std::string topic;
  Offset next;
  Term term;
  flow::Fates fates;
  bool committed = false;
};
// pipeline, stage, store, lineage, partition
using PositionKey = std::tuple<std::string, std::string, std::string, std::string, int32_t>;

struct ModelStore::Contents {
  mutable std::mutex mutex;
  std::map<std::string, ModelTable, std::less<>> tables;
  std::map<PositionKey, ModelPosition> positions;
  uint64_t writes = 0;
  uint32_t open_epochs = 0;

  void apply(ModelTable& table, PreparedRow&& row, const ModelOrigin& origin);
  // A put, conditional on the version.
  void put(ModelTable& table, PreparedRow&& row, const ModelOrigin& origin, Term term,
           ModelFaults::Bug bug);
};

}  // namespace penstock::store
