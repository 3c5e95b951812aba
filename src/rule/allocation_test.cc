// In steady state a rule allocates nothing per batch: counted by replacing the global operator new.

#include "avro/write.h"
#include "rule/program.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace {
thread_local size_t allocations = 0;
}  // namespace

void* operator new(size_t size) {
  allocations++;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
// stable_sort's, which is freed by the plain delete.
void* operator new(size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace penstock::rule {
namespace {

constexpr uint32_t kRows = 2'000;
constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "kwh", "type": "double"}, {"name": "id", "type": "string"},
  {"name": "tags", "type": {"type": "array", "items": "long"}}]})";

struct Rows {
  Rows() : records(kRows) {
    batch.records = records;
    batch.arena = &columns;
    std::string tags;
    avro::append_long(1, tags);
    avro::append_long(5, tags);
    avro::append_long(0, tags);
    for (const row::Kind kind : {row::Kind::float64, row::Kind::string, row::Kind::datum})
      batch.columns.push_back(batch.make_column(kind, false));
    for (uint32_t row = 0; row < kRows; row++) {
      batch.columns[0].float64s[row] = row;
      batch.columns[1].views[row] = "meter";
      batch.columns[2].views[row] = columns.copy(tags);
      live.push_back(row);
    }
    batch.arena = &turn;
  }
  Arena columns, turn;
  std::vector<row::RawRecord> records;
  std::vector<uint32_t> live;
  row::Batch batch;
};

std::vector<uint32_t> slots_of(const Program& program) {
  std::vector<uint32_t> slots;
  for (const Use& use : program.uses())
    slots.push_back(use.field == "kwh" ? 0 : use.field == "id" ? 1 : 2);
  return slots;
}

TEST_CASE("no allocation in steady state, in kernels and row by row") {
  const auto schema = avro::parse(kSchema);
  REQUIRE(schema.has_value());
  Rows rows;
  for (const std::string_view text :
       {"kwh < 0.0 || kwh > 100.0 || kwh == 7.0", "id.startsWith('m') && kwh > 1.0",
        "id + 'x' == 'meterx'", "tags.exists(t, t == 5)", "5 in tags && kwh > 3.0",
        "id.matches('^m.*r$')"}) {
    INFO(text);
    const auto program = Program::compile(text, *schema);
    REQUIRE(program.has_value());
    Evaluation evaluation(*program, slots_of(*program));
    std::vector<uint32_t> yes;
    std::vector<FailedRow> failed;
    evaluation.filter(rows.batch, rows.live, yes, failed);
    REQUIRE(!yes.empty());
    yes.clear();
    const size_t before = allocations;
    evaluation.filter(rows.batch, rows.live, yes, failed);
    CHECK(allocations == before);
  }
  for (const std::string_view text : {"kwh * 4.0", "id + '!'", "tags.map(t, t * 2)", "'Done'"}) {
    INFO(text);
    const auto program = Program::compile(text, *schema);
    REQUIRE(program.has_value());
    Evaluation evaluation(*program, slots_of(*program));
    std::vector<FailedRow> failed;
    evaluation.compute(rows.batch, rows.live, failed);
    rows.turn.reset();
    const size_t before = allocations;
    evaluation.compute(rows.batch, rows.live, failed);
    CHECK(failed.empty());
    CHECK(allocations == before);
    rows.turn.reset();
  }
}

}  // namespace
}  // namespace penstock::rule
