#include "aws/signer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace penstock::aws {
namespace {

using http::Header;
using http::Request;
using http::Url;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kUnsigned = "UNSIGNED-PAYLOAD";
// What proxies and clients change on the way.
constexpr std::array<std::string_view, 4> kNeverSigned = {"expect", "transfer-encoding",
                                                          "user-agent", "x-amzn-trace-id"};

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return out;
}

bool is_blank(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }

// Blanks at the ends go, those inside become one.
std::string trimmed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    if (!is_blank(letter)) {
      out += letter;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

void remove_header(std::vector<Header>& headers, std::string_view name) {
  std::erase_if(headers, [&](const Header& header) { return lowered(header.name) == name; });
}

// Names in lower case, sorted; values of one name in their order, joined by commas.
std::map<std::string, std::string> headers_to_sign(const Request& request) {
  std::map<std::string, std::string> out;
  for (const Header& header : request.headers) {
    std::string name = lowered(header.name);
    if (std::ranges::find(kNeverSigned, name) != kNeverSigned.end()) continue;
    const auto [at, added] = out.try_emplace(std::move(name));
    if (!added) at->second += ',';
    at->second += trimmed(header.value);
  }
  if (!out.contains("host")) out["host"] = http::host_of(request.url);
  return out;
}

std::string names_of(const std::map<std::string, std::string>& headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    if (!out.empty()) out += ';';
    out += name;
  }
  return out;
}

// "." and ".." are followed, empty segments go.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
    at = end + 1;
  }
  std::string out;
  for (const std::string_view segment : kept) {
    out += '/';
    out += segment;
  }
  return out.empty() || path.ends_with('/') ? out + '/' : out;
}

// Sorted by name, then by value: not by the text "name=value", in which = counts.
std::string sorted_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t at = 0; at < query.size() || (at == query.size() && !query.empty());) {
    const size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    const size_t equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
    at = end + 1;
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (&name != &pairs.front().first) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

std::string canonical_request(const Request& request, const Url& url,
                              const std::map<std::string, std::string>& headers,
                              std::string_view payload, bool path_as_sent) {
  std::string out = request.method;
  out += '\n';
  out += path_as_sent ? url.path : http::percent_encoded(normalized(url.path), "/");
  out += '\n';
  out += sorted_query(url.query);
  out += '\n';
  for (const auto& [name, value] : headers) {
    out += name;
    out += ':';
    out += value;
    out += '\n';
  }
  out += '\n';
  out += names_of(headers);
  out += '\n';
  out += payload;
  return out;
}

}  // namespace

std::string amz_time(Millis time) {
  using namespace std::chrono;
  const sys_seconds seconds(duration_cast<std::chrono::seconds>(milliseconds(time.value)));
  const auto day = floor<days>(seconds);
  const year_month_day date(day);
  const hh_mm_ss clock(seconds - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string Signer::scope_text(std::string_view day) const {
  return fmt::format("{}/{}/{}/aws4_request", day, scope_.region, scope_.service);
}

const Digest& Signer::key_of(const Credentials& credentials, std::string_view day) {
  if (key_day_ == day && key_secret_ == credentials.secret_access_key) return key_;
  std::string first = "AWS4";
  first += credentials.secret_access_key.reveal();
  Digest key = hmac_sha256(first, day);
  wipe(first);
  for (const std::string_view part :
       {std::string_view(scope_.region), std::string_view(scope_.service),
        std::string_view("aws4_request")}) {
    key = hmac_sha256(view_of(key), part);
  }
  key_day_ = day;
  key_secret_ = credentials.secret_access_key;
  key_ = key;
  return key_;
}

std::string Signer::signature(std::string_view canonical, const Credentials& credentials,
                              const std::string& time) {
  const std::string_view day = std::string_view(time).substr(0, 8);
  const std::string text =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope_text(day), hex(sha256(canonical)));
  return hex(hmac_sha256(view_of(key_of(credentials, day)), text));
}

void Signer::sign(Request& request, const Credentials& credentials, Millis now) {
  const std::string time = amz_time(now);
  const bool s3 = scope_.service == "s3";
  for (const std::string_view name :
       {"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}) {
    remove_header(request.headers, name);
  }
  const std::string payload = hex(sha256(request.body));
  request.headers.push_back({"X-Amz-Date", time});
  if (!credentials.session_token.empty()) {
    request.headers.push_back(
        {"X-Amz-Security-Token", std::string(credentials.session_token.reveal())});
  }
  if (s3) request.headers.push_back({"X-Amz-Content-SHA256", payload});
  const auto headers = headers_to_sign(request);
  const std::string canonical = canonical_request(request, request.url, headers, payload, s3);
  request.headers.push_back(
      {"Authorization",
       fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                   credentials.access_key_id, scope_text(time.substr(0, 8)), names_of(headers),
                   signature(canonical, credentials, time))});
}

Url Signer::presign(const Request& request, const Credentials& credentials, Millis now,
                    int64_t valid_seconds) {
  const std::string time = amz_time(now);
  const bool s3 = scope_.service == "s3";
  const auto headers = headers_to_sign(request);
  Url url = request.url;
  http::add_query(url, "X-Amz-Algorithm", kAlgorithm);
  http::add_query(url, "X-Amz-Credential",
                  credentials.access_key_id + "/" + scope_text(time.substr(0, 8)));
  http::add_query(url, "X-Amz-Date", time);
  http::add_query(url, "X-Amz-Expires", fmt::to_string(valid_seconds));
  http::add_query(url, "X-Amz-SignedHeaders", names_of(headers));
  if (!credentials.session_token.empty()) {
    http::add_query(url, "X-Amz-Security-Token", credentials.session_token.reveal());
  }
  const std::string payload = s3 ? std::string(kUnsigned) : hex(sha256(request.body));
  http::add_query(
      url, "X-Amz-Signature",
      signature(canonical_request(request, url, headers, payload, s3), credentials, time));
  return url;
}

}  // namespace penstock::aws
