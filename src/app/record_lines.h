// record_lines.h — records of a topic as lines for people and programs: what tail and trace print.
//
// Thread      free functions; reading may block as flow::Log::read does.
#pragma once

#include "app/options.h"
#include "base/error.h"
#include "flow/log.h"
#include "ops/output.h"
#include "plan/plan.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace penstock::app {

struct RecordLine {
  Millis timestamp;
  int32_t partition = 0;
  Offset offset;
  std::string key;   // shown_bytes()
  std::string json;  // the value
};

// Which records are wanted; decided before one is decoded.
using RecordFilter = std::function<bool(const row::RawRecord&)>;

// Reads from `next` to the end as it is now, which `next` then is. An empty filter wants all.
Result<void> read_lines(flow::Log& log, flow::SchemaSource& schemas, const std::string& topic,
                        const plan::Topic* planned, int32_t partition, const RecordFilter& wanted,
                        Offset& next, std::vector<RecordLine>& lines);
// The newest `limit` of them, by time, as one line each: text, or JSON where that is the format.
void print_lines(const std::string& topic, std::vector<RecordLine> lines, int64_t limit,
                 Format format, ops::Output& output);

}  // namespace penstock::app
