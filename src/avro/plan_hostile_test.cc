// Bytes that somebody wants us to choke on. Run under the asan preset these tests say more than
// they assert.
#include "avro/plan_fixture.h"
#include "base/random.h"

#include <memory>

namespace penstock::avro {
namespace {

constexpr std::string_view kAll = R"({"type":"record","name":"All","fields":[
  {"name":"s","type":"string"},{"name":"b","type":"bytes"},{"name":"t","type":"boolean"},
  {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},
  {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
  {"name":"x","type":{"type":"fixed","name":"X","size":4}},
  {"name":"u","type":["null","string",{"type":"array","items":"long"}]},
  {"name":"m","type":{"type":"map","values":{"type":"array","items":"null"}}},
  {"name":"n","type":["null","All"]},
  {"name":"o","type":["null","string"]}]})";
constexpr std::string_view kOther = R"({"type":"record","name":"All","fields":[
  {"name":"n","type":["null","All"]},{"name":"l","type":"double"},
  {"name":"new","type":"string","default":"a default"},
  {"name":"m","type":{"type":"map","values":{"type":"array","items":["long","null"]}}},
  {"name":"e","type":{"type":"enum","name":"E","symbols":["B"]}},
  {"name":"u","type":[{"type":"array","items":"double"},"string","null"]},
  {"name":"s","type":["null","bytes"]}]})";

std::string all(uint32_t depth) {
  Datum datum;
  datum.text("text")
      .text("\xFF\x01")
      .raw("\x01")
      .whole(-7)
      .whole(1'700'000'000'000'000)
      .single(1)
      .whole(1)
      .raw("four")
      .whole(2)
      .whole(2)
      .whole(1)
      .whole(2)
      .whole(-1)
      .whole(1)
      .whole(3)
      .whole(0)
      .whole(1)
      .text("key")
      .whole(3)
      .whole(0)
      .whole(0);
  datum.whole(depth > 0 ? 1 : 0);
  if (depth > 0) datum.raw(all(depth - 1));
  return datum.whole(1).text("\xC3\xA9nd");
}

std::string mutated(std::string datum, Random& random) {
  for (uint64_t times = 1 + random.below(3); times > 0; --times) {
    const size_t at = datum.empty() ? 0 : random.below(datum.size());
    switch (random.below(6)) {
      case 0:
        datum.resize(at);
        break;
      case 1:
        if (!datum.empty()) datum[at] = static_cast<char>(random.next());
        break;
      case 2:
        datum.insert(at, std::string(Datum().whole(static_cast<int64_t>(random.next()))));
        break;
      case 3:
        datum.insert(at, std::string(Datum().whole(-static_cast<int64_t>(random.below(70'000)))));
        break;
      case 4:
        datum.erase(at, 1 + random.below(4));
        break;
      default:
        datum += datum.substr(at);
        break;
    }
  }
  return datum;
}

// A copy without a byte to spare, so that a sanitizer sees reads beyond the end.
struct Exact {
  explicit Exact(std::string_view from) : memory(new char[from.size()]), size(from.size()) {
    std::copy(from.begin(), from.end(), memory.get());
  }
  ByteView view() const { return {memory.get(), size}; }
  std::unique_ptr<char[]> memory;
  size_t size;
};

TEST_CASE("mutated datums are refused or whole, and never grow beyond their bounds") {
  const SchemaPtr schema = schema_of(kAll);
  std::vector<Want> wants;
  for (uint32_t field = 0; field < 12; ++field) wants.push_back({field, field});
  const auto plan = DecodePlan::compile(schema, schema, wants, {0, 5, 12});
  const auto other = Resolver::compile(schema->root(), schema_of(kOther)->root());
  const auto wrapped =
      Resolver::compile(schema->root(), schema_of("[\"null\"," + std::string(kAll) + "]")->root());
  REQUIRE(plan.has_value());
  REQUIRE(other.has_value());
  REQUIRE(wrapped.has_value());
  Random random(20261123);
  uint32_t good = 0;
  uint32_t bad = 0;
  for (int round = 0; round < 20'000; ++round) {
    const Exact datum(mutated(all(static_cast<uint32_t>(random.below(4))), random));
    Rows rows({""}, 12);
    rows.payloads[0] = datum.view();
    plan->decode(rows.payloads, rows.batch);
    const bool valid = rows.batch.live.size() == 1;
    ++(valid ? good : bad);
    REQUIRE(rows.batch.rejects.size() == (valid ? 0 : 1));
    std::string out;
    REQUIRE(wrapped->run(datum.view(), out, nullptr) == valid);
    std::string third;
    const bool elsewhere = other->run(datum.view(), third, nullptr);
    REQUIRE((valid || !elsewhere));
    REQUIRE(third.size() <= 20 * datum.size + (size_t{1} << 20));
  }
  CHECK(good > 500);
  CHECK(bad > 5'000);
}

TEST_CASE("lengths, counts and depths beyond the bytes are refused before anything is done") {
  const auto why = [](std::string_view schema, const std::string& datum) {
    std::string text;
    return validate(schema_of(schema)->root(), datum, &text) ? "valid" : text;
  };
  constexpr std::string_view kNulls = R"({"type":"array","items":"null"})";
  constexpr std::string_view kLongs = R"({"type":"array","items":"long"})";
  constexpr std::string_view kDoubles = R"({"type":"array","items":"double"})";
  CHECK(why("\"string\"", Datum().whole(INT64_MAX)) == "the bytes end inside a value, at byte 10");
  CHECK(why("\"bytes\"", Datum().whole(-1)) == "a negative length, at byte 1");
  CHECK(why(kLongs, Datum().whole(int64_t{1} << 60)).starts_with("the bytes end"));
  CHECK(why(kDoubles, Datum().whole(2).real(1).raw("1234567")).starts_with("the bytes end"));
  CHECK(why(kLongs, Datum().whole(INT64_MIN).whole(0)).starts_with("a block"));
  CHECK(why(kLongs, Datum().whole(-1).whole(-1)).starts_with("a negative length"));
  CHECK(why(kNulls, Datum().whole(65'536).whole(0)) == "valid");
  CHECK(why(kNulls, Datum().whole(65'537).whole(0)).starts_with("too many items of no size"));
  CHECK(why(kNulls, Datum().whole(65'536).whole(1).whole(0)).starts_with("too many items"));
  CHECK(why("\"long\"", std::string(9, '\xFF') + "\x01") == "valid");
  CHECK(why("\"long\"", std::string(9, '\xFF') + "\x02").starts_with("a number of more than 64"));
  CHECK(why("\"long\"", std::string(11, '\x80')).starts_with("a number of more than 64"));
  CHECK(why("\"boolean\"", "\x02").starts_with("a boolean"));
  CHECK(why("\"null\"", "x").starts_with("bytes after"));
}

TEST_CASE("a chain of records ends at the depth's bound") {
  constexpr std::string_view kChain =
      R"({"type":"record","name":"R","fields":[{"name":"next","type":["null","R"]}]})";
  const SchemaPtr schema = schema_of(kChain);
  const auto chain = [](size_t links) { return std::string(links, '\x02') + std::string(1, '\0'); };
  CHECK(validate(schema->root(), chain(kMaxDepth), nullptr));
  std::string why;
  CHECK_FALSE(validate(schema->root(), chain(kMaxDepth + 1), &why));
  CHECK(why.starts_with("values nested too deeply"));
  CHECK_FALSE(validate(schema->root(), chain(1'000'000), nullptr));
}

TEST_CASE("defaults can not blow a small datum up without bound") {
  const std::string writer = R"({"type":"array","items":{"type":"record","name":"R","fields":[]}})";
  const std::string reader = R"({"type":"array","items":{"type":"record","name":"R",)"
                             R"("fields":[{"name":"a","type":"string","default":")" +
                             std::string(4'000, 'a') + R"("}]}})";
  std::string result = resolved(writer, reader, Datum().whole(10).whole(0));
  CHECK(result.size() == 10 * 4'002 + 2);
  result = resolved(writer, reader, Datum().whole(60'000).whole(0));
  CHECK(result.starts_with("error: a datum that is too large"));
}

// Thirty records, each with two fields of the one below: a billion leaves without a byte between
// them.
TEST_CASE("records of records of nothing cost nothing") {
  const auto towers = [](std::string_view leaf) {
    std::string type = R"({"type":"record","name":"L0","fields":[)" + std::string(leaf) + "]}";
    for (int level = 1; level <= 30; ++level) {
      const std::string name = "L" + std::to_string(level);
      const std::string below = "L" + std::to_string(level - 1);
      type = R"({"type":"record","name":")" + name + R"(","fields":[{"name":"a","type":)" + type +
             R"(},{"name":"b","type":")" + below + R"("}]})";
    }
    return type;
  };
  const std::string nothing = towers(R"({"name":"n","type":"null"})");
  CHECK(resolved(nothing, nothing, "").empty());
  const std::string other = towers("");
  const std::string result = resolved(nothing, other, "");
  CHECK(result.starts_with("error: too many items of no size"));
}

}  // namespace
}  // namespace penstock::avro
