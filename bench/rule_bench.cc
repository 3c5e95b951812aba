// Rules over a batch, ns per record: the three-comparison rule of the requirements, the rules of
// the flagship example, and what falls back to the row-by-row evaluator.

#include "avro/write.h"
#include "base/check.h"
#include "base/random.h"
#include "rule/program.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace penstock {
namespace {

constexpr uint32_t kRows = 4'096;
constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "meter_id", "type": "string"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "kwh", "type": "double"},
  {"name": "n", "type": "long"},
  {"name": "peak", "type": ["null", "double"]},
  {"name": "tags", "type": {"type": "array", "items": "string"}}
]})";

struct Rows {
  Rows() : records(kRows) {
    batch.arena = &arena;
    batch.records = records;
    for (const row::Kind kind : {row::Kind::string, row::Kind::int64, row::Kind::float64,
                                 row::Kind::int64, row::Kind::float64, row::Kind::datum})
      batch.columns.push_back(batch.make_column(kind, batch.columns.size() == 4));
    Random random(1);
    std::string tags;
    avro::append_long(2, tags);
    avro::append_bytes("ev", tags);
    avro::append_bytes("pv-7kw", tags);
    avro::append_long(0, tags);
    for (uint32_t row = 0; row < kRows; row++) {
      const bool test = random.chance(0.01);
      batch.columns[0].views[row] = arena.copy((test ? "TEST-" : "meter-") + std::to_string(row));
      batch.columns[1].int64s[row] = 1'767'225'600'000 + row * 900'000;
      batch.columns[2].float64s[row] = random.unit() * 10 - 0.01;
      batch.columns[3].int64s[row] = static_cast<int64_t>(random.below(1'000));
      batch.columns[4].float64s[row] = random.unit();
      batch.columns[4].nulls[row] = random.chance(0.2) ? 1 : 0;
      batch.columns[5].views[row] = arena.copy(tags);
    }
  }

  Arena arena;
  std::vector<row::RawRecord> records;
  row::Batch batch;
};

uint32_t column_of(const std::string& field) {
  const std::vector<std::string> fields = {"meter_id", "at", "kwh", "n", "peak", "tags"};
  for (uint32_t i = 0; i < fields.size(); i++)
    if (fields[i] == field) return i;
  PENSTOCK_CHECK(false);
  return 0;
}

struct Rule {
  explicit Rule(const char* text)
      : program([&] {
          const auto schema = avro::parse(kSchema);
          PENSTOCK_CHECK(schema.has_value());
          auto compiled = rule::Program::compile(text, *schema);
          PENSTOCK_CHECK(compiled.has_value());
          return std::move(*compiled);
        }()),
        evaluation(program, [&] {
          std::vector<uint32_t> slots;
          for (const rule::Use& use : program.uses()) slots.push_back(column_of(use.field));
          return slots;
        }()) {}
  rule::Program program;
  rule::Evaluation evaluation;
};

// `part`: every how manieth row is live (1 = all).
std::vector<uint32_t> live_rows(uint32_t part) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < kRows; row++)
    if (part == 1 || row % part != 0) rows.push_back(row);
  return rows;
}

void per_record(benchmark::State& state, size_t rows) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * rows));
  state.counters["per_record"] =
      benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsIterationInvariantRate |
                                                        benchmark::Counter::kInvert);
}

void filter(benchmark::State& state, const char* text, uint32_t part, bool kernels) {
  Rows rows;
  Rule rule(text);
  rule.evaluation.use_kernels(kernels);
  const auto live = live_rows(part);
  std::vector<uint32_t> yes;
  std::vector<rule::FailedRow> failed;
  for (auto _ : state) {
    yes.clear();
    failed.clear();
    rule.evaluation.filter(rows.batch, live, yes, failed);
    benchmark::DoNotOptimize(yes.data());
  }
  per_record(state, live.size());
}

void compute(benchmark::State& state, const char* text) {
  Rows rows;
  Rule rule(text);
  const auto live = live_rows(1);
  std::vector<rule::FailedRow> failed;
  Arena turn;
  rows.batch.arena = &turn;
  for (auto _ : state) {
    turn.reset();
    benchmark::DoNotOptimize(rule.evaluation.compute(rows.batch, live, failed));
  }
  per_record(state, live.size());
}

constexpr const char* kThree = "kwh < 0.0 || kwh > 100.0 || n == 7";

BENCHMARK_CAPTURE(filter, three_comparisons, kThree, 1, true);
BENCHMARK_CAPTURE(filter, three_comparisons_gaps, kThree, 7, true);
BENCHMARK_CAPTURE(filter, three_comparisons_and, "kwh >= 0.0 && kwh < 100.0 && n != 7", 1, true);
BENCHMARK_CAPTURE(filter, three_comparisons_row_by_row, kThree, 1, false);
constexpr const char* kThreeAndText =
    "kwh < 0.0 || kwh > 100.0 || n == 7 || meter_id.startsWith('TEST-')";
BENCHMARK_CAPTURE(filter, three_comparisons_and_text, kThreeAndText, 1, true);
BENCHMARK_CAPTURE(filter, three_comparisons_and_equal_text,
                  "kwh >= 0.0 && kwh < 100.0 && n != 7 && meter_id == 'meter-4095'", 1, true);
BENCHMARK_CAPTURE(filter, starts_with, "meter_id.startsWith('TEST-')", 1, true);
BENCHMARK_CAPTURE(filter, guarded_null, "peak != null && peak > 0.9", 1, true);
BENCHMARK_CAPTURE(filter, division, "n / 7 == 3", 1, true);
BENCHMARK_CAPTURE(filter, timestamp, "at > timestamp('2026-01-01T00:00:00Z')", 1, true);
BENCHMARK_CAPTURE(filter, hours, "at.getHours('+01:00') >= 22", 1, true);
BENCHMARK_CAPTURE(filter, list_macro, "tags.exists(t, t.startsWith('pv'))", 1, true);
BENCHMARK_CAPTURE(compute, product, "kwh * 4.0");
BENCHMARK_CAPTURE(compute, constant, "'Done'");
BENCHMARK_CAPTURE(compute, text, "meter_id + '/' + string(n)");

}  // namespace
}  // namespace penstock

BENCHMARK_MAIN();
