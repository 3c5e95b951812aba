// The batch kernels and the row-by-row evaluator agree: random typed rules over random rows, errors
// included. On the way: what passed the check never fails for a type when it runs.

#include "avro/write.h"
#include "base/random.h"
#include "rule/program.h"
#include "rule/schema_fixture.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

namespace penstock::rule {
namespace {

constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "string"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "kwh", "type": "double"},
  {"name": "n", "type": "long"},
  {"name": "ok", "type": "boolean"},
  {"name": "peak", "type": ["null", "double"]},
  {"name": "left", "type": ["null", "long"]},
  {"name": "note", "type": ["null", "string"]},
  {"name": "tags", "type": {"type": "array", "items": "long"}}
]})";

// Writes random rules of a wanted type. Every one of them passes the check.
class Writer {
 public:
  explicit Writer(Random& random) : random_(random) {}

  std::string boolean(int depth) {
    if (depth == 0) return pick({"ok", "true", "false", "(peak != null)", "(left == null)"});
    switch (random_.below(16)) {
      case 0:
      case 1:
        return join(boolean(depth - 1), pick({"&&", "||"}), boolean(depth - 1));
      case 2:
        return join(boolean(depth - 1), pick({"&&", "||"}),
                    join(boolean(depth - 1), pick({"&&", "||"}), boolean(depth - 1)));
      case 3:
        return "!(" + boolean(depth - 1) + ")";
      case 4:
        return choice(boolean(depth - 1), boolean(depth - 1), boolean(depth - 1));
      case 5:
      case 6:
        return join(number(depth - 1), pick({"<", "<=", ">", ">="}), number(depth - 1));
      case 7:
        return join(integer(depth - 1), pick({"<", ">=", "==", "!="}), integer(depth - 1));
      case 8:
        return join(real(depth - 1), pick({"<", ">", "==", "!="}), real(depth - 1));
      case 9:
        return join(text(depth - 1), pick({"<", ">=", "==", "!="}), text(depth - 1));
      case 10:
        return text(depth - 1) + "." + pick({"contains", "startsWith", "endsWith", "matches"}) +
               "(" + pick({"'a'", "'m1'", "''", "'é'"}) + ")";
      case 11:
        return join(time(depth - 1), pick({"<", ">=", "==", "!="}), time(depth - 1));
      case 12:
        return join(duration(depth - 1), pick({"<", ">=", "=="}), duration(depth - 1));
      case 13:
        return guarded(depth);
      case 14:
        return "(" +
               pick({"peak == kwh", "note != id", "left in [1, 2, 3]", "id in ['m1', '']",
                     "has(record.note)", "note == null", "kwh in [1.5, 0.0]", "n in tags",
                     "record.left == n", "null == peak", "left == left"}) +
               ")";
      default:
        return fmt::format("tags.exists(t, {})",
                           join("t", pick({"<", "==", ">"}), integer(depth - 1)));
    }
  }

  std::string integer(int depth) {
    if (depth == 0)
      return pick({"n", "0", "1", "-1", "7", "9223372036854775807", "-9223372036854775808",
                   "size(id)", "size(tags)"});
    switch (random_.below(7)) {
      case 0:
      case 1:
      case 2:
        return join(integer(depth - 1), pick({"+", "-", "*", "/", "%"}), integer(depth - 1));
      case 3:
        return "-(" + integer(depth - 1) + ")";
      case 4:
        return choice(boolean(depth - 1), integer(depth - 1), integer(depth - 1));
      case 5:
        return "int(" + number(depth - 1) + ")";
      default:
        return pick({"(left == null ? 5 : left)", "at.getHours()", "tags[0]", "tags[n]",
                     "(left != null ? left * n : n)", "int(id)"});
    }
  }

  std::string real(int depth) {
    if (depth == 0) return pick({"kwh", "0.0", "1.5", "-1e300", "9223372036854775807.0"});
    switch (random_.below(5)) {
      case 0:
      case 1:
        return join(real(depth - 1), pick({"+", "-", "*", "/"}), real(depth - 1));
      case 2:
        return choice(boolean(depth - 1), real(depth - 1), real(depth - 1));
      case 3:
        return "double(" + number(depth - 1) + ")";
      default:
        return pick({"(peak == null ? kwh : peak)", "(has(record.peak) ? -peak : 1.0)"});
    }
  }

  std::string text(int depth) {
    if (depth == 0) return pick({"id", "'m1'", "''", "'é'"});
    switch (random_.below(4)) {
      case 0:
        return join(text(depth - 1), "+", text(depth - 1));
      case 1:
        return choice(boolean(depth - 1), text(depth - 1), text(depth - 1));
      case 2:
        return "string(" + integer(depth - 1) + ")";
      default:
        return "(note == null ? id : note)";
    }
  }

  std::string time(int depth) {
    if (depth == 0) return pick({"at", "timestamp('2026-01-01T00:00:00.5Z')", "timestamp(0)"});
    if (random_.chance(0.3)) return choice(boolean(depth - 1), time(depth - 1), time(depth - 1));
    return join(time(depth - 1), pick({"+", "-"}), duration(depth - 1));
  }

  std::string duration(int depth) {
    if (depth == 0) return pick({"duration('15m')", "duration('-1ns')", "duration('2000000h')"});
    if (random_.chance(0.4)) return join(time(depth - 1), "-", time(depth - 1));
    return join(duration(depth - 1), pick({"+", "-"}), duration(depth - 1));
  }

 private:
  std::string number(int depth) { return random_.chance(0.5) ? integer(depth) : real(depth); }

  std::string guarded(int depth) {
    const std::string rest = boolean(depth - 1);
    switch (random_.below(4)) {
      case 0:
        return fmt::format("(peak != null && (peak > {} || {}))", real(depth - 1), rest);
      case 1:
        return fmt::format("(peak == null || (peak < {} && {}))", real(depth - 1), rest);
      case 2:
        return fmt::format("((({}) && left != null) && left > {})", rest, integer(depth - 1));
      default:
        return fmt::format("(note != null ? note > {} : {})", text(depth - 1), rest);
    }
  }

  std::string pick(std::initializer_list<const char*> options) {
    return options.begin()[random_.below(options.size())];
  }
  static std::string join(const std::string& a, const std::string& sign, const std::string& b) {
    return "(" + a + " " + sign + " " + b + ")";
  }
  static std::string choice(const std::string& a, const std::string& b, const std::string& c) {
    return "(" + a + " ? " + b + " : " + c + ")";
  }

  Random& random_;
};

// Random rows of kSchema, by hand: no decoder between the test and what it tests.
class Rows {
 public:
  Rows(uint32_t count, Random& random) : records_(count), random_(random) {
    batch.arena = &arena_;
    batch.records = records_;
    for (const auto& [kind, nullable] :
         std::initializer_list<std::pair<row::Kind, bool>>{{row::Kind::string, false},
                                                           {row::Kind::int64, false},
                                                           {row::Kind::float64, false},
                                                           {row::Kind::int64, false},
                                                           {row::Kind::boolean, false},
                                                           {row::Kind::float64, true},
                                                           {row::Kind::int64, true},
                                                           {row::Kind::string, true},
                                                           {row::Kind::datum, false}})
      batch.columns.push_back(batch.make_column(kind, nullable));
    for (uint32_t row = 0; row < count; row++) fill(row);
  }

  row::Batch batch;

 private:
  void fill(uint32_t row) {
    batch.columns[0].views[row] = text();
    batch.columns[1].int64s[row] = time();
    batch.columns[2].float64s[row] = real();
    batch.columns[3].int64s[row] = whole();
    batch.columns[4].booleans[row] = random_.chance(0.5) ? 1 : 0;
    batch.columns[8].views[row] = tags();
    for (const size_t column : {5U, 6U, 7U}) batch.columns[column].nulls[row] = 0;
    batch.columns[5].float64s[row] = real();
    batch.columns[6].int64s[row] = whole();
    batch.columns[7].views[row] = text();
    if (random_.chance(0.4)) {
      batch.columns[5].nulls[row] = 1;
      batch.columns[5].float64s[row] = 0;
    }
    if (random_.chance(0.4)) {
      batch.columns[6].nulls[row] = 1;
      batch.columns[6].int64s[row] = 0;
    }
    if (random_.chance(0.4)) {
      batch.columns[7].nulls[row] = 1;
      batch.columns[7].views[row] = {};
    }
  }

  ByteView text() {
    static constexpr std::array<ByteView, 6> kTexts = {"", "m1", "m17", "ä", "-12", "é€"};
    return kTexts[random_.below(kTexts.size())];
  }
  double real() { return random_real(random_); }
  int64_t whole() {
    static constexpr std::array<int64_t, 7> kWholes = {0, 1, -1, 2, 3, INT64_MAX, INT64_MIN};
    if (random_.chance(0.7)) return kWholes[random_.below(kWholes.size())];
    return static_cast<int64_t>(random_.next());
  }
  int64_t time() {
    if (random_.chance(0.1)) return whole();  // often no timestamp at all
    return static_cast<int64_t>(random_.below(4'000'000'000'000'000)) - 2'000'000'000'000'000;
  }
  ByteView tags() {
    std::string datum;
    const uint64_t count = random_.below(4);
    if (count > 0) avro::append_long(static_cast<int64_t>(count), datum);
    for (uint64_t i = 0; i < count; i++) avro::append_long(whole(), datum);
    avro::append_long(0, datum);
    return arena_.copy(datum);
  }

  Arena arena_;
  std::vector<row::RawRecord> records_;
  Random& random_;
};

uint32_t column_of(const std::string& field) {
  static const std::array<std::string, 9> kFields = {"id",   "at",   "kwh",  "n",   "ok",
                                                     "peak", "left", "note", "tags"};
  return static_cast<uint32_t>(std::ranges::find(kFields, field) - kFields.begin());
}

std::vector<uint32_t> slots_of(const Program& program) {
  std::vector<uint32_t> slots;
  for (const Use& use : program.uses()) slots.push_back(column_of(use.field));
  return slots;
}

// All rows (dense), or a random part of them.
std::vector<uint32_t> some_rows(uint32_t count, bool all, Random& random) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < count; row++)
    if (all || random.chance(0.6)) rows.push_back(row);
  return rows;
}

void sort_failures(std::vector<FailedRow>& failed) {
  std::ranges::sort(failed, {}, &FailedRow::row);
}

void check_same(std::vector<FailedRow>& a, std::vector<FailedRow>& b) {
  sort_failures(a);
  sort_failures(b);
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); i++) {
    REQUIRE(a[i].row == b[i].row);
    REQUIRE(a[i].text == b[i].text);
    for (const std::string_view type_error :
         {"no operator", "no function", "takes a bool", "has no field", "has no items"})
      REQUIRE(a[i].text.find(type_error) == std::string::npos);
  }
}

bool same_slot(const row::Column& a, const row::Column& b, uint32_t row) {
  if (a.is_null(row) || b.is_null(row)) return a.is_null(row) == b.is_null(row);
  switch (a.kind) {
    case row::Kind::boolean:
      return a.booleans[row] == b.booleans[row];
    case row::Kind::int64:
      return a.int64s[row] == b.int64s[row];
    case row::Kind::float64: {
      const double x = a.float64s[row];
      const double y = b.float64s[row];
      return (std::isnan(x) && std::isnan(y)) ||
             std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y);
    }
    default:
      return a.views[row] == b.views[row];
  }
}

Program compiled(const std::string& text, const avro::SchemaPtr& schema) {
  auto program = Program::compile(text, schema);
  if (!program) FAIL(render(program.error()));
  return std::move(*program);
}

TEST_CASE("conditions: kernels and the row-by-row evaluator agree") {
  const auto schema = avro::parse(kSchema);
  REQUIRE(schema.has_value());
  Random random(7);
  Rows rows(700, random);
  size_t yes_in_all = 0;
  size_t failed_in_all = 0;
  for (int round = 0; round < 1'500; round++) {
    const std::string text = Writer(random).boolean(4);
    INFO(text);
    const Program program = compiled(text, *schema);
    Evaluation fast(program, slots_of(program));
    Evaluation slow(program, slots_of(program));
    slow.use_kernels(false);
    const auto given = some_rows(round % 10 == 0 ? 700 : 60, round % 3 == 0, random);
    std::vector<uint32_t> fast_yes, slow_yes;
    std::vector<FailedRow> fast_failed, slow_failed;
    fast.filter(rows.batch, given, fast_yes, fast_failed);
    slow.filter(rows.batch, given, slow_yes, slow_failed);
    REQUIRE(fast_yes == slow_yes);
    check_same(fast_failed, slow_failed);
    yes_in_all += fast_yes.size();
    failed_in_all += fast_failed.size();
  }
  // The test is worth something only if all three ends are met often.
  CHECK(yes_in_all > 10'000);
  CHECK(failed_in_all > 10'000);
}

TEST_CASE("computed columns: kernels and the row-by-row evaluator agree") {
  const auto schema = avro::parse(kSchema);
  REQUIRE(schema.has_value());
  Random random(11);
  Rows rows(700, random);
  size_t compared = 0;
  for (int round = 0; round < 1'200; round++) {
    Writer writer(random);
    const std::string text = round % 5 == 0   ? writer.integer(3)
                             : round % 5 == 1 ? writer.real(3)
                             : round % 5 == 2 ? writer.text(3)
                             : round % 5 == 3 ? writer.time(3)
                                              : "ok ? " + writer.real(2) + " : null";
    INFO(text);
    const Program program = compiled(text, *schema);
    REQUIRE(program.result_schema().has_value());
    Evaluation fast(program, slots_of(program));
    Evaluation slow(program, slots_of(program));
    slow.use_kernels(false);
    const auto given = some_rows(round % 10 == 0 ? 700 : 60, round % 3 == 0, random);
    std::vector<FailedRow> fast_failed, slow_failed;
    const row::Column a = fast.compute(rows.batch, given, fast_failed);
    const row::Column b = slow.compute(rows.batch, given, slow_failed);
    check_same(fast_failed, slow_failed);
    REQUIRE(a.kind == b.kind);
    for (const uint32_t row : given) {
      if (std::ranges::find(fast_failed, row, &FailedRow::row) != fast_failed.end()) continue;
      REQUIRE(same_slot(a, b, row));
      compared++;
    }
  }
  CHECK(compared > 20'000);
}

TEST_CASE("lists and maps become Avro datums, and are read back as they were") {
  const auto schema = avro::parse(kSchema);
  REQUIRE(schema.has_value());
  Random random(13);
  Rows rows(50, random);
  const auto given = some_rows(50, true, random);
  const Program doubled = compiled("tags.filter(t, t > 0).map(t, t / 2)", *schema);
  Evaluation evaluation(doubled, slots_of(doubled));
  std::vector<FailedRow> failed;
  const row::Column made = evaluation.compute(rows.batch, given, failed);
  CHECK(failed.empty());
  REQUIRE(made.kind == row::Kind::datum);
  // The same condition before and after: the made column stands in for tags.
  const Program before = compiled("tags.exists(t, t > 0 && t / 2 == 1)", *schema);
  const Program after = compiled("tags.exists(t, t == 1)", *schema);
  std::vector<uint32_t> yes_before, yes_after;
  Evaluation(before, slots_of(before)).filter(rows.batch, given, yes_before, failed);
  rows.batch.columns.push_back(made);
  Evaluation(after, {9}).filter(rows.batch, given, yes_after, failed);
  CHECK(failed.empty());
  CHECK(!yes_before.empty());
  CHECK(yes_before == yes_after);
}

}  // namespace
}  // namespace penstock::rule
