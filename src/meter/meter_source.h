// meter_source.h — simulated electricity meters: a source whose records are plausible readings.
//
// The record at offset n is the reading of meter n mod M for interval n div M: a function of the
// seed and n. Event time runs from `start`, one interval (`reading`) each `every` of the clock. The
// fields meter_id, at, kwh and kvarh are found by name in the topic's schema, of any numeric (kwh,
// kvarh), time or text type; other fields take their default, or null, or a random value.
//
// Thread      the worker that owns it.
// Errors      M002; M003 when the schema lacks meter_id or kwh, or a field cannot hold it; M004 a
//             table without meter_id or rows.
//
//     PENSTOCK_TRY(meters, meters_of(*table->current()));
//     PENSTOCK_TRY(source, open_meters({.producer = "field", .meters = meters, .schema = schema},
//     clock));
#pragma once

#include "base/error.h"
#include "flow/part_spec.h"
#include "flow/table.h"
#include "meter/paced_source.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::meter {

struct Meter {
  std::string id;
  bool business = false;  // tariff G0…: busy on working days; else a household, H0
  double rated_kw = 10.0;
};

struct MeterSourceSpec {
  std::string producer;  // names the input: "meter:<producer>"
  std::vector<Meter> meters;
  avro::SchemaPtr schema = nullptr;  // of the topic
  avro::Framing framing = avro::Framing::single_object;
  uint64_t seed = 1;
  int64_t reading_millis = 900'000;
  int64_t every_millis = 1'000;     // 0: as fast as it goes
  Millis start{1'767'225'600'000};  // 2026-01-01T00:00:00Z: fixed, so that a restart goes on
};

struct Reading {
  double kwh = 0.0, kvarh = 0.0;
};
// What a meter shows for the interval that begins at `at`. Never more than rated_kw allows.
Reading reading_of(const Meter& meter, uint64_t seed, uint64_t index, Millis at,
                   int64_t interval_millis);

// From columns meter_id, tariff and rated_kw; the latter two may be missing.
Result<std::vector<Meter>> meters_of(const flow::TableVersion& table);
// Whether readings can be written with this schema: M003.
Result<void> check_readings(const avro::Schema& schema);
Result<std::unique_ptr<PacedSource>> open_meters(MeterSourceSpec spec, const Clock& clock);

// The sources meters and generate.
std::vector<flow::PartSpec> part_specs();
// Whether settings and schema of the topic fit each other; what the table holds is seen at the
// start.
Result<void> check_producer(std::string_view part, const flow::Config& config,
                            const avro::SchemaPtr& schema);
// A producer of either part, as a source. `meters` is the table it names, or null.
Result<std::unique_ptr<PacedSource>> open_producer(std::string_view part, const std::string& name,
                                                   const flow::Config& config,
                                                   const flow::TableVersion* meters,
                                                   avro::SchemaPtr schema, avro::Framing framing,
                                                   const Clock& clock);

}  // namespace penstock::meter
