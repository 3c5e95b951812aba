#include "file/file_source.h"

#include "base/check.h"
#include "file/digest.h"
#include "file/row_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::file {
namespace {

constexpr Partition kOnly{0, 0};
constexpr size_t kBadRowsKept = 1'000;

}  // namespace

Result<std::unique_ptr<FileSource>> FileSource::open(FileSourceSpec spec) {
  PENSTOCK_TRY(text, read_file(spec.path));
  std::unique_ptr<FileSource> source(new FileSource(std::move(spec)));
  source->text_ = std::move(text);
  source->name_ = "file:" + sha256_hex(source->text_);
  PENSTOCK_TRY(counted, source->rewound());
  while (true) {
    PENSTOCK_TRY(more, counted->next());
    if (!more) break;
    ++source->rows_total_;
  }
  return source;
}

Result<std::unique_ptr<Rows>> FileSource::rewound() const {
  return open_rows(text_, spec_.path, spec_.schema);
}

Place place_of_row(const FileSourceSpec& spec, Offset row) {
  const auto text = read_file(spec.path);
  if (!text) return {spec.path, 0, 0, 1, {}};
  auto rows = open_rows(*text, spec.path, spec.schema);
  if (!rows) return {spec.path, 0, 0, 1, {}};
  for (int64_t at = 0; at <= row.value; ++at) {
    const auto more = (*rows)->next();
    if (!more || !*more) return {spec.path, 0, 0, 1, {}};
  }
  return (*rows)->row_place();
}

flow::SourceEvent FileSource::poll(const flow::PollLimits& limits) {
  if (closed_) return flow::Idle{};
  if (!std::exchange(announced_, true)) return flow::Assigned{{kOnly}, nullptr};
  if (!answered_ || !started_ || paused_ || at_end_) return flow::Idle{};
  if (fault_) return flow::SourceFault{*fault_, false};
  const int64_t before = next_;
  row::RawBatch batch = read(limits);
  if (!batch.records.empty() || next_ != before) return batch;  // empty where all rows were bad
  if (fault_) return flow::SourceFault{*fault_, false};
  return flow::Idle{};
}

void FileSource::start(Partition partition, Offset next) {
  PENSTOCK_CHECK(partition == kOnly);
  started_ = true;
  at_end_ = false;
  fault_.reset();
  next_ = 0;
  auto rows = rewound();
  if (!rows) {
    fault_ = std::move(rows).error();
    return;
  }
  rows_ = *std::move(rows);
  while (next_ < next.value) {
    const auto more = rows_->next();
    if (!more || !*more) break;
    ++next_;
  }
  at_end_ = static_cast<uint64_t>(next_) >= rows_total_;
  pace_.begin(next_);
}

void FileSource::answer() { answered_ = true; }

Offset FileSource::position(Partition) const { return {next_}; }

row::RawBatch FileSource::read(const flow::PollLimits& limits) {
  row::RawBatch batch;
  batch.partition = kOnly;
  auto bytes = std::make_shared<std::string>();
  std::vector<std::pair<int64_t, size_t>> starts;  // offset, where its value begins
  uint64_t left = pace_.allowed(next_, limits.max_records);
  for (; left > 0 && bytes->size() < limits.max_bytes; --left) {
    const auto more = rows_->next();
    if (!more) fault_ = more.error();
    if (!more || !*more) break;
    const size_t begin = bytes->size();
    if (spec_.framing == avro::Framing::single_object)
      avro::append_single_object_header(spec_.schema->fingerprint(), *bytes);
    auto fits = rows_->encode(*bytes);
    if (!fits && !spec_.skip_bad) {
      fault_ = std::move(fits).error();  // told after the rows before it
      bytes->resize(begin);
      break;
    }
    if (!fits) {
      bytes->resize(begin);
      if (++bad_count_ <= kBadRowsKept) bad_rows_->push_back(std::move(fits).error());
    } else {
      starts.emplace_back(next_, begin);
    }
    ++next_;
  }
  at_end_ = !fault_ && static_cast<uint64_t>(next_) >= rows_total_;
  const Millis now = spec_.clock != nullptr ? spec_.clock->now() : Millis{};
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t end = i + 1 < starts.size() ? starts[i + 1].second : bytes->size();
    row::RawRecord record;
    record.value = std::string_view(*bytes).substr(starts[i].second, end - starts[i].second);
    record.offset = {starts[i].first};
    record.timestamp = now;
    record.has_value = true;
    batch.records.push_back(record);
  }
  batch.memory = std::move(bytes);
  return batch;
}

}  // namespace penstock::file
