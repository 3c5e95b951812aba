// The writer's schema, the reader's, and any bytes, with zero bytes between: what resolves is a
// valid datum of the reader's; what does not leaves nothing behind.
#include "avro/compatibility.h"
#include "avro/resolve.h"
#include "avro/schema.h"

#include <cstdlib>

using namespace penstock;  // NOLINT: a program of one page

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t first = input.find('\0');
  const size_t second = first == std::string_view::npos ? first : input.find('\0', first + 1);
  if (second == std::string_view::npos) return 0;
  const auto writer = avro::parse(input.substr(0, first));
  const auto reader = avro::parse(input.substr(first + 1, second - first - 1));
  if (!writer || !reader) return 0;
  (void)avro::compare((*writer)->root(), (*reader)->root());
  const auto resolver = avro::Resolver::compile((*writer)->root(), (*reader)->root());
  if (!resolver) return 0;
  const std::string_view datum = input.substr(second + 1);
  std::string out = "before", why;
  const bool done = resolver->run(datum, out, &why);
  const bool valid = avro::validate((*writer)->root(), datum, nullptr);
  if (done && (!valid || !out.starts_with("before"))) std::abort();
  if (!done && (out != "before" || why.empty())) std::abort();
  if (!done) return 0;
  if (!avro::validate((*reader)->root(), std::string_view(out).substr(6), nullptr)) std::abort();
  if (resolver->keeps_bytes() && std::string_view(out).substr(6) != datum) std::abort();
  return 0;
}
