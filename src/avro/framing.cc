#include "avro/framing.h"

namespace penstock::avro {

bool strip_single_object(ByteView value, uint64_t& fingerprint, ByteView& datum) {
  if (value.size() < kSingleObjectHeaderBytes || value[0] != '\xc3' || value[1] != '\x01')
    return false;
  fingerprint = 0;
  for (size_t i = 0; i < 8; ++i)
    fingerprint |= static_cast<uint64_t>(static_cast<uint8_t>(value[2 + i])) << (8 * i);
  datum = value.substr(kSingleObjectHeaderBytes);
  return true;
}

void append_single_object_header(uint64_t fingerprint, std::string& out) {
  out += "\xc3\x01";
  for (int shift = 0; shift < 64; shift += 8)
    out.push_back(static_cast<char>(fingerprint >> shift));
}

}  // namespace penstock::avro
