// raw_source.h — records as they are, for `send --raw`: any key, any value bytes, framed by whoever
// wrote the file.
//
// A line of JSON each: {"key": "text" or absent, "value_hex": "c301…" or absent,
// "timestamp_millis": 0 or absent}. Without a value the record's value is null. The input is named
// by its content, "file:<sha256>"; the offset of a record is its line's index.
//
// Thread      the worker that owns it.
// Lifetime    batches own their bytes.
// Limits      files ≤ 1 GiB.
// Errors      F001; F005 with the line, before anything of the file is sent.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "flow/log.h"

#include <cstdint>
#include <memory>
#include <string>

namespace penstock::file {

struct RawFile {
  std::string name;
  uint64_t rows_total = 0;
  std::unique_ptr<flow::Source> source;
};
// `rate_per_second` 0: as fast as it goes.
Result<RawFile> open_raw(const std::string& path, const Clock& clock, uint64_t rate_per_second = 0);

// Where the record of this offset stands.
Place place_of_raw(const std::string& path, Offset record);

}  // namespace penstock::file
