#include "wire/codec.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

namespace penstock::wire {
namespace {

constexpr int kLevel = 1;
constexpr int kWindowLogMax = 23;  // 8 MiB, what Kafka's own clients need at most

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

}  // namespace

bool zstd_decompress(ByteView bytes, size_t max_bytes, std::string& out) {
  const std::unique_ptr<ZSTD_DStream, FreeStream> stream(ZSTD_createDStream());
  if (!stream) return false;
  if (ZSTD_isError(ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, kWindowLogMax))) {
    return false;
  }
  out.clear();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t used = 0;
  size_t hint = 1;  // 0: the frame is complete
  while (hint != 0) {
    if (used == out.size()) {
      // One byte above the limit tells "exactly at the limit" from "above it".
      if (used > max_bytes) return false;
      out.resize(std::min(used + std::max(ZSTD_DStreamOutSize(), used), max_bytes + 1));
    }
    ZSTD_outBuffer space{out.data() + used, out.size() - used, 0};
    const size_t before = in.pos;
    hint = ZSTD_decompressStream(stream.get(), &space, &in);
    if (ZSTD_isError(hint)) return false;
    used += space.pos;
    if (hint != 0 && space.pos == 0 && in.pos == before) return false;  // cut off
  }
  out.resize(used);
  return used <= max_bytes && in.pos == in.size;
}

bool zstd_compress(ByteView bytes, std::string& out) {
  out.resize(ZSTD_compressBound(bytes.size()));
  const size_t written = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(written)) return false;
  out.resize(written);
  return true;
}

}  // namespace penstock::wire
