// framing.h — the bytes before a datum that say by which schema it was written.
//
// Single-object encoding (Avro specification): C3 01 + CRC-64-AVRO fingerprint, little-endian.
// Bare: nothing; the topic's declared schema is the writer's. Told apart by the caller's
// declaration, not by guessing: a bare datum may begin with any byte.
#pragma once

#include "base/units.h"

#include <cstdint>
#include <string>

namespace penstock::avro {

enum class Framing : uint8_t { single_object, bare };

inline constexpr size_t kSingleObjectHeaderBytes = 10;

// The fingerprint of a single-object value and the datum behind it; false when the value is not
// framed so.
bool strip_single_object(ByteView value, uint64_t& fingerprint, ByteView& datum);
// Appends the 10 header bytes.
void append_single_object_header(uint64_t fingerprint, std::string& out);

}  // namespace penstock::avro
