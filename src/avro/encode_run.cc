// EncodePlan: runs of input bytes and slots to an output datum.
#include "avro/encode_program.h"
#include "avro/utf8.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace penstock::avro {
namespace {

// Symbols are short: a call of memcmp would cost more than the comparison.
bool same_text(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t at = 0; at < a.size(); ++at)
    if (a[at] != b[at]) return false;
  return true;
}

std::optional<uint32_t> find_symbol(const Symbols& symbols, std::string_view text) {
  if (symbols.size() <= 8) {
    for (const auto& [symbol, index] : symbols)
      if (same_text(symbol, text)) return index;
    return std::nullopt;
  }
  const auto at = std::lower_bound(
      symbols.begin(), symbols.end(), text,
      [](const auto& entry, std::string_view sought) { return entry.first < sought; });
  if (at == symbols.end() || at->first != text) return std::nullopt;
  return at->second;
}

// Where an input run lies in its datum.
struct Span {
  size_t begin;
  size_t end;
};

[[gnu::always_inline]] inline Span span_of(const Step& step, const row::Batch& batch,
                                           uint32_t row) {
  const uint32_t* const cuts = batch.cuts.data() + size_t{row} * batch.cut_count;
  return {.begin = step.begin == kStart ? 0 : cuts[step.begin],
          .end = step.end == kEnd ? batch.datums[row].size() : cuts[step.end]};
}

}  // namespace

bool EncodePlan::Program::refuse(const Step& step, std::string_view text, std::string* why) const {
  if (why != nullptr)
    *why = fmt::format("{} for field \"{}\"", text, output->root().fields[step.field].name);
  return false;
}

// `datum` may go on behind the value of `size_bytes`.
bool EncodePlan::Program::through(const Step& step, ByteView datum, size_t size_bytes, Output& to,
                                  std::string* why) const {
  Machine machine(resolvers[step.c]);
  if (machine.run_until(datum, datum.data() + size_bytes, &to)) [[likely]]
    return true;
  Step blamed = step;
  if (step.put == Put::resolved && machine.field() < step.fields) blamed.field += machine.field();
  return refuse(blamed, machine.explain(), why);
}

// Slots of a width of their own.
[[gnu::always_inline]] inline bool EncodePlan::Program::put_slot(const Step& step,
                                                                 const row::Column& column,
                                                                 uint32_t row, Pen& pen,
                                                                 std::string* why) const {
  switch (step.put) {
    case Put::boolean:
      pen.raw(static_cast<uint8_t>(column.booleans[row] != 0));
      return true;
    case Put::int_:
      if (column.int64s[row] != static_cast<int32_t>(column.int64s[row])) [[unlikely]]
        return refuse(step, fmt::format("{} does not fit an int,", column.int64s[row]), why);
      pen.varint(zigzag(column.int64s[row]));
      return true;
    case Put::long_:
      pen.varint(zigzag(column.int64s[row]));
      return true;
    case Put::long_as_float:
      pen.raw(static_cast<float>(column.int64s[row]));
      return true;
    case Put::long_as_double:
      pen.raw(static_cast<double>(column.int64s[row]));
      return true;
    case Put::float_:
      if (std::fabs(column.float64s[row]) > std::numeric_limits<float>::max() &&
          std::isfinite(column.float64s[row])) [[unlikely]]
        return refuse(step, fmt::format("{} does not fit a float,", column.float64s[row]), why);
      pen.raw(static_cast<float>(column.float64s[row]));
      return true;
    default:
      pen.raw(column.float64s[row]);
      return true;
  }
}

// Slots that are views.
[[gnu::always_inline]] inline bool EncodePlan::Program::put_view(const Step& step, ByteView view,
                                                                 Output& to, Pen& pen,
                                                                 std::string* why) const {
  if (step.put == Put::symbol) {
    const std::optional<uint32_t> index = find_symbol(enums[step.c], view);
    if (!index) return refuse(step, fmt::format("unknown symbol \"{}\"", view), why);
    pen.varint(uint64_t{*index} << 1);
    return true;
  }
  if (step.put == Put::text && !valid_utf8(view.data(), view.size()))
    return refuse(step, "bytes that are not UTF-8", why);
  if (step.put == Put::fixed && view.size() != step.c)
    return refuse(step, fmt::format("{} bytes instead of {}", view.size(), step.c), why);
  if (pen.left() < view.size() + kPenRoom) [[unlikely]]
    pen = to.more_room(pen, view.size() + kPenRoom);
  if (step.put == Put::view || step.put == Put::text) pen.varint(uint64_t{view.size()} << 1);
  pen.bytes(view.data(), view.size());
  return true;
}

// Input bytes as they are.
[[gnu::always_inline]] inline void EncodePlan::Program::put_run(const Step& step,
                                                                const row::Batch& batch,
                                                                uint32_t row, Output& to,
                                                                Pen& pen) const {
  const ByteView datum = batch.datums[row];
  const Span span = span_of(step, batch, row);
  const size_t size_bytes = span.end - span.begin;
  if (pen.left() < size_bytes + kPenRoom) [[unlikely]]
    pen = to.more_room(pen, size_bytes + kPenRoom);
  pen.bytes_near(datum.data() + span.begin, size_bytes, datum.size() - span.begin);
}

bool EncodePlan::Program::put_through(const Step& step, const row::Batch& batch, uint32_t row,
                                      Output& to, std::string* why) const {
  if (step.put == Put::datum) {
    const ByteView datum = batch.columns[step.a].views[row];
    return through(step, datum, datum.size(), to, why);
  }
  const Span span = span_of(step, batch, row);
  return through(step, batch.datums[row].substr(span.begin), span.end - span.begin, to, why);
}

bool EncodePlan::Program::run(const row::Batch& batch, uint32_t row, Output& to,
                              std::string* why) const {
  const row::Column* const columns = batch.columns.data();
  Pen pen = to.take_pen();
  for (const Step *next = steps.data(), *end = next + steps.size(); next != end; ++next) {
    const Step& step = *next;
    if (pen.left() < kPenRoom) [[unlikely]]
      pen = to.more_room(pen, kPenRoom);
    if (step.put == Put::run) {
      put_run(step, batch, row, to, pen);
      continue;
    }
    if (step.put != Put::resolved) {
      const row::Column& column = columns[step.a];
      if (column.is_null(row)) {
        if (!step.null_fits) return refuse(step, "null", why);
        step.null_bytes.append_to(pen);
        continue;
      }
      if (step.value_prefix.size != 0) step.value_prefix.append_to(pen);
      if (step.put < Put::view) {
        if (!put_slot(step, column, row, pen, why)) [[unlikely]]
          return false;
        continue;
      }
      if (step.put != Put::datum) {
        if (!put_view(step, column.views[row], to, pen, why)) [[unlikely]]
          return false;
        continue;
      }
    }
    to.give_back(pen);
    if (!put_through(step, batch, row, to, why)) [[unlikely]]
      return false;
    pen = to.take_pen();
  }
  to.give_back(pen);
  return true;
}

bool EncodePlan::encode(const row::Batch& batch, uint32_t row, std::string& out,
                        std::string* why) const {
  Output to(out);
  if (!program_->run(batch, row, to, why)) [[unlikely]] {
    to.roll_back();
    return false;
  }
  to.close();
  return true;
}

EncodePlan::EncodePlan(std::unique_ptr<Program> program) : program_(std::move(program)) {}
EncodePlan::EncodePlan(EncodePlan&&) noexcept = default;
EncodePlan& EncodePlan::operator=(EncodePlan&&) noexcept = default;
EncodePlan::~EncodePlan() = default;

}  // namespace penstock::avro
