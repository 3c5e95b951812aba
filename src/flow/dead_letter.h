// dead_letter.h — a bad record as it stands in the topic dead.<stage>.
//
// An Avro record `penstock.DeadLetter`, framed as a single object like every other record. Its
// identity is (lineage, partition, offset, step): stages that end in a store may write one twice,
// readers merge by the identity.
//
// Thread      free functions; the schema is parsed once and shared.
// Lifetime    the views of a DeadLetter belong to the caller, or to the bytes it was read from.
#pragma once

#include "avro/schema.h"
#include "base/units.h"

#include <cstdint>
#include <optional>
#include <string>

namespace penstock::flow {

// What a letter has beside the record's own key and value, at most; a longer detail is cut.
inline constexpr size_t kMaxLetterBytes = 64 << 10;
inline constexpr size_t kMaxDetailBytes = 4 << 10;

struct DeadLetter {
  std::string_view stage;    // id: "writer.latest"
  std::string_view topic;    // where the record lies
  std::string_view lineage;  // of that topic
  int32_t partition = 0;
  Offset offset;
  std::string_view step;    // "steps[1]", "decode", "encode", "route", "store"
  std::string_view reason;  // short and stable: "join.no_match"
  std::string_view detail;  // for people
  Millis timestamp;         // the record's own
  std::optional<ByteView> key;
  std::optional<ByteView> value;  // the original bytes, framing included
};

const avro::SchemaPtr& dead_letter_schema();
// Appends the framed value.
void append_dead_letter(const DeadLetter& letter, std::string& out);
// Reads a framed value; nullopt when it is none.
std::optional<DeadLetter> read_dead_letter(ByteView value);

}  // namespace penstock::flow
