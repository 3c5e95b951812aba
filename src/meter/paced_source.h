// paced_source.h — records that are made up, each from its offset alone, at the pace of a clock.
//
// One partition that never ends. The record at an offset is always the same, so a producer that was
// killed goes on where its committed position is, and repeats nothing.
//
// Thread      the worker that owns it.
// Lifetime    batches own their bytes; the clock outlives the source.
// Limits      never ahead of what is due; who falls behind makes up for one second at most, then
//             goes on at the pace.
//
//     PacedSource source("meter:field", std::make_unique<MeterMaker>(…), schema, pace, clock);
#pragma once

#include "avro/framing.h"
#include "avro/schema.h"
#include "base/clock.h"
#include "flow/log.h"

#include <memory>
#include <string>

namespace penstock::meter {

class RecordMaker {
 public:
  virtual ~RecordMaker() = default;
  // Appends the datum of the record at `offset`.
  virtual void append(int64_t offset, std::string& out) const = 0;
};

struct Pace {
  uint64_t records = 1;          // so many …
  int64_t every_millis = 1'000;  // … in this time; 0: as fast as it goes
};

class PacedSource final : public flow::Source {
 public:
  PacedSource(std::string name, std::unique_ptr<RecordMaker> maker, avro::SchemaPtr schema,
              avro::Framing framing, Pace pace, const Clock& clock);

  // The input's name for SinkSpec::inputs: "meter:<producer>".
  const std::string& name() const { return name_; }

  flow::SourceEvent poll(const flow::PollLimits& limits) override;
  void start(Partition partition, Offset next) override;
  void answer() override { answered_ = true; }
  Offset position(Partition) const override { return {next_}; }
  void pause(bool paused) override { paused_ = paused; }
  bool at_end() const override { return false; }
  flow::Membership membership() const override { return nullptr; }
  void commit_group(const flow::Commit&) override {}
  void close() override { closed_ = true; }

 private:
  int64_t due(Millis now);

  std::string name_;
  std::unique_ptr<RecordMaker> maker_;
  avro::SchemaPtr schema_;
  avro::Framing framing_;
  Pace pace_;
  const Clock* clock_;
  int64_t next_ = 0;
  int64_t paced_from_ = 0;
  Millis paced_since_;
  bool announced_ = false, answered_ = false, started_ = false, paused_ = false, closed_ = false;
};

}  // namespace penstock::meter
