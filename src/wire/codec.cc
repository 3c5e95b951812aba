#include "wire/codec.h"

namespace penstock::wire {

bool decompress(Codec codec, ByteView bytes, size_t max_bytes, std::string& out) {
  switch (codec) {
    case Codec::none:
      if (bytes.size() > max_bytes) return false;
      out.assign(bytes);
      return true;
    case Codec::gzip:
      return gzip_decompress(bytes, max_bytes, out);
    case Codec::snappy:
      return snappy_decompress(bytes, max_bytes, out);
    case Codec::lz4:
      return lz4_decompress(bytes, max_bytes, out);
    case Codec::zstd:
      return zstd_decompress(bytes, max_bytes, out);
  }
  return false;
}

bool compress(Codec codec, ByteView bytes, std::string& out) {
  switch (codec) {
    case Codec::none:
      out.assign(bytes);
      return true;
    case Codec::gzip:
      return gzip_compress(bytes, out);
    case Codec::snappy:
      return snappy_compress(bytes, out);
    case Codec::lz4:
      return lz4_compress(bytes, out);
    case Codec::zstd:
      return zstd_compress(bytes, out);
  }
  return false;
}

}  // namespace penstock::wire
