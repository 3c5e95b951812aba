#include "wire/codec.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace penstock::wire {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to say: with gzip's header
constexpr int kRawWindow = -15;       // and: without any
constexpr int kZlibWindow = 15;       // and: with its own
// Writers that cut zlib's frame off by hand (fastavro) leave some of its checksum behind the
// stream.
constexpr uInt kRawLeftBytes = 4;
constexpr size_t kStepBytes = 64 << 10;

Bytef* as_bytes(const char* at) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(at));  // zlib's input pointer is not const
}

// Grows `out` by a step and lets the stream write there; false when max_bytes is reached.
bool offer_space(z_stream& stream, std::string& out, size_t& used, size_t max_bytes) {
  if (used == max_bytes) return false;
  const size_t more = std::min(std::max(kStepBytes, used), max_bytes - used);
  out.resize(used + more);
  stream.next_out = as_bytes(out.data() + used);
  stream.avail_out = static_cast<uInt>(more);
  used += more;
  return true;
}

// `left_bytes`: how many bytes may stand behind the end of the stream.
bool inflate_all(z_stream& stream, size_t max_bytes, uInt left_bytes, std::string& out) {
  size_t used = 0;
  while (true) {
    // One byte above the limit tells "exactly at the limit" from "above it".
    if (stream.avail_out == 0 && !offer_space(stream, out, used, max_bytes + 1)) return false;
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) break;
    if (status != Z_OK) return false;
  }
  out.resize(used - stream.avail_out);
  return out.size() <= max_bytes && stream.avail_in <= left_bytes;
}

bool decompress_as(int window, ByteView bytes, size_t max_bytes, std::string& out) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) return false;
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return false;
  stream.next_in = as_bytes(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  const uInt left_bytes = window == kRawWindow ? kRawLeftBytes : 0;
  const bool good = inflate_all(stream, max_bytes, left_bytes, out);
  inflateEnd(&stream);
  return good;
}

bool compress_as(int window, ByteView bytes, std::string& out) {
  if (bytes.size() > std::numeric_limits<uInt>::max() / 2) return false;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return false;
  }
  out.resize(deflateBound(&stream, bytes.size()));
  stream.next_in = as_bytes(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = as_bytes(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool good = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return good;
}

}  // namespace

bool gzip_decompress(ByteView bytes, size_t max_bytes, std::string& out) {
  return decompress_as(kGzipWindow, bytes, max_bytes, out);
}

bool gzip_compress(ByteView bytes, std::string& out) {
  return compress_as(kGzipWindow, bytes, out);
}

bool deflate_decompress(ByteView bytes, size_t max_bytes, std::string& out) {
  return decompress_as(kRawWindow, bytes, max_bytes, out);
}

bool deflate_compress(ByteView bytes, std::string& out) {
  return compress_as(kRawWindow, bytes, out);
}

bool zlib_decompress(ByteView bytes, size_t max_bytes, std::string& out) {
  return decompress_as(kZlibWindow, bytes, max_bytes, out);
}

bool zlib_compress(ByteView bytes, std::string& out) {
  return compress_as(kZlibWindow, bytes, out);
}

uint32_t crc32_of(ByteView bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace penstock::wire
