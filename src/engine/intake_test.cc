#include "engine/intake.h"

#include "avro/framing.h"
#include "avro/json.h"
#include "wire/codec.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace penstock::engine {
namespace {

constexpr std::string_view kInput = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "long"}, {"name": "site", "type": "string", "default": "none"}]})";
constexpr std::string_view kOld = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "int"}]})";

avro::SchemaPtr schema_of(std::string_view text) {
  auto schema = avro::parse(text);
  REQUIRE(schema.has_value());
  return *schema;
}

// Knows some schemas; counts how often it is asked for each.
class Schemas final : public flow::SchemaSource {
 public:
  Found find(uint64_t fingerprint) override {
    ++asked[fingerprint];
    const auto found = known.find(fingerprint);
    return {found == known.end() ? nullptr : found->second, true};
  }
  Result<void> add(const avro::SchemaPtr& schema) override {
    known[schema->fingerprint()] = schema;
    return {};
  }
  std::vector<avro::SchemaPtr> all() override { return {}; }
  Found find_id(const avro::SchemaId& id) override {
    if (id.framing == avro::Framing::single_object) return find(id.low);
    ++ids_asked[id.low];
    const auto found = by_id.find(id);
    if (found == by_id.end()) return SchemaSource::find_id(id);
    if (found->second == nullptr) return {nullptr, false};
    return {found->second, true};
  }
  std::map<uint64_t, avro::SchemaPtr> known;
  std::map<avro::SchemaId, avro::SchemaPtr> by_id;  // null: not known yet
  std::map<uint64_t, uint32_t> asked;
  std::map<uint64_t, uint32_t> ids_asked;
};

// Values of one partition, through an Intake that reads both columns.
struct Mixed {
  explicit Mixed(bool unframed_bare = false)
      : intake({schema_of(kInput),
                {{avro::Framing::single_object, unframed_bare, schema_of(kInput)}},
                {{0, 0}, {1, 1}},
                {},
                &schemas}) {
    REQUIRE(schemas.add(schema_of(kInput)).has_value());
    REQUIRE(schemas.add(schema_of(kOld)).has_value());
  }
  void put(std::string_view schema, std::string_view json) {
    const avro::SchemaPtr writer = schema_of(schema);
    std::string& value = values.emplace_back();
    avro::append_single_object_header(writer->fingerprint(), value);
    REQUIRE(avro::from_json(writer->root(), json, avro::JsonStyle::avro, value).has_value());
  }
  void put_stranger(uint64_t fingerprint) {
    avro::append_single_object_header(fingerprint, values.emplace_back());
  }
  void decode() {
    for (const std::string& value : values) {
      row::RawRecord& record = raw.records.emplace_back();
      record.value = value;
      record.has_value = true;
    }
    batch.records = raw.records;
    batch.arena = &arena;
    batch.columns.resize(2);
    intake.decode(raw, batch);
  }
  Schemas schemas;
  Intake intake;
  std::vector<std::string> values;
  row::RawBatch raw;
  Arena arena;
  row::Batch batch;
};

TEST_CASE("records of several schemas in one batch: each by its own, live rows ascending") {
  Mixed mixed;
  for (int round = 0; round < 3; ++round) {
    mixed.put(kInput, R"({"id": 1, "site": "a"})");
    mixed.put(kOld, R"({"id": 2})");
    mixed.put_stranger(77);
  }
  mixed.values.push_back("no framing");
  mixed.decode();
  const row::Batch& batch = mixed.batch;
  CHECK(batch.live == std::vector<uint32_t>{0, 1, 3, 4, 6, 7});
  for (const uint32_t row : batch.live) {
    CHECK(batch.columns[0].int64s[row] == (row % 3 == 0 ? 1 : 2));
    CHECK(batch.columns[1].views[row] == (row % 3 == 0 ? "a" : "none"));
  }
  std::map<uint32_t, std::string> rejected;
  for (const row::Reject& reject : batch.rejects) rejected[reject.row] = reject.reason;
  CHECK(rejected == std::map<uint32_t, std::string>{{2, "avro.unknown_schema"},
                                                    {5, "avro.unknown_schema"},
                                                    {8, "avro.unknown_schema"},
                                                    {9, "avro.framing"}});
  CHECK(mixed.schemas.asked[77] == 1);  // once a batch, not once a record
}

TEST_CASE("a batch of nothing but strangers is refused, each record once") {
  constexpr uint32_t kStrangers = 200'000;  // a pass over all for each would take minutes
  Mixed mixed;
  for (uint32_t at = 0; at < kStrangers; ++at)
    mixed.put_stranger(uint64_t{at} * 0x9E3779B97F4A7C15);
  mixed.put(kInput, R"({"id": 5, "site": "a"})");
  mixed.decode();
  CHECK(mixed.batch.live == std::vector<uint32_t>{kStrangers});
  CHECK(mixed.batch.rejects.size() == kStrangers);
}

// A value of that framing; compressed for Glue where asked for.
void put_framed(Mixed& mixed, const avro::SchemaId& id, std::string_view schema,
                std::string_view json, bool compressed = false) {
  const avro::SchemaPtr writer = schema_of(schema);
  std::string datum, packed;
  REQUIRE(avro::from_json(writer->root(), json, avro::JsonStyle::avro, datum).has_value());
  std::string& value = mixed.values.emplace_back();
  avro::append_head(id, value);
  if (compressed) {
    REQUIRE(wire::zlib_compress(datum, packed));
    value[1] = '\x05';
  }
  value += compressed ? packed : datum;
  mixed.schemas.by_id[id] = writer;
}

TEST_CASE("every framing is read in one stream, each value by its first bytes") {
  Mixed mixed(true);
  const avro::SchemaId seven{avro::Framing::confluent, 0, 7};
  const avro::SchemaId guid{avro::Framing::confluent_guid, 7, 7};
  const avro::SchemaId glue{avro::Framing::glue, 7, 7};
  for (int round = 0; round < 2; ++round) {
    put_framed(mixed, seven, kOld, R"({"id": 10})");
    put_framed(mixed, seven, kOld, R"({"id": 11})");
    put_framed(mixed, guid, kInput, R"({"id": 12, "site": "guid"})");
    put_framed(mixed, glue, kInput, R"({"id": 13, "site": "glue"})");
    put_framed(mixed, glue, kInput, R"({"id": 14, "site": "zlib"})", true);
    mixed.put(kInput, R"({"id": 15, "site": "single"})");
    // Bare: 16 is 0x20, the byte of no framing.
    put_framed(mixed, {avro::Framing::bare, 0, 0}, kInput, R"({"id": 16, "site": "bare"})");
  }
  mixed.decode();
  CHECK(mixed.batch.rejects.empty());
  REQUIRE(mixed.batch.live.size() == 14);
  for (uint32_t row = 0; row < 14; ++row) CHECK(mixed.batch.columns[0].int64s[row] == 10 + row % 7);
}

TEST_CASE("a compressed value is bounded by its own size, damage is told") {
  Mixed mixed;
  const avro::SchemaId glue{avro::Framing::glue, 7, 7};
  put_framed(mixed, glue, kInput, R"({"id": 1, "site": "a"})", true);
  mixed.values.back().resize(mixed.values.back().size() - 3);
  std::string bomb;
  REQUIRE(wire::zlib_compress(std::string(1 << 20, 'x'), bomb));
  avro::append_head(glue, mixed.values.emplace_back());
  mixed.values.back()[1] = '\x05';
  mixed.values.back() += bomb;
  mixed.decode();
  CHECK(mixed.batch.live.empty());
  REQUIRE(mixed.batch.rejects.size() == 2);
  for (const row::Reject& reject : mixed.batch.rejects) CHECK(reject.reason == "avro.compressed");
}

TEST_CASE("ready asks for every schema of the batch at once, and waits for all") {
  Mixed mixed;
  for (uint64_t number = 1; number <= 3; ++number) {
    const avro::SchemaId id{avro::Framing::confluent, 0, number};
    put_framed(mixed, id, kOld, R"({"id": 1})");
    mixed.schemas.by_id[id] = nullptr;
  }
  for (const std::string& value : mixed.values) {
    row::RawRecord& record = mixed.raw.records.emplace_back();
    record.value = value;
    record.has_value = true;
  }
  CHECK_FALSE(mixed.intake.ready(mixed.raw));
  CHECK(mixed.schemas.ids_asked == std::map<uint64_t, uint32_t>{{1, 1}, {2, 1}, {3, 1}});
  mixed.schemas.by_id[{avro::Framing::confluent, 0, 1}] = schema_of(kOld);
  mixed.schemas.by_id[{avro::Framing::confluent, 0, 3}] = schema_of(kOld);
  CHECK_FALSE(mixed.intake.ready(mixed.raw));
  mixed.schemas.by_id[{avro::Framing::confluent, 0, 2}] = schema_of(kOld);
  CHECK(mixed.intake.ready(mixed.raw));
}

}  // namespace
}  // namespace penstock::engine
