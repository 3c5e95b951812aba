// partitioner.h — which partition a key goes to: Kafka's Java client's rule, the same everywhere.
//
// Thread      free functions.
//
//     int32_t partition = partition_of("meter-17", 5);   // (murmur2(key) & 0x7fffffff) % 5
#pragma once

#include "base/units.h"

#include <cstdint>

namespace penstock::wire {

// The 32-bit murmur2 of the Java client (seed 0x9747b28c), as Java's int.
int32_t murmur2(ByteView key);

inline int32_t partition_of(ByteView key, int32_t partitions) {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace penstock::wire
