// framing.h — the bytes before a datum that say by which schema it was written.
//
//   C3 01 + CRC-64-AVRO fingerprint, little-endian      single-object (Avro specification)
//   00 + 4 bytes, big-endian                            Confluent, by the registry's id
//   01 + 16 bytes                                       Confluent, by the schema's GUID
//   03 + 00 or 05 + 16 bytes                            AWS Glue, by the version's UUID; 05: the
//                                                       datum is compressed by zlib
// Bare: nothing; the topic's declared schema is the writer's. Bare datums are told apart by the
// caller's declaration, not by guessing: one may begin with any byte.
//
// Thread      values, free functions.
// Errors      hostile bytes are a HeadFault; nothing is read outside the view.
//
//     Head head;
//     if (read_head(value, head) != HeadFault::none) …
//     const ByteView datum = value.substr(head.bytes);
#pragma once

#include "base/units.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::avro {

enum class Framing : uint8_t { single_object, bare, confluent, confluent_guid, glue };
// "single_object", as the pipeline file has it.
std::string_view to_text(Framing framing);
bool needs_registry(Framing framing);

// What a framing calls a schema.
struct SchemaId {
  Framing framing = Framing::single_object;
  uint64_t high = 0;  // the first eight bytes of a GUID or UUID
  uint64_t low = 0;   // the last eight; or the fingerprint, or the registry's id
  auto operator<=>(const SchemaId&) const = default;
};
// "fingerprint 0123456789abcdef", "id 7", "GUID 01234567-89ab-…"
std::string to_text(const SchemaId& id);
// "01234567-89ab-cdef-0123-456789abcdef" and back, in any case; false when it is none.
std::string uuid_text(const SchemaId& id);
bool parse_uuid(std::string_view text, SchemaId& id);

inline constexpr size_t kSingleObjectHeaderBytes = 10;
inline constexpr size_t kConfluentHeaderBytes = 5;
inline constexpr size_t kConfluentGuidHeaderBytes = 17;
inline constexpr size_t kGlueHeaderBytes = 18;

enum class HeadFault : uint8_t {
  none,
  unknown,      // no framing begins so
  cut,          // the value ends within the head
  compression,  // Glue's, and neither none nor zlib
};
std::string describe(HeadFault fault, ByteView value);

struct Head {
  SchemaId id;
  size_t bytes = 0;
  bool deflated = false;  // what follows is zlib's
};
// Of any framing but bare.
HeadFault read_head(ByteView value, Head& head);
// Appends the bytes that go before a datum; none for bare.
void append_head(const SchemaId& id, std::string& out);

// The fingerprint of a single-object value and the datum behind it; false when the value is not
// framed so.
bool strip_single_object(ByteView value, uint64_t& fingerprint, ByteView& datum);
// Appends the 10 header bytes.
void append_single_object_header(uint64_t fingerprint, std::string& out);

// How large a datum may be that came in `bytes` compressed ones: what is larger is no datum but an
// attack. By the value alone, so that a replay decides the same.
constexpr size_t inflated_bytes_max(size_t bytes) {
  constexpr size_t kWhole = 16 << 20;
  const size_t share = 4096 + 64 * bytes;
  return share < kWhole ? share : kWhole;
}

}  // namespace penstock::avro
