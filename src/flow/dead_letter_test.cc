#include "flow/dead_letter.h"

#include "avro/framing.h"
#include "avro/json.h"

#include <doctest/doctest.h>

using namespace penstock;

TEST_CASE("a dead letter keeps the bytes and is an ordinary Avro record") {
  const flow::DeadLetter letter{.stage = "processing",
                                .topic = "preprocessed",
                                .lineage = "a1",
                                .partition = 3,
                                .offset = {70'000},
                                .step = "steps[0]",
                                .reason = "join.no_match",
                                .detail = "table \"meters\" has no row for \"m9\"",
                                .timestamp = {1'767'225'600'000},
                                .key = std::nullopt,
                                .value = ByteView("\xc3\x01\x00\xff", 4)};
  std::string bytes;
  flow::append_dead_letter(letter, bytes);
  const auto back = flow::read_dead_letter(bytes);
  REQUIRE(back.has_value());
  CHECK(back->offset == letter.offset);
  CHECK(back->detail == letter.detail);
  CHECK_FALSE(back->key.has_value());
  CHECK(back->value == letter.value);

  uint64_t fingerprint = 0;
  ByteView datum;
  REQUIRE(avro::strip_single_object(bytes, fingerprint, datum));
  const auto json =
      avro::to_json(flow::dead_letter_schema()->root(), datum, avro::JsonStyle::plain);
  REQUIRE(json.has_value());
  CHECK(json->find("\"join.no_match\"") != std::string::npos);
}

TEST_CASE("damaged dead letters are refused") {
  flow::DeadLetter letter;
  letter.stage = "s";
  letter.topic = "t";
  letter.reason = "r";
  std::string bytes;
  flow::append_dead_letter(letter, bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(flow::read_dead_letter(ByteView(bytes).substr(0, size)).has_value());
  }
  CHECK_FALSE(flow::read_dead_letter(bytes + "x").has_value());
}
