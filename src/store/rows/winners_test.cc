#include "store/rows/winners.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace penstock::store {
namespace {

using namespace std::string_view_literals;

// How many rows of the one key field are written, when all of them come in one epoch.
size_t keys_of(const std::string& type, row::Column column, uint32_t count,
               Blanks blanks = Blanks::count) {
  auto schema =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"k","type":)" + type + "}]}");
  REQUIRE(schema.has_value());
  const std::vector<flow::RowId> ids(count);
  flow::StoreRows rows{count, {column}, ids, 0};
  Winners winners({"t", flow::Merge::upsert, {"k"}, "", *schema}, blanks);
  winners.choose({&rows, 1}, {});
  CHECK(winners.rejected().empty());
  return winners.all().size();
}

size_t keys_of(const std::string& type, row::Kind kind, std::vector<ByteView> values,
               Blanks blanks = Blanks::count) {
  return keys_of(type, {.kind = kind, .views = values.data()}, static_cast<uint32_t>(values.size()),
                 blanks);
}

}  // namespace

TEST_CASE("what a server compares as equal is one key") {
  double zeros[] = {0.0, -0.0, 1.0};
  CHECK(keys_of("\"double\"", {.kind = row::Kind::float64, .float64s = zeros}, 3) == 2);
  const std::string decimal = R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})";
  CHECK(keys_of(decimal, row::Kind::bytes, {"\x05"sv, "\0\x05"sv, "\0\0\x05"sv, "\x06"sv}) == 2);
  CHECK(keys_of(decimal, row::Kind::bytes, {"\x85"sv, "\xff\x85"sv, "\0\x85"sv}) == 2);
  CHECK(keys_of("\"bytes\"", row::Kind::bytes, {"\x05"sv, "\0\x05"sv}) == 2);
  CHECK(keys_of("\"string\"", row::Kind::string, {"a"sv, "a "sv, "b"sv}) == 3);
  CHECK(keys_of("\"string\"", row::Kind::string, {"a"sv, "a "sv, "b"sv},
                Blanks::trailing_ignored) == 2);
}

}  // namespace penstock::store
