// Any text as an Avro schema: what is taken is taken again from its own text and from its canonical
// form, as the same schema.
#include "avro/schema.h"

#include <cstdlib>

using namespace penstock;  // NOLINT: a program of one page

namespace {

void check_same(const avro::Schema& schema, const std::string& text) {
  const auto again = avro::parse(text);
  if (!again || (*again)->fingerprint() != schema.fingerprint()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto schema = avro::parse(text);
  if (!schema) {
    if (render(schema.error()).empty()) std::abort();
    return 0;
  }
  check_same(**schema, (*schema)->json());
  check_same(**schema, (*schema)->canonical());
  (void)avro::describe((*schema)->root());
  return 0;
}
