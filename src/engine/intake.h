// intake.h — from raw records to a decoded batch: framing, schemas by fingerprint, one decode plan
// per writer schema.
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
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace penstock::engine {

class Intake {
 public:
  struct Spec {
    avro::SchemaPtr input;                // what the stage's rules were checked against
    std::vector<avro::Framing> framings;  // by topic of the stage's input
    std::vector<avro::SchemaPtr> bare;    // the writer's schema of bare topics, by topic
    std::vector<avro::Want> wants;
    std::vector<uint32_t> cuts;
    flow::SchemaSource* schemas = nullptr;
  };
  explicit Intake(Spec spec) : spec_(std::move(spec)) {}

  // False when a fingerprint in the batch is not known yet.
  bool ready(const row::RawBatch& raw);
  // Fills batch.live, datums, cuts and columns from `raw`, which the batch's records view.
  // batch.arena and batch.columns (sized) are set by the caller.
  void decode(const row::RawBatch& raw, row::Batch& batch);

 private:
  struct Writer {
    std::unique_ptr<avro::DecodePlan> plan;  // null: the records can not be read
    std::string reason, detail;              // why, when plan is null
  };
  const Writer& writer(uint64_t fingerprint);
  Writer make_writer(const avro::SchemaPtr& schema) const;
  void frame(const row::RawBatch& raw, row::Batch& batch);
  void decode_by(const Writer& writer, row::Batch& batch);
  void decode_mixed(row::Batch& batch);

  Spec spec_;
  std::unordered_map<uint64_t, Writer> writers_;
  std::vector<ByteView> payloads_;      // per row
  std::vector<uint64_t> fingerprints_;  // per row
  std::vector<ByteView> chosen_;
  std::vector<uint32_t> waiting_, finished_;
};

}  // namespace penstock::engine
