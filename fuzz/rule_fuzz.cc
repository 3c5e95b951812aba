// Any text as a rule over records: refused with a place, or evaluated over rows of hard values,
// where the kernels and the row-by-row evaluator agree and no error is one of types.
#include "base/arena.h"
#include "rule/program.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <ranges>

using namespace penstock;  // NOLINT: a program of one page

namespace {

constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "string"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "kwh", "type": "double"},
  {"name": "n", "type": "long"},
  {"name": "ok", "type": "boolean"},
  {"name": "peak", "type": ["null", "double"]},
  {"name": "note", "type": ["null", "string"]}
]})";
constexpr uint32_t kRows = 4;

struct Rows {
  Rows() {
    batch.arena = &arena;
    batch.records = records;
    using row::Kind;
    for (const auto& [kind, nullable] :
         std::initializer_list<std::pair<Kind, bool>>{{Kind::string, false},
                                                      {Kind::int64, false},
                                                      {Kind::float64, false},
                                                      {Kind::int64, false},
                                                      {Kind::boolean, false},
                                                      {Kind::float64, true},
                                                      {Kind::string, true}})
      batch.columns.push_back(batch.make_column(kind, nullable));
    const std::array<double, kRows> reals = {0.0, -1.5, 1e300, std::nan("")};
    const std::array<int64_t, kRows> wholes = {0, -1, std::numeric_limits<int64_t>::min(),
                                               1'700'000'000'000'000};
    const std::array<ByteView, kRows> texts = {"", "m1", "\xc3\xa4", "-12"};
    for (uint32_t row = 0; row < kRows; ++row) {
      batch.columns[0].views[row] = batch.columns[6].views[row] = texts[row];
      batch.columns[1].int64s[row] = batch.columns[3].int64s[row] = wholes[row];
      batch.columns[2].float64s[row] = batch.columns[5].float64s[row] = reals[row];
      batch.columns[4].booleans[row] = row % 2;
      batch.columns[5].nulls[row] = batch.columns[6].nulls[row] = row / 2;
      all.push_back(row);
    }
  }
  Arena arena;
  std::array<row::RawRecord, kRows> records;
  row::Batch batch;
  std::vector<uint32_t> all;
};

struct Answer {
  std::vector<uint32_t> yes;
  std::vector<rule::FailedRow> failed;
};

Answer filtered(const rule::Program& program, const std::vector<uint32_t>& slots, bool kernels) {
  Rows rows;
  rule::Evaluation evaluation(program, slots);
  evaluation.use_kernels(kernels);
  Answer answer;
  evaluation.filter(rows.batch, rows.all, answer.yes, answer.failed);
  std::ranges::sort(answer.failed, {}, &rule::FailedRow::row);
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const avro::SchemaPtr kRecord = *avro::parse(kSchema);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto program = rule::Program::compile(text, kRecord);
  if (!program) {
    if (render(program.error()).empty()) std::abort();
    return 0;
  }
  std::vector<uint32_t> slots;
  for (const rule::Use& use : program->uses()) {
    if (use.what != rule::Use::What::field) return 0;
    const auto& fields = kRecord->root().fields;
    slots.push_back(static_cast<uint32_t>(std::ranges::find(fields, use.field, &avro::Field::name) -
                                          fields.begin()));
  }
  if (program->result_schema()) {
    Rows rows;
    rule::Evaluation evaluation(*program, slots);
    std::vector<rule::FailedRow> failed;
    (void)evaluation.compute(rows.batch, rows.all, failed);
  }
  if (!program->is_condition()) return 0;
  const Answer fast = filtered(*program, slots, true);
  const Answer slow = filtered(*program, slots, false);
  if (fast.yes != slow.yes || fast.failed.size() != slow.failed.size()) std::abort();
  for (size_t i = 0; i < fast.failed.size(); ++i) {
    if (fast.failed[i].row != slow.failed[i].row || fast.failed[i].text != slow.failed[i].text)
      std::abort();
    // dyn() is how a rule says that only the data know.
    const bool of_types = fast.failed[i].text.starts_with("no operator") ||
                          fast.failed[i].text.starts_with("no function");
    if (of_types && text.find("dyn") == std::string_view::npos &&
        text.find('[') == std::string_view::npos && text.find('{') == std::string_view::npos)
      std::abort();
  }
  return 0;
}
