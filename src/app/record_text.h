// record_text.h — records and bytes as text for people.
//
// Thread      free functions.
#pragma once

#include "base/units.h"
#include "flow/log.h"
#include "plan/plan.h"

#include <string>
#include <string_view>

namespace penstock::app {

std::string hex(std::string_view bytes);
// Printable ASCII as it is, everything else as \xNN.
std::string shown_bytes(std::string_view bytes);
// 2026-01-31T12:00:00.000Z
std::string shown_time(Millis time);
// A record's value as a datum and the schema that it was written under; null: nobody knows it.
struct Opened {
  avro::SchemaPtr schema;
  ByteView datum;
  std::string inflated;  // holds the datum where that was compressed
};
void open_record(const row::RawRecord& record, const plan::Topic* topic,
                 flow::SchemaSource& schemas, Opened& opened);
// The value as one line of JSON by the schema that its framing names (or, for bare topics, the
// topic's); bytes that are no such value as {"undecodable": "hex"}.
std::string record_json(const row::RawRecord& record, const plan::Topic* topic,
                        flow::SchemaSource& schemas);

}  // namespace penstock::app
