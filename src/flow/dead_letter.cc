#include "flow/dead_letter.h"

#include "avro/framing.h"
#include "avro/write.h"
#include "base/check.h"

namespace penstock::flow {
namespace {

constexpr std::string_view kSchema =
    R"({"type":"record","name":"penstock.DeadLetter","fields":[)"
    R"({"name":"stage","type":"string"},{"name":"topic","type":"string"},)"
    R"({"name":"lineage","type":"string"},{"name":"partition","type":"int"},)"
    R"({"name":"offset","type":"long"},{"name":"step","type":"string"},)"
    R"({"name":"reason","type":"string"},{"name":"detail","type":"string"},)"
    R"({"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}},)"
    R"({"name":"key","type":["null","bytes"]},{"name":"value","type":["null","bytes"]}]})";

void append_optional(const std::optional<ByteView>& bytes, std::string& out) {
  avro::append_long(bytes ? 1 : 0, out);
  if (bytes) avro::append_bytes(*bytes, out);
}

// At most kMaxDetailBytes, and no half of a character at the end.
std::string_view cut(std::string_view text) {
  if (text.size() <= kMaxDetailBytes) return text;
  size_t end = kMaxDetailBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// Reads what append_dead_letter wrote; anything else ends in `good == false`.
struct Reader {
  ByteView rest;
  bool good = true;

  int64_t number() {
    uint64_t zigzag = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest.empty()) break;
      const auto byte = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      zigzag |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
    }
    good = false;
    return 0;
  }

  ByteView bytes() {
    const int64_t size = number();
    if (!good || size < 0 || static_cast<uint64_t>(size) > rest.size()) {
      good = false;
      return {};
    }
    const ByteView taken = rest.substr(0, static_cast<size_t>(size));
    rest.remove_prefix(taken.size());
    return taken;
  }

  std::optional<ByteView> optional_bytes() {
    if (number() == 0) return std::nullopt;
    return bytes();
  }
};

}  // namespace

const avro::SchemaPtr& dead_letter_schema() {
  static const avro::SchemaPtr schema = [] {
    auto parsed = avro::parse(kSchema);
    PENSTOCK_CHECK(parsed.has_value());
    return *parsed;
  }();
  return schema;
}

void append_dead_letter(const DeadLetter& letter, std::string& out) {
  avro::append_single_object_header(dead_letter_schema()->fingerprint(), out);
  avro::append_bytes(letter.stage, out);
  avro::append_bytes(letter.topic, out);
  avro::append_bytes(letter.lineage, out);
  avro::append_long(letter.partition, out);
  avro::append_long(letter.offset.value, out);
  avro::append_bytes(letter.step, out);
  avro::append_bytes(letter.reason, out);
  avro::append_bytes(cut(letter.detail), out);
  avro::append_long(letter.timestamp.value, out);
  append_optional(letter.key, out);
  append_optional(letter.value, out);
}

std::optional<DeadLetter> read_dead_letter(ByteView value) {
  uint64_t fingerprint = 0;
  Reader reader;
  if (!avro::strip_single_object(value, fingerprint, reader.rest)) return std::nullopt;
  if (fingerprint != dead_letter_schema()->fingerprint()) return std::nullopt;
  DeadLetter letter;
  letter.stage = reader.bytes();
  letter.topic = reader.bytes();
  letter.lineage = reader.bytes();
  letter.partition = static_cast<int32_t>(reader.number());
  letter.offset = {reader.number()};
  letter.step = reader.bytes();
  letter.reason = reader.bytes();
  letter.detail = reader.bytes();
  letter.timestamp = {reader.number()};
  letter.key = reader.optional_bytes();
  letter.value = reader.optional_bytes();
  if (!reader.good || !reader.rest.empty()) return std::nullopt;
  return letter;
}

}  // namespace penstock::flow
