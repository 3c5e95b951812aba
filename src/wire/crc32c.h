// crc32c.h — CRC-32C (Castagnoli, RFC 3720), as Kafka's record batches have it.
//
// Thread      free functions. Speed: the processor's own instruction where there is one (SSE 4.2).
//
//     uint32_t crc = crc32c(bytes);            // crc32c("123456789") == 0xe3069283
//     crc = crc32c(more, crc);                 // goes on from there
#pragma once

#include "base/units.h"

#include <cstdint>

namespace penstock::wire {

uint32_t crc32c(ByteView bytes, uint32_t before = 0);
// The same by tables, on any processor; for the test that both agree.
uint32_t crc32c_portable(ByteView bytes, uint32_t before = 0);

}  // namespace penstock::wire
