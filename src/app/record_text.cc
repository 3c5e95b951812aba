#include "app/record_text.h"

#include "avro/framing.h"
#include "avro/json.h"

#include <fmt/format.h>

#include <ctime>

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

std::string record_json(const row::RawRecord& record, const plan::Topic* topic,
                        flow::SchemaSource& schemas) {
  if (!record.has_value) return "null";
  avro::SchemaPtr schema;
  ByteView datum = record.value;
  uint64_t fingerprint = 0;
  if (topic != nullptr && topic->framing == avro::Framing::bare) {
    schema = topic->schema;
  } else if (avro::strip_single_object(record.value, fingerprint, datum)) {
    schema = schemas.find(fingerprint).schema;
  }
  if (schema) {
    if (auto json = avro::to_json(schema->root(), datum, avro::JsonStyle::plain)) return *json;
  }
  return fmt::format("{{\"undecodable\":\"{}\"}}", hex(record.value));
}

}  // namespace penstock::app
