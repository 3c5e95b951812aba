#include "app/record_lines.h"

#include "app/record_text.h"
#include "app/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::app {
namespace {

std::string text_of(const std::string& topic, const RecordLine& line, Format format) {
  if (format != Format::json && format != Format::yaml) {
    return fmt::format("{}/{}@{} {} {}\n", topic, line.partition, line.offset.value,
                       shown_time(line.timestamp), line.json);
  }
  const std::string head =
      to_json(Value::Object{{"topic", topic},
                            {"partition", static_cast<int64_t>(line.partition)},
                            {"offset", line.offset.value},
                            {"timestamp", shown_time(line.timestamp)},
                            {"key", line.key}});
  return fmt::format("{},\"value\":{}}}\n", head.substr(0, head.size() - 1), line.json);
}

}  // namespace

Result<void> read_lines(flow::Log& log, flow::SchemaSource& schemas, const std::string& topic,
                        const plan::Topic* planned, int32_t partition, const RecordFilter& wanted,
                        Offset& next, std::vector<RecordLine>& lines) {
  while (true) {
    PENSTOCK_TRY(batch, log.read(topic, partition, next, {}, &next));
    if (batch.records.empty()) return {};
    for (const row::RawRecord& record : batch.records) {
      if (wanted && !wanted(record)) continue;
      lines.push_back({record.timestamp, partition, record.offset,
                       record.has_key ? shown_bytes(record.key) : std::string(),
                       record_json(record, planned, schemas)});
    }
  }
}

void print_lines(const std::string& topic, std::vector<RecordLine> lines, int64_t limit,
                 Format format, ops::Output& output) {
  std::ranges::stable_sort(lines, {}, &RecordLine::timestamp);
  const size_t keep = std::min(lines.size(), static_cast<size_t>(limit));
  for (size_t i = lines.size() - keep; i < lines.size(); ++i) {
    output.out(text_of(topic, lines[i], format));
  }
}

}  // namespace penstock::app
