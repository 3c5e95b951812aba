// processor.h — what a worker does with a batch: bytes in, records and rows of an epoch out.
//
// No clock, no IO, no randomness. The same batch gives the same additions to an epoch, for an
// epoch that was dropped is computed again. chain.h is the real one (decode, steps, encode); the
// simulator has its own.
//
// Thread      the worker that owns it.
// Lifetime    as long as the worker. An Epoch may be dropped at any time and is told to nobody:
//             nothing of a batch may be remembered outside of its epoch, but in memory(), which
//             is undone with it.
// Errors      none: a record that can not be handled becomes a dead letter in the epoch.
//
//     Processed process(row::RawBatch& batch, Epoch& epoch) override {
//       flow::Fates& fates = epoch.fates(batch.partition);
//       fates.in += batch.records.size();
//       for (auto& r : batch.records) epoch.records(0, r.key partition).append({...});
//       fates.out.add("usage.alpine", n);  fates.dead += d;
//       return Processed::done;
//     }
#pragma once

#include "engine/epoch.h"
#include "flow/memory.h"
#include "flow/sink.h"
#include "row/raw_batch.h"

#include <cstdint>

namespace penstock::engine {

enum class Processed : uint8_t {
  done,
  blocked,  // a schema is not known *yet* (SchemaSource::Found::final == false): the epoch is as it
  // was before; the worker keeps the batch, tries again when it is woken, and goes on with
  // other partitions meanwhile
};

class Processor {
 public:
  virtual ~Processor() = default;
  // An epoch's first batch is about to come: put the versions of the tables into epoch.tables.
  virtual void begin(Epoch& epoch) = 0;
  // Adds the whole batch to the epoch: records or rows, dead letters, and the fates of each record
  // in epoch.fates(batch.partition) (which must add up). The batch may be moved from
  // (epoch.hold()). With `blocked` neither is touched.
  virtual Processed process(row::RawBatch& batch, Epoch& epoch) = 0;
  // After `blocked`: what holds the schema up; null when it is just on its way.
  virtual const Error* waits_for() const { return nullptr; }
  // The store refused a row of this epoch: write its dead letter (epoch.original(row) has the
  // bytes). The worker has taken care of the fates and of the row itself.
  virtual void make_dead(const flow::RejectedRow& rejected, Epoch& epoch) = 0;
  // What it remembers between batches; null: nothing. The worker commits it with the epochs.
  virtual flow::Memory* memory() { return nullptr; }
};

}  // namespace penstock::engine
