// What a record costs in the Avro plans: batches of 1,000, nanoseconds and allocations per record.
//
//     ninja avro_bench && bench/avro_bench
//
// reading_encode_slots     ten fields, all decoded into slots, all encoded from them
// reading_encode_mixed     ten fields, four of them slots; all written again, the others as they
//                          are
// reading_encode_reshaped  the same, but six of the output's fields have another type than the
//                          input's (put into unions, branches swapped, int to long, float to
//                          double): the harshest output there is
// reading_resolve          the same records of an older writer, resolved into the input schema
// reading_splice           the same output as its input, one double replaced
// article_splice           one string field appended
#include "avro/plan.h"
#include "avro/write.h"
#include "base/check.h"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // it does not see that new is ours too
void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace penstock::avro {
namespace {

constexpr uint32_t kRows = 1'000;

SchemaPtr schema_of(std::string_view text) {
  auto schema = parse(text);
  PENSTOCK_CHECK(schema.has_value());
  return *schema;
}

constexpr std::string_view kReading = R"({"type":"record","name":"Reading","fields":[
  {"name":"meter_id","type":"string"},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
  {"name":"kwh","type":"double"}, {"name":"kvarh","type":"double"},
  {"name":"voltage","type":"float"},
  {"name":"phase","type":{"type":"enum","name":"Phase","symbols":["L1","L2","L3"]}},
  {"name":"site","type":"string"}, {"name":"status","type":["null","string"]},
  {"name":"seq","type":"long"}, {"name":"quality","type":"int"}]})";
// As kReading, but no field has the very same type and place: nothing can be spliced.
constexpr std::string_view kOtherReading = R"({"type":"record","name":"Reading","fields":[
  {"name":"meter_id","type":"string"},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
  {"name":"kwh","type":"double"}, {"name":"kvarh","type":["null","double"]},
  {"name":"voltage","type":"double"},
  {"name":"phase","type":["null",{"type":"enum","name":"Phase","symbols":["L1","L2","L3"]}]},
  {"name":"site","type":["null","string"]}, {"name":"status","type":["string","null"]},
  {"name":"seq","type":"long"}, {"name":"quality","type":["null","long"]}]})";
constexpr std::string_view kOldReading = R"({"type":"record","name":"Reading","fields":[
  {"name":"meter_id","type":"string"},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
  {"name":"kwh","type":"float"}, {"name":"kvarh","type":"double"},
  {"name":"voltage","type":"float"},
  {"name":"phase","type":{"type":"enum","name":"Phase","symbols":["L1","L2","L3"]}},
  {"name":"status","type":["null","string"]},
  {"name":"seq","type":"int"}, {"name":"quality","type":"int"}]})";
constexpr std::string_view kReadingWithSite = R"({"type":"record","name":"Reading","fields":[
  {"name":"meter_id","type":"string"},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
  {"name":"kwh","type":"double"}, {"name":"kvarh","type":"double"},
  {"name":"voltage","type":"float"},
  {"name":"phase","type":{"type":"enum","name":"Phase","symbols":["L1","L2","L3"]}},
  {"name":"site","type":"string","default":"unknown"}, {"name":"status","type":["null","string"]},
  {"name":"seq","type":"long"}, {"name":"quality","type":"int"}]})";
constexpr std::string_view kArticle = R"({"type":"record","name":"Energy","fields":[
  {"name":"meter_id","type":"string"},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"kwh","type":"double"}, {"name":"customer_id","type":"string"}]})";
constexpr std::string_view kArticleOut = R"({"type":"record","name":"Energy","fields":[
  {"name":"meter_id","type":"string"},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"kwh","type":"double"}, {"name":"customer_id","type":"string"},
  {"name":"region","type":"string"}]})";

void append_float(float value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string reading(uint32_t row, bool old) {
  std::string datum;
  append_bytes("meter-" + std::to_string(100'000 + row % 500), datum);
  append_long(1'764'000'000'000'000 + row * 1'000'000LL, datum);
  old ? append_float(1.25F, datum) : append_double(1.25, datum);
  append_double(0.125, datum);
  append_float(230.5F, datum);
  append_long(row % 3, datum);
  if (!old) append_bytes("site-north-" + std::to_string(row % 7), datum);
  append_long(row % 4 == 0 ? 1 : 0, datum);
  if (row % 4 == 0) append_bytes("estimated", datum);
  append_long(1'000'000 + row, datum);
  append_long(row % 100, datum);
  return datum;
}

std::string article(uint32_t row) {
  std::string datum;
  append_bytes("meter-" + std::to_string(100'000 + row % 500), datum);
  append_long(1'764'000'000'000 + row * 1'000LL, datum);
  append_double(1.25, datum);
  append_bytes("customer-" + std::to_string(row % 300), datum);
  return datum;
}

// One batch, used again and again as the engine does: arena and vectors keep their memory.
struct Work {
  std::vector<std::string> datums;
  std::vector<ByteView> payloads;
  std::vector<row::RawRecord> records;
  Arena arena;
  row::Batch batch;
  std::string out;

  explicit Work(std::vector<std::string> values, size_t columns) : datums(std::move(values)) {
    for (const std::string& datum : datums) payloads.emplace_back(datum);
    records.resize(datums.size());
    batch.records = records;
    batch.arena = &arena;
    batch.columns.resize(columns);
  }
  void next_batch() {
    arena.reset();
    for (row::Column& column : batch.columns) column = {};
    batch.datums = {};
    batch.cuts = {};
    batch.cut_count = 0;
    batch.live.resize(datums.size());
    for (uint32_t row = 0; row < batch.live.size(); ++row) batch.live[row] = row;
    out.clear();
  }
  void turn(const DecodePlan& decode, const EncodePlan& encode) {
    next_batch();
    decode.decode(payloads, batch);
    PENSTOCK_CHECK(batch.live.size() == datums.size());
    for (const uint32_t row : batch.live) PENSTOCK_CHECK(encode.encode(batch, row, out, nullptr));
  }
};

void measure(benchmark::State& state, Work& work, const DecodePlan& decode,
             const EncodePlan& encode) {
  for (int warm = 0; warm < 3; ++warm) work.turn(decode, encode);
  const uint64_t before = allocations.load();
  for (auto _ : state) {
    work.turn(decode, encode);
    benchmark::DoNotOptimize(work.out.data());
  }
  const auto records = static_cast<double>(state.iterations()) * kRows;
  state.counters["allocations_per_record"] =
      static_cast<double>(allocations.load() - before) / records;
  state.counters["time_per_record"] =
      benchmark::Counter(records, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

std::vector<std::string> readings(bool old) {
  std::vector<std::string> values;
  for (uint32_t row = 0; row < kRows; ++row) values.push_back(reading(row, old));
  return values;
}

Origin input_field(uint32_t field) { return {.from = Origin::From::input_field, .index = field}; }
Origin slot(uint32_t index, const Node& type) {
  return {.from = Origin::From::slot, .index = index, .slot_type = &type};
}
Origin slot_of(const SchemaPtr& schema, uint32_t field, uint32_t index) {
  return slot(index, *schema->root().fields[field].type);
}

// meter_id, at, kwh and seq as slots.
std::vector<Want> four_wants() { return {{0, 0}, {1, 1}, {2, 2}, {8, 3}}; }

void run(benchmark::State& state, Work& work, const SchemaPtr& writer, const SchemaPtr& input,
         std::string_view output, std::vector<Origin> origins, std::vector<Want> wants) {
  auto encode = EncodePlan::compile(input, schema_of(output), std::move(origins));
  PENSTOCK_CHECK(encode.has_value());
  auto decode = DecodePlan::compile(writer, input, std::move(wants), encode->cuts());
  PENSTOCK_CHECK(decode.has_value());
  measure(state, work, *decode, *encode);
}

void reading_encode_slots(benchmark::State& state) {
  const SchemaPtr input = schema_of(kReading);
  std::vector<Origin> origins;
  std::vector<Want> wants;
  for (uint32_t field = 0; field < 10; ++field) {
    wants.push_back({field, field});
    origins.push_back(slot_of(input, field, field));
  }
  Work work(readings(false), 10);
  run(state, work, input, input, kReading, std::move(origins), std::move(wants));
}
BENCHMARK(reading_encode_slots);

void reading_encode_mixed(benchmark::State& state) {
  const SchemaPtr input = schema_of(kReading);
  std::vector<Origin> origins;
  for (uint32_t field = 0; field < 10; ++field) origins.push_back(input_field(field));
  for (const Want& want : four_wants()) origins[want.field] = slot_of(input, want.field, want.slot);
  Work work(readings(false), 4);
  run(state, work, input, input, kReading, std::move(origins), four_wants());
}
BENCHMARK(reading_encode_mixed);

void reading_encode_reshaped(benchmark::State& state) {
  const SchemaPtr input = schema_of(kReading);
  std::vector<Origin> origins;
  for (uint32_t field = 0; field < 10; ++field) origins.push_back(input_field(field));
  for (const Want& want : four_wants()) origins[want.field] = slot_of(input, want.field, want.slot);
  Work work(readings(false), 4);
  run(state, work, input, input, kOtherReading, std::move(origins), four_wants());
}
BENCHMARK(reading_encode_reshaped);

void reading_resolve(benchmark::State& state) {
  const SchemaPtr input = schema_of(kReadingWithSite);
  std::vector<Origin> origins;
  for (uint32_t field = 0; field < 10; ++field) origins.push_back(input_field(field));
  Work work(readings(true), 4);
  run(state, work, schema_of(kOldReading), input, kReadingWithSite, std::move(origins),
      four_wants());
}
BENCHMARK(reading_resolve);

void reading_splice(benchmark::State& state) {
  const SchemaPtr input = schema_of(kReading);
  std::vector<Origin> origins;
  for (uint32_t field = 0; field < 10; ++field) origins.push_back(input_field(field));
  origins[2] = slot_of(input, 2, 2);
  Work work(readings(false), 4);
  run(state, work, input, input, kReading, std::move(origins), four_wants());
}
BENCHMARK(reading_splice);

// The appended text is meter_id again: any slot will do.
void article_splice(benchmark::State& state) {
  const SchemaPtr input = schema_of(kArticle);
  std::vector<Origin> origins;
  for (uint32_t field = 0; field < 4; ++field) origins.push_back(input_field(field));
  origins.push_back(slot_of(input, 0, 0));
  std::vector<std::string> values;
  for (uint32_t row = 0; row < kRows; ++row) values.push_back(article(row));
  Work work(std::move(values), 1);
  run(state, work, input, input, kArticleOut, std::move(origins), {{0, 0}});
}
BENCHMARK(article_splice);

}  // namespace
}  // namespace penstock::avro

BENCHMARK_MAIN();
