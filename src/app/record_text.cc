#include "app/record_text.h"

#include "avro/framing.h"
#include "avro/json.h"
#include "wire/codec.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <thread>

namespace penstock::app {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string shown_bytes(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string shown_time(Millis time) {
  int64_t seconds = time.value / 1000;
  int64_t millis = time.value % 1000;
  if (millis < 0) {
    millis += 1000;
    --seconds;
  }
  const auto clock = static_cast<time_t>(seconds);
  std::tm parts{};
  gmtime_r(&clock, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     millis);
}

namespace {

constexpr auto kSchemaWaits = std::chrono::seconds(2);  // for a registry's answer
constexpr auto kBetweenLooks = std::chrono::milliseconds(5);

avro::SchemaPtr schema_of(const avro::SchemaId& id, flow::SchemaSource& schemas) {
  const auto until = std::chrono::steady_clock::now() + kSchemaWaits;
  while (true) {
    const auto found = schemas.find_id(id);
    const bool ends = found.final || !avro::needs_registry(id.framing) ||
                      std::chrono::steady_clock::now() >= until;
    if (found.schema || ends) return found.schema;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

void open_record(const row::RawRecord& record, const plan::Topic* topic,
                 flow::SchemaSource& schemas, Opened& opened) {
  opened.schema = nullptr;
  opened.datum = record.value;
  avro::Head head;
  if (topic != nullptr && topic->framing == avro::Framing::bare) {
    opened.schema = topic->schema;
  } else if (avro::read_head(record.value, head) == avro::HeadFault::none) {
    opened.schema = schema_of(head.id, schemas);
    opened.datum.remove_prefix(head.bytes);
    const size_t bytes_max = avro::inflated_bytes_max(opened.datum.size());
    if (head.deflated && wire::zlib_decompress(opened.datum, bytes_max, opened.inflated))
      opened.datum = opened.inflated;
  } else if (topic != nullptr && topic->unframed_bare) {
    opened.schema = topic->schema;
  }
}

std::string record_json(const row::RawRecord& record, const plan::Topic* topic,
                        flow::SchemaSource& schemas) {
  if (!record.has_value) return "null";
  Opened opened;
  open_record(record, topic, schemas, opened);
  if (opened.schema) {
    auto json = avro::to_json(opened.schema->root(), opened.datum, avro::JsonStyle::plain);
    if (json) return *json;
  }
  return fmt::format("{{\"undecodable\":\"{}\"}}", hex(record.value));
}

}  // namespace penstock::app
