#include "http/message.h"

#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace penstock::http {
namespace {

constexpr size_t kMaxUrlBytes = 8 * 1024;

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool is_unreserved(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_' ||
         letter == '.' || letter == '~';
}

// Visible ASCII: nothing that ends a line or a word of the request's first line.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter < 0x7f; });
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char letter) {
    return is_unreserved(letter) || letter == ':' || letter == '%';
  });
}

auto refuse(std::string_view text, std::string_view why) {
  return fail("H001"_code, fmt::format("{} is no address: {}", quoted(text), why));
}

// "host", "host:port", "[v6]:port".
Result<void> read_authority(std::string_view whole, std::string_view text, Url& url) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return refuse(whole, "a bracket is not closed");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return refuse(whole, "a port begins with :");
  } else if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
    if (host.contains(':')) return refuse(whole, "an IPv6 address stands in brackets");
  }
  if (!is_host(host)) return refuse(whole, "it names no host");
  url.host = host;
  std::ranges::transform(url.host, url.host.begin(), lower);
  if (port.size() <= 1) return {};
  const auto read = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
  if (read.ec != std::errc() || read.ptr != port.data() + port.size() || url.port == 0) {
    return refuse(whole, "a port is a number from 1 to 65535");
  }
  return {};
}

Code code_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::tls:
      return "H003"_code;
    case FailureKind::timeout:
      return "H004"_code;
    case FailureKind::reset:
    case FailureKind::stopped:
      return "H005"_code;
    case FailureKind::address:
    case FailureKind::malformed:
    case FailureKind::too_large:
      return "H006"_code;
    case FailureKind::resolve:
    case FailureKind::connect:
      break;
  }
  return "H002"_code;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return refuse(text.substr(0, 64), "it is longer than 8 KiB");
  if (!is_plain(text)) return refuse(text, "blanks and special characters are written %XX");
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    url.tls = false;
    url.port = 80;
  } else {
    return refuse(text, "it begins with http:// or https://");
  }
  if (rest.contains('#')) return refuse(text, "it has a fragment");
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (rest.substr(0, end).contains('@')) {
    return fail("H001"_code, "an address with a user in it is not taken (and not shown)");
  }
  PENSTOCK_TRY_VOID(read_authority(text, rest.substr(0, end), url));
  rest.remove_prefix(end);
  const size_t question = std::min(rest.find('?'), rest.size());
  if (question > 0) url.path = rest.substr(0, question);
  if (question < rest.size()) url.query = rest.substr(question + 1);
  return url;
}

std::string host_of(const Url& url) {
  std::string host = url.host.contains(':') ? fmt::format("[{}]", url.host) : url.host;
  if (url.port != (url.tls ? 443 : 80)) host += fmt::format(":{}", url.port);
  return host;
}

std::string text_of(const Url& url) {
  return fmt::format("{}://{}{}{}{}", url.tls ? "https" : "http", host_of(url), url.path,
                     url.query.empty() ? "" : "?", url.query);
}

std::string percent_encoded(std::string_view text, std::string_view keep) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    if (is_unreserved(letter) || keep.contains(letter)) {
      out += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

void add_pair(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += percent_encoded(name) + "=" + percent_encoded(value);
}

void add_query(Url& url, std::string_view name, std::string_view value) {
  add_pair(url.query, name, value);
}

std::string_view find_header(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

Error error_of(const Failure& failure, std::string_view what) {
  return fail(code_of(failure.kind), fmt::format("{}: {}", what, failure.message)).take();
}

}  // namespace penstock::http
