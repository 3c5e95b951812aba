// rocksdb_checksum.h — the checksum that RocksDB computes over all it writes, at our speed.
//
// RocksDB as distributions build it computes CRC-32C by tables: a quarter of the processor time of
// a whole pipeline went there (its log and its blob files are checked byte by byte). The three
// functions of its checksum file are defined in rocksdb_checksum.cc instead, so a static link takes
// ours, with the processor's own instruction. The values are the same: folders do not change.
//
// Thread      a free function.
// Limits      works for a static RocksDB only; with a shared one its own, slower code may run.
//
//     PENSTOCK_CHECK(rocksdb_checksum("123456789") == 0xe3069283);   // at each open
#pragma once

#include "base/units.h"

#include <cstdint>

namespace penstock::log {

uint32_t rocksdb_checksum(ByteView bytes);

}  // namespace penstock::log
