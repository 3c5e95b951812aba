#include "wire/codec.h"

#include <algorithm>
#include <memory>

#include <lz4frame.h>

namespace penstock::wire {
namespace {

constexpr size_t kStepBytes = 64 << 10;

struct FreeContext {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

}  // namespace

bool lz4_decompress(ByteView bytes, size_t max_bytes, std::string& out) {
  LZ4F_dctx* made = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION))) return false;
  const std::unique_ptr<LZ4F_dctx, FreeContext> context(made);
  out.clear();
  size_t used = 0;
  size_t hint = 1;  // 0: the frame is complete
  while (hint != 0) {
    if (used == out.size()) {
      // One byte above the limit tells "exactly at the limit" from "above it".
      if (used > max_bytes) return false;
      out.resize(std::min(used + std::max(kStepBytes, used), max_bytes + 1));
    }
    size_t produced = out.size() - used;
    size_t consumed = bytes.size();
    hint = LZ4F_decompress(context.get(), out.data() + used, &produced, bytes.data(), &consumed,
                           nullptr);
    if (LZ4F_isError(hint)) return false;
    used += produced;
    bytes.remove_prefix(consumed);
    if (hint != 0 && produced == 0 && consumed == 0) return false;  // cut off
  }
  out.resize(used);
  return used <= max_bytes && bytes.empty();
}

bool lz4_compress(ByteView bytes, std::string& out) {
  out.resize(LZ4F_compressFrameBound(bytes.size(), nullptr));
  const size_t written =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), nullptr);
  if (LZ4F_isError(written)) return false;
  out.resize(written);
  return true;
}

}  // namespace penstock::wire
