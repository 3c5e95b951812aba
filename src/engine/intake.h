// intake.h — from raw records to a decoded batch: framings, schemas by what the framings call them,
// one decode plan per writer schema.
//
// Every framing is read in one stream, each record's by its first bytes; only a topic that is
// declared bare has none.
//
// Thread      one worker.
// Lifetime    the SchemaSource outlives it.
//
//     if (!intake.ready(raw)) return Processed::blocked;      // a schema is on its way
//     intake.decode(raw, batch);                              // bad records: batch.rejects
#pragma once

#include "avro/framing.h"
#include "avro/plan.h"
#include "avro/schema.h"
#include "flow/log.h"
#include "row/batch.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace penstock::engine {

class Intake {
 public:
  struct Spec {
    // One of the stage's input.
    struct Topic {
      avro::Framing framing = avro::Framing::single_object;
      bool unframed_bare = false;  // a value that begins like no framing is a bare one
      avro::SchemaPtr schema;      // the writer's, of bare values
    };
    avro::SchemaPtr input;  // what the stage's rules were checked against
    std::vector<Topic> topics;
    std::vector<avro::Want> wants;
    std::vector<uint32_t> cuts;
    flow::SchemaSource* schemas = nullptr;
  };
  explicit Intake(Spec spec) : spec_(std::move(spec)) {}

  // False when a schema of the batch is not known yet; why() tells what is waited for. All of them
  // are asked for.
  bool ready(const row::RawBatch& raw);
  // Fills batch.live, datums, cuts and columns from `raw`, which the batch's records view.
  // batch.arena and batch.columns (sized) are set by the caller.
  void decode(const row::RawBatch& raw, row::Batch& batch);
  // After ready() said false: what holds the schema up; null when it is just on its way.
  const Error* why() const { return why_.get(); }

 private:
  struct IdHash {
    size_t operator()(const avro::SchemaId& id) const {
      return std::hash<uint64_t>()(id.low ^ id.high ^ static_cast<uint64_t>(id.framing) << 56);
    }
  };
  struct Writer {
    std::unique_ptr<avro::DecodePlan> plan;  // null: the records can not be read
    std::string reason, detail;              // why, when plan is null
  };
  const Writer& writer(const avro::SchemaId& id);
  Writer make_writer(const avro::SchemaPtr& schema) const;
  void frame(const row::RawBatch& raw, row::Batch& batch);
  void frame_bare(const row::RawBatch& raw, row::Batch& batch);
  // A record whose head is not that of the record before it; false: it was rejected.
  bool frame_anew(const row::RawRecord& record, uint32_t row, uint32_t topic, row::Batch& batch);
  bool inflate(uint32_t row, row::Batch& batch);
  void name(const avro::SchemaId& id);
  void decode_by(const avro::SchemaId& id, row::Batch& batch);
  void decode_mixed(row::Batch& batch);

  Spec spec_;
  std::unordered_map<avro::SchemaId, Writer, IdHash> writers_;
  std::vector<ByteView> payloads_;   // per row
  std::vector<uint32_t> numbers_;    // per row: which of ids_
  std::vector<avro::SchemaId> ids_;  // of the batch, one for each run of records
  ByteView header_;                  // of the record before, when the next may have the same
  std::vector<ByteView> chosen_;
  std::string inflated_;
  Writer stranger_;
  std::shared_ptr<const Error> why_;
  std::vector<uint32_t> waiting_, finished_;
};

}  // namespace penstock::engine
