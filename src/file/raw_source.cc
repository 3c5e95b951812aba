#include "file/raw_source.h"

#include "avro/json_text.h"
#include "base/check.h"
#include "file/digest.h"
#include "file/pace.h"
#include "file/row_text.h"
#include "flow/config_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace penstock::file {
namespace {

constexpr Partition kOnly{0, 0};

// The lines of a text that are not empty.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}
  bool next() {
    while (!rest_.empty()) {
      const size_t end = std::min(rest_.find('\n'), rest_.size());
      line_ = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (line_.find_first_not_of(" \t\r") != std::string_view::npos) return true;
    }
    return false;
  }
  std::string_view line() const { return line_; }
  Place place(const std::string& path) const {
    return {path, number_, 1, 1, std::string(line_.substr(0, 200))};
  }

 private:
  std::string_view rest_, line_;
  uint32_t number_ = 0;
};

struct Line {
  std::optional<std::string> key, value;
  int64_t timestamp_millis = -1;
};

std::optional<std::string> from_hex(std::string_view hex) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::expected<Line, std::string> read_line(std::string_view text) {
  const auto json = avro::read_json(text);
  if (!json) return std::unexpected(json.error());
  if (json->kind != avro::Json::Kind::object) return std::unexpected("not an object");
  Line line;
  for (size_t i = 0; i < json->names.size(); ++i) {
    const avro::Json& value = json->items[i];
    if (json->names[i] == "key" && value.kind == avro::Json::Kind::string) {
      line.key = value.text;
    } else if (json->names[i] == "value_hex" && value.kind == avro::Json::Kind::string) {
      line.value = from_hex(value.text);
      if (!line.value) return std::unexpected("value_hex is not pairs of hexadecimal digits");
    } else if (json->names[i] == "timestamp_millis" && value.kind == avro::Json::Kind::number) {
      const char* end = value.text.data() + value.text.size();
      const auto read = std::from_chars(value.text.data(), end, line.timestamp_millis);
      if (read.ec != std::errc() || read.ptr != end || line.timestamp_millis < 0)
        return std::unexpected("timestamp_millis is not a count of milliseconds since 1970");
    } else {
      return std::unexpected(fmt::format("unknown or mistyped member \"{}\"", json->names[i]));
    }
  }
  return line;
}

class RawSource final : public flow::Source {
 public:
  RawSource(std::shared_ptr<const std::vector<Line>> lines, const Clock& clock,
            uint64_t rate_per_second)
      : lines_(std::move(lines)), clock_(clock), pace_(rate_per_second, &clock) {}

  flow::SourceEvent poll(const flow::PollLimits& limits) override {
    if (closed_) return flow::Idle{};
    if (!std::exchange(announced_, true)) return flow::Assigned{{kOnly}, nullptr};
    if (!answered_ || !started_ || paused_ || at_end()) return flow::Idle{};
    const uint64_t most = pace_.allowed(position(kOnly).value, limits.max_records);
    if (most == 0) return flow::Idle{};
    row::RawBatch batch;
    batch.partition = kOnly;
    batch.memory = lines_;
    const Millis now = clock_.now();
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < most && next_ < lines_->size(); ++i, ++next_) {
      const Line& line = (*lines_)[next_];
      bytes += (line.key ? line.key->size() : 0) + (line.value ? line.value->size() : 0);
      if (i > 0 && bytes > limits.max_bytes) break;
      batch.records.push_back(
          {.key = line.key ? ByteView(*line.key) : ByteView(),
           .value = line.value ? ByteView(*line.value) : ByteView(),
           .offset = {static_cast<int64_t>(next_)},
           .timestamp = line.timestamp_millis < 0 ? now : Millis{line.timestamp_millis},
           .has_key = line.key.has_value(),
           .has_value = line.value.has_value()});
    }
    return batch;
  }
  void start(Partition partition, Offset next) override {
    PENSTOCK_CHECK(partition == kOnly);
    started_ = true;
    next_ = std::min(static_cast<size_t>(next.value), lines_->size());
    pace_.begin(next.value);
  }
  void answer() override { answered_ = true; }
  Offset position(Partition) const override { return {static_cast<int64_t>(next_)}; }
  void pause(bool paused) override { paused_ = paused; }
  bool at_end() const override { return started_ && next_ >= lines_->size(); }
  flow::Membership membership() const override { return nullptr; }
  void commit_group(const flow::Commit&) override {}
  void close() override { closed_ = true; }

 private:
  std::shared_ptr<const std::vector<Line>> lines_;
  const Clock& clock_;
  Pace pace_;
  size_t next_ = 0;
  bool announced_ = false, answered_ = false, started_ = false, paused_ = false, closed_ = false;
};

}  // namespace

Place place_of_raw(const std::string& path, Offset record) {
  const auto text = read_file(path);
  if (!text) return {path, 0, 0, 1, {}};
  TextLines all(*text);
  for (int64_t at = 0; at <= record.value; ++at) {
    if (!all.next()) return {path, 0, 0, 1, {}};
  }
  return all.place(path);
}

Result<RawFile> open_raw(const std::string& path, const Clock& clock, uint64_t rate_per_second) {
  PENSTOCK_TRY(text, read_file(path));
  auto lines = std::make_shared<std::vector<Line>>();
  for (TextLines all(text); all.next();) {
    auto line = read_line(all.line());
    if (!line) return fail("F005"_code, line.error()).at(all.place(path));
    lines->push_back(*std::move(line));
  }
  RawFile file;
  file.name = "file:" + sha256_hex(text);
  file.rows_total = lines->size();
  file.source = std::make_unique<RawSource>(std::move(lines), clock, rate_per_second);
  return file;
}

}  // namespace penstock::file
