#include "avro/framing.h"

#include <fmt/format.h>

#include <array>

namespace penstock::avro {
namespace {

constexpr char kConfluent = '\x00';
constexpr char kConfluentGuid = '\x01';
constexpr char kGlue = '\x03';
constexpr char kGluePlain = '\x00';
constexpr char kGlueZlib = '\x05';

uint64_t big_endian(const char* at, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<uint8_t>(at[i]);
  return number;
}

void append_big_endian(uint64_t number, int bits, std::string& out) {
  for (int shift = bits - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(number >> shift));
}

HeadFault read_uuid(ByteView value, Framing framing, size_t bytes, Head& head) {
  if (value.size() < bytes) return HeadFault::cut;
  const char* at = value.data() + bytes - 16;
  head = {{framing, big_endian(at, 8), big_endian(at + 8, 8)}, bytes, false};
  return HeadFault::none;
}

HeadFault read_glue(ByteView value, Head& head) {
  if (value.size() < 2) return HeadFault::cut;
  const char compression = value[1];
  if (compression != kGluePlain && compression != kGlueZlib) return HeadFault::compression;
  const HeadFault fault = read_uuid(value, Framing::glue, kGlueHeaderBytes, head);
  head.deflated = compression == kGlueZlib;
  return fault;
}

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  const char low = static_cast<char>(letter | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

std::string_view to_text(Framing framing) {
  switch (framing) {
    case Framing::single_object:
      return "single_object";
    case Framing::bare:
      return "bare";
    case Framing::confluent:
      return "confluent";
    case Framing::confluent_guid:
      return "confluent_guid";
    case Framing::glue:
      return "glue";
  }
  return "";
}

bool needs_registry(Framing framing) {
  return framing != Framing::single_object && framing != Framing::bare;
}

std::string uuid_text(const SchemaId& id) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", id.high >> 32, id.high >> 16 & 0xffff,
                     id.high & 0xffff, id.low >> 48, id.low & 0xffff'ffff'ffff);
}

bool parse_uuid(std::string_view text, SchemaId& id) {
  if (text.size() != 36) return false;
  std::array<uint64_t, 2> parts{};
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return false;
      continue;
    }
    const int digit = digit_of(text[i]);
    if (digit < 0) return false;
    uint64_t& part = parts[digits++ / 16];
    part = part << 4 | static_cast<uint64_t>(digit);
  }
  id.high = parts[0];
  id.low = parts[1];
  return true;
}

std::string to_text(const SchemaId& id) {
  switch (id.framing) {
    case Framing::confluent:
      return fmt::format("id {}", id.low);
    case Framing::confluent_guid:
      return "GUID " + uuid_text(id);
    case Framing::glue:
      return "version " + uuid_text(id);
    case Framing::single_object:
    case Framing::bare:
      break;
  }
  return fmt::format("fingerprint {:016x}", id.low);
}

std::string describe(HeadFault fault, ByteView value) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(value[at]); };
  switch (fault) {
    case HeadFault::none:
      return "";
    case HeadFault::cut:
      return fmt::format("the value ends within its framing, after {} bytes", value.size());
    case HeadFault::compression:
      return fmt::format(
          "the value has Glue's framing and the compression {:02x}; 00 and 05 are "
          "known",
          byte(1));
    case HeadFault::unknown:
      break;
  }
  return fmt::format("the value begins with {:02x}, as no framing does: C3 01, 00, 01 or 03",
                     byte(0));
}

HeadFault read_head(ByteView value, Head& head) {
  if (strip_single_object(value, head.id.low, value)) {
    head = {{Framing::single_object, 0, head.id.low}, kSingleObjectHeaderBytes, false};
    return HeadFault::none;
  }
  if (value.empty()) return HeadFault::cut;
  switch (value[0]) {
    case kConfluent:
      if (value.size() < kConfluentHeaderBytes) return HeadFault::cut;
      head = {
          {Framing::confluent, 0, big_endian(value.data() + 1, 4)}, kConfluentHeaderBytes, false};
      return HeadFault::none;
    case kConfluentGuid:
      return read_uuid(value, Framing::confluent_guid, kConfluentGuidHeaderBytes, head);
    case kGlue:
      return read_glue(value, head);
    case '\xc3':
      return value.size() < 2 || value[1] == '\x01' ? HeadFault::cut : HeadFault::unknown;
    default:
      return HeadFault::unknown;
  }
}

void append_head(const SchemaId& id, std::string& out) {
  switch (id.framing) {
    case Framing::bare:
      return;
    case Framing::single_object:
      return append_single_object_header(id.low, out);
    case Framing::confluent:
      out.push_back(kConfluent);
      return append_big_endian(id.low, 32, out);
    case Framing::confluent_guid:
      out.push_back(kConfluentGuid);
      break;
    case Framing::glue:
      out.push_back(kGlue);
      out.push_back(kGluePlain);
      break;
  }
  append_big_endian(id.high, 64, out);
  append_big_endian(id.low, 64, out);
}

bool strip_single_object(ByteView value, uint64_t& fingerprint, ByteView& datum) {
  if (value.size() < kSingleObjectHeaderBytes || value[0] != '\xc3' || value[1] != '\x01')
    return false;
  fingerprint = 0;
  for (size_t i = 0; i < 8; ++i)
    fingerprint |= static_cast<uint64_t>(static_cast<uint8_t>(value[2 + i])) << (8 * i);
  datum = value.substr(kSingleObjectHeaderBytes);
  return true;
}

void append_single_object_header(uint64_t fingerprint, std::string& out) {
  out += "\xc3\x01";
  for (int shift = 0; shift < 64; shift += 8)
    out.push_back(static_cast<char>(fingerprint >> shift));
}

}  // namespace penstock::avro
