// codec.h — the compressions that a record batch or a file can have; each library stands behind
// one .cc.
//
// Thread      free functions.
// Limits      decompress() never writes more than `max_bytes`, whatever the input claims.
// Errors      false: damaged input, or more output than allowed; `out` is unspecified then.
//
//     std::string records;
//     if (!decompress(Codec::lz4, bytes, 64u << 20, records)) return fault;
#pragma once

#include "base/units.h"

#include <cstdint>
#include <string>

namespace penstock::wire {

// Numbered as in the batch's attributes.
enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

// Replaces `out`. With Codec::none a plain copy.
bool decompress(Codec codec, ByteView bytes, size_t max_bytes, std::string& out);
// Replaces `out` by the compressed bytes, in the form that Kafka's clients read.
bool compress(Codec codec, ByteView bytes, std::string& out);

// One pair per library; callers use the two above.
bool gzip_decompress(ByteView bytes, size_t max_bytes, std::string& out);
bool gzip_compress(ByteView bytes, std::string& out);
bool snappy_decompress(ByteView bytes, size_t max_bytes, std::string& out);
bool snappy_compress(ByteView bytes, std::string& out);
bool lz4_decompress(ByteView bytes, size_t max_bytes, std::string& out);
bool lz4_compress(ByteView bytes, std::string& out);
bool zstd_decompress(ByteView bytes, size_t max_bytes, std::string& out);
bool zstd_compress(ByteView bytes, std::string& out);

// Without a frame around them, as Avro's container files have them.
bool deflate_decompress(ByteView bytes, size_t max_bytes, std::string& out);
bool deflate_compress(ByteView bytes, std::string& out);
// With zlib's own frame around them.
bool zlib_decompress(ByteView bytes, size_t max_bytes, std::string& out);
bool zlib_compress(ByteView bytes, std::string& out);
bool snappy_block_decompress(ByteView bytes, size_t max_bytes, std::string& out);
bool snappy_block_compress(ByteView bytes, std::string& out);
// The CRC-32 of zip and gzip (polynomial 04C11DB7).
uint32_t crc32_of(ByteView bytes);

}  // namespace penstock::wire
