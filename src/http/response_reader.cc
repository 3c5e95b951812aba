#include "http/response_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace penstock::http {
namespace {

constexpr size_t kMaxHeadBytes = 64 * 1024;
constexpr size_t kMaxHeaders = 200;
constexpr size_t kMaxReserve = 1024 * 1024;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') || kMarks.contains(letter);
  });
}

bool is_value(std::string_view text) {
  return std::ranges::none_of(text, [](char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return out;
}

std::optional<size_t> number(std::string_view text, int base) {
  size_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || text.size() > 15 || read.ec != std::errc() ||
      read.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// "HTTP/1.1 200 OK"; the reason may be missing.
std::optional<unsigned> read_status(std::string_view line) {
  if (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")) return std::nullopt;
  const std::string_view digits = line.substr(9, 3);
  const auto status = number(digits, 10);
  if (digits.size() != 3 || !status || *status < 100 || *status > 599) return std::nullopt;
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  return static_cast<unsigned>(*status);
}

std::optional<Header> read_header(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return std::nullopt;
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_value(value)) return std::nullopt;
  return Header{std::string(line.substr(0, colon)), std::string(value)};
}

struct Framing {
  bool sound = true;
  bool chunked = false;
  std::optional<size_t> length;
  bool close = false;
  bool keep = false;
};

Framing framing_of(const std::vector<Header>& headers) {
  Framing framing;
  for (const Header& header : headers) {
    const std::string name = lowered(header.name);
    if (name == "content-length") {
      const auto length = number(header.value, 10);
      framing.sound &= length && (!framing.length || *framing.length == *length);
      framing.length = length;
    } else if (name == "transfer-encoding") {
      framing.sound &= !framing.chunked && lowered(header.value) == "chunked";
      framing.chunked = true;
    } else if (name == "connection") {
      const std::string value = lowered(header.value);
      framing.close |= value.contains("close");
      framing.keep |= value.contains("keep-alive");
    }
  }
  framing.sound &= !(framing.chunked && framing.length);
  return framing;
}

}  // namespace

ReadState ResponseReader::end(ReadState state) {
  state_ = state;
  if (state != ReadState::done) keep_alive_ = false;
  return state;
}

ReadState ResponseReader::feed(std::string_view bytes) {
  started_ |= !bytes.empty();
  while (!bytes.empty() && state_ == ReadState::more) {
    switch (phase_) {
      case Phase::head:
        feed_head(bytes);
        break;
      case Phase::counted:
      case Phase::until_close:
      case Phase::chunk:
        feed_counted(bytes);
        break;
      case Phase::chunk_size:
      case Phase::chunk_end:
      case Phase::trailer:
        feed_chunk_line(bytes);
        break;
    }
  }
  // Nobody asked for more than one answer.
  surplus_ |= !bytes.empty();
  return state_;
}

ReadState ResponseReader::finish() {
  keep_alive_ = false;
  if (state_ != ReadState::more) return state_;
  return phase_ == Phase::until_close ? end(ReadState::done) : ReadState::more;
}

ReadState ResponseReader::feed_head(std::string_view& bytes) {
  const size_t from = line_.size() < 3 ? 0 : line_.size() - 3;
  const size_t had = line_.size();
  line_.append(bytes.substr(0, kMaxHeadBytes + 4 - std::min(had, kMaxHeadBytes)));
  const size_t at = line_.find(kHeadEnd, from);
  if (at == std::string::npos) {
    if (line_.size() > kMaxHeadBytes) return end(ReadState::too_large);
    bytes = {};
    return ReadState::more;
  }
  bytes.remove_prefix(at + kHeadEnd.size() - had);
  line_.resize(at + 2);
  const ReadState state = read_head(line_);
  line_.clear();
  return state;
}

ReadState ResponseReader::read_head(std::string_view head) {
  size_t end_of_line = head.find("\r\n");
  const auto status = read_status(head.substr(0, end_of_line));
  if (!status) return end(ReadState::malformed);
  const bool newer = head[7] == '1';
  response_ = {};
  response_.status = *status;
  head.remove_prefix(end_of_line + 2);
  while (!head.empty()) {
    end_of_line = head.find("\r\n");
    auto header = read_header(head.substr(0, end_of_line));
    if (!header) return end(ReadState::malformed);
    if (response_.headers.size() == kMaxHeaders) return end(ReadState::too_large);
    response_.headers.push_back(std::move(*header));
    head.remove_prefix(end_of_line + 2);
  }
  if (*status == 101) return end(ReadState::malformed);
  if (*status < 200) return ReadState::more;  // "100 Continue": the answer follows
  keep_alive_ = newer;
  return begin_body();
}

ReadState ResponseReader::begin_body() {
  const Framing framing = framing_of(response_.headers);
  if (!framing.sound) return end(ReadState::malformed);
  keep_alive_ = !framing.close && (keep_alive_ || framing.keep);
  if (without_body_ || response_.status == 204 || response_.status == 304) {
    return end(ReadState::done);
  }
  if (framing.chunked) {
    phase_ = Phase::chunk_size;
    return ReadState::more;
  }
  if (!framing.length) {
    phase_ = Phase::until_close;
    left_ = SIZE_MAX;
    return ReadState::more;
  }
  if (*framing.length > max_body_) return end(ReadState::too_large);
  if (*framing.length == 0) return end(ReadState::done);
  phase_ = Phase::counted;
  left_ = *framing.length;
  response_.body.reserve(std::min(left_, kMaxReserve));
  return ReadState::more;
}

ReadState ResponseReader::feed_counted(std::string_view& bytes) {
  const std::string_view part = bytes.substr(0, left_);
  if (part.size() > max_body_ - response_.body.size()) return end(ReadState::too_large);
  response_.body.append(part);
  bytes.remove_prefix(part.size());
  if (phase_ == Phase::until_close) return ReadState::more;
  left_ -= part.size();
  if (left_ > 0) return ReadState::more;
  if (phase_ == Phase::counted) return end(ReadState::done);
  phase_ = Phase::chunk_end;
  return ReadState::more;
}

bool ResponseReader::take_line(std::string_view& bytes) {
  const size_t at = bytes.find('\n');
  const size_t count = at == std::string_view::npos ? bytes.size() : at + 1;
  line_.append(bytes.substr(0, std::min(count, kMaxHeadBytes + 1)));
  line_bytes_ += count;
  bytes.remove_prefix(count);
  return at != std::string_view::npos;
}

ReadState ResponseReader::feed_chunk_line(std::string_view& bytes) {
  const bool complete = take_line(bytes);
  if (line_bytes_ > kMaxHeadBytes) return end(ReadState::too_large);
  if (!complete) return ReadState::more;
  if (!line_.ends_with("\r\n")) return end(ReadState::malformed);
  std::string line = std::move(line_);
  line_.clear();
  line.resize(line.size() - 2);
  if (phase_ == Phase::chunk_size) return begin_chunk(line);
  if (phase_ == Phase::chunk_end) {
    phase_ = Phase::chunk_size;
    line_bytes_ = 0;
    return line.empty() ? ReadState::more : end(ReadState::malformed);
  }
  if (line.empty()) return end(ReadState::done);
  return read_header(line) ? ReadState::more : end(ReadState::malformed);
}

ReadState ResponseReader::begin_chunk(std::string_view line) {
  const auto size = number(trimmed(line.substr(0, line.find(';'))), 16);
  if (!size) return end(ReadState::malformed);
  line_bytes_ = 0;
  if (*size > max_body_ - response_.body.size()) return end(ReadState::too_large);
  left_ = *size;
  phase_ = *size == 0 ? Phase::trailer : Phase::chunk;
  return ReadState::more;
}

}  // namespace penstock::http
