// Any text as a rule over records with fields of every type: refused with a place, or evaluated
// over rows of hard values, where the kernels and the row-by-row evaluator agree and no error is
// one of types. As a line of `penstock eval` it has an answer, too.
#include "avro/plan.h"
#include "base/arena.h"
#include "base/random.h"
#include "rule/program.h"
#include "rule/schema_fixture.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

using namespace penstock;  // NOLINT: a program of two pages

namespace {

constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "string"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "kwh", "type": "double"},
  {"name": "n", "type": "long"},
  {"name": "ok", "type": "boolean"},
  {"name": "peak", "type": ["null", "double"]},
  {"name": "note", "type": ["null", "string"]},
  {"name": "small", "type": "int"},
  {"name": "real", "type": "float"},
  {"name": "raw", "type": ["bytes", "null"]},
  {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["off", "on", "m1"]}},
  {"name": "mac", "type": ["null", {"type": "fixed", "name": "X", "size": 3}]},
  {"name": "uid", "type": {"type": "string", "logicalType": "uuid"}},
  {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 18,
                             "scale": 3}},
  {"name": "day", "type": {"type": "int", "logicalType": "date"}},
  {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
  {"name": "tick", "type": {"type": "long", "logicalType": "time-micros"}},
  {"name": "seen", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
  {"name": "nano", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
  {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
  {"name": "left", "type": ["null", "long"]},
  {"name": "sure", "type": ["null", "boolean"]},
  {"name": "either", "type": ["null", "long", "string"]},
  {"name": "tags", "type": {"type": "array", "items": "long"}},
  {"name": "words", "type": {"type": "array", "items": "string"}},
  {"name": "holes", "type": ["null", {"type": "array", "items": ["null", "double"]}]},
  {"name": "tariff", "type": {"type": "map", "values": "double"}},
  {"name": "site", "type": {"type": "record", "name": "S", "fields": [
    {"name": "name", "type": "string"},
    {"name": "kwh", "type": ["null", "double"]},
    {"name": "since", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "of", "type": {"type": "map", "values": {"type": "array", "items": "int"}}}]}},
  {"name": "parts", "type": {"type": "array", "items": ["null", "S"]}}
]})";
constexpr uint32_t kRows = 6;

void demand(bool held) {
  if (!held) std::abort();
}

struct Source {
  Source() {
    std::vector<avro::Want> wants;
    for (uint32_t at = 0; at < schema->root().fields.size(); ++at) wants.push_back({at, at});
    plan = *avro::DecodePlan::compile(schema, schema, wants, {});
    Random random(61);
    for (std::string& datum : datums) rule::append_random(schema->root(), random, datum);
  }
  avro::SchemaPtr schema = *avro::parse(kSchema);
  std::optional<avro::DecodePlan> plan;
  std::array<std::string, kRows> datums;
};

const Source& source() {
  static const Source kSource;
  return kSource;
}

// The rows of the source; behind the fields' columns those of key, topic and so on.
struct Rows {
  Rows() {
    using What = rule::Use::What;
    batch.arena = &arena;
    batch.records = records;
    batch.columns.resize(fields().size());
    for (uint32_t row = 0; row < kRows; ++row) batch.live.push_back(row);
    const std::vector<ByteView> payloads(source().datums.begin(), source().datums.end());
    source().plan->decode(payloads, batch);
    demand(batch.live.size() == kRows);
    for (const What what :
         {What::key, What::topic, What::partition, What::offset, What::timestamp}) {
      batch.columns.push_back(batch.make_column(rule::kind_of(what), what == What::key));
      row::Column& column = batch.columns.back();
      for (uint32_t row = 0; row < kRows; ++row) {
        if (column.kind == row::Kind::int64) column.int64s[row] = row * 1'000'000'000LL;
        if (column.kind != row::Kind::int64) column.views[row] = row % 2 == 0 ? "m1" : "";
        if (column.nulls != nullptr) column.nulls[row] = row % 2;
      }
    }
  }

  static const std::vector<avro::Field>& fields() { return source().schema->root().fields; }

  static std::vector<uint32_t> slots_of(const rule::Program& program) {
    std::vector<uint32_t> slots;
    for (const rule::Use& use : program.uses()) {
      const auto field = std::ranges::find(fields(), use.field, &avro::Field::name);
      const size_t slot = use.what == rule::Use::What::field
                              ? static_cast<size_t>(field - fields().begin())
                              : fields().size() + static_cast<size_t>(use.what) - 1;
      slots.push_back(static_cast<uint32_t>(slot));
    }
    return slots;
  }

  Arena arena;
  std::array<row::RawRecord, kRows> records;
  row::Batch batch;
};

// What one row's slot holds, to be compared.
std::string shown(const row::Column& column, uint32_t row) {
  if (column.is_null(row)) return "null";
  switch (column.kind) {
    case row::Kind::boolean:
      return std::to_string(column.booleans[row]);
    case row::Kind::int64:
      return std::to_string(column.int64s[row]);
    case row::Kind::float64: {
      const double value = column.float64s[row];
      return std::isnan(value) ? "nan" : std::to_string(std::bit_cast<uint64_t>(value));
    }
    case row::Kind::string:
    case row::Kind::bytes:
    case row::Kind::datum:
      return "'" + std::string(column.views[row]);
  }
  std::abort();
}

struct Answer {
  std::vector<uint32_t> yes;
  std::vector<std::string> values;  // of each row that did not fail
  std::vector<rule::FailedRow> failed;
};

Answer answer_of(const rule::Program& program, bool condition, bool kernels) {
  Rows rows;
  rule::Evaluation evaluation(program, Rows::slots_of(program));
  evaluation.use_kernels(kernels);
  Answer answer;
  const std::vector<uint32_t> all = rows.batch.live;
  if (condition) {
    evaluation.filter(rows.batch, all, answer.yes, answer.failed);
    std::ranges::sort(answer.failed, {}, &rule::FailedRow::row);
    return answer;
  }
  const row::Column column = evaluation.compute(rows.batch, all, answer.failed);
  std::ranges::sort(answer.failed, {}, &rule::FailedRow::row);
  for (const uint32_t row : all) {
    const bool failed =
        std::ranges::find(answer.failed, row, &rule::FailedRow::row) != answer.failed.end();
    answer.values.push_back(failed ? "failed" : shown(column, row));
  }
  return answer;
}

// dyn(), a mixed union and what is in brackets say that only the data know the type.
bool leaves_types_open(std::string_view rule) {
  return rule.contains("dyn") || rule.contains("either") ||
         rule.find_first_of("[{") != std::string_view::npos;
}

void check(const rule::Program& program, std::string_view text, bool condition) {
  const Answer fast = answer_of(program, condition, true);
  const Answer slow = answer_of(program, condition, false);
  // A kernel's call begins to count steps anew, so it gets further than a whole row may.
  const auto is_limit = [](const rule::FailedRow& failed) {
    return failed.text.contains("too many steps");
  };
  if (std::ranges::any_of(slow.failed, is_limit)) return;
  demand(fast.yes == slow.yes && fast.values == slow.values);
  demand(fast.failed.size() == slow.failed.size());
  for (size_t i = 0; i < fast.failed.size(); ++i) {
    demand(fast.failed[i].row == slow.failed[i].row && fast.failed[i].text == slow.failed[i].text);
    const bool of_types = fast.failed[i].text.starts_with("no operator") ||
                          fast.failed[i].text.starts_with("no function");
    demand(!of_types || leaves_types_open(text));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string answer = rule::evaluate_case(text);
  demand(answer.starts_with('{') && answer.ends_with('}') && !answer.contains('\n'));
  const auto program = rule::Program::compile(text, source().schema);
  if (!program) {
    demand(!render(program.error()).empty());
    return 0;
  }
  demand(!program->result_type().empty());
  if (program->is_condition()) check(*program, text, true);
  if (program->result_schema()) check(*program, text, false);
  return 0;
}
