// Any bytes as a server's answer, in pieces of any size: the same result however they are cut, and
// never more kept than allowed. The first byte is the size of the pieces.
#include "http/message.h"
#include "http/response_reader.h"

#include <cstdlib>

using namespace penstock::http;  // NOLINT: a program of one page

namespace {

constexpr size_t kMaxBody = 4096;

struct Read {
  ReadState state;
  bool keep_alive;
  Response response;
};

Read read(std::string_view text, size_t piece) {
  ResponseReader reader(kMaxBody, false);
  ReadState state = ReadState::more;
  for (size_t at = 0; at < text.size(); at += piece) state = reader.feed(text.substr(at, piece));
  if (state == ReadState::more) state = reader.finish();
  return {state, reader.keep_alive(), reader.take()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Read whole = read(text, text.size() + 1);
  const Read pieces = read(text, data[0] % 16 + 1);
  if (whole.response.body.size() > kMaxBody || whole.response.headers.size() > 200) std::abort();
  if (whole.state != pieces.state || whole.keep_alive != pieces.keep_alive) std::abort();
  if (whole.state == ReadState::done && whole.response.body != pieces.response.body) std::abort();
  (void)parse_url(text);
  return 0;
}
