// Any bytes as a server's answer, in pieces of any size: the same result however they are cut, and
// never more kept than allowed. The first byte is the size of the pieces. An address that is taken
// is taken again from its own text.
#include "base/error.h"
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

void check_url(std::string_view text) {
  auto url = parse_url(text);
  if (!url) {
    if (penstock::render(url.error()).empty()) std::abort();
    return;
  }
  const auto again = parse_url(text_of(*url));
  if (!again || *again != *url || host_of(*again) != host_of(*url)) std::abort();
  add_query(*url, "a name", text.substr(0, 100));
  const auto longer = parse_url(text_of(*url));
  if (longer ? *longer != *url : text_of(*url).size() <= 8 * 1024) std::abort();
}

void check_headers(const Response& response) {
  for (const Header& header : response.headers) {
    if (header.name.empty() || header.value.find_first_of("\r\n") != std::string::npos)
      std::abort();
    const auto first = find_header(response.headers, header.name);
    if (first.empty() && &header == &response.headers.front() && !header.value.empty())
      std::abort();
  }
}

void check_failure(std::string_view text) {
  const auto kind = static_cast<FailureKind>(text.size() % 9);
  const auto error = error_of({.kind = kind, .message = std::string(text)}, "asking");
  if (!error.message.starts_with("asking: ")) std::abort();
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
  check_headers(whole.response);
  check_url(text);
  check_failure(text);
  return 0;
}
