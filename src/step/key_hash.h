// key_hash.h — one hash for equal keys, on every machine and in every version: it lies in state.
//
// Thread      free functions.
//
//     append_canonical(batch.columns[slot], row, key);     // equal values, equal bytes
//     Hash128 hash = hash_of(key);                         // XXH3, 128 bits, unseeded
#pragma once

#include "base/units.h"
#include "row/column.h"
#include "step/seen.h"

#include <cstdint>
#include <string>

namespace penstock::step {

// Null, or the value with its length where that is not fixed: no two lists of values share bytes.
void append_canonical(const row::Column& column, uint32_t row, std::string& key);
Hash128 hash_of(ByteView bytes);
uint64_t short_hash_of(ByteView bytes);

}  // namespace penstock::step
