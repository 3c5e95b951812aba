// Any bytes as an object container file: what is read of it is valid, and the same when it is
// written and read again.
#include "avro/container.h"
#include "avro/resolve.h"

#include <cstdlib>

using namespace penstock;  // NOLINT: a program of one page

namespace {

std::string copied(avro::ContainerReader file, avro::ContainerCodec codec) {
  avro::ContainerWriter out(*file.schema(), codec, avro::Sync{});
  for (int count = 0; count < 1000; ++count) {
    const auto datum = file.next();
    if (!datum || !*datum) break;
    if (!avro::validate(file.schema()->root(), **datum, nullptr)) std::abort();
    out.add(**datum);
  }
  return std::move(out).finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto file = avro::ContainerReader::open({reinterpret_cast<const char*>(data), size});
  if (!file) return 0;
  const std::string once = copied(std::move(*file), avro::ContainerCodec::snappy);
  auto again = avro::ContainerReader::open(once);
  if (!again || copied(std::move(*again), avro::ContainerCodec::snappy) != once) std::abort();
  return 0;
}
