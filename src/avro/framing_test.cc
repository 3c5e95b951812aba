// Heads of values: each framing there and back, and every damaged one told apart.
#include "avro/framing.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::avro {
namespace {

SchemaId uuid(Framing framing) { return {framing, 0x0011223344556677, 0x8899aabbccddeeff}; }

TEST_CASE("every framing's head is read as it was written") {
  const struct {
    SchemaId id;
    size_t bytes;
    std::string_view text;
  } heads[] = {
      {{Framing::single_object, 0, 0x0123456789abcdef}, 10, "fingerprint 0123456789abcdef"},
      {{Framing::confluent, 0, 0xfffefdfc}, 5, "id 4294901244"},
      {uuid(Framing::confluent_guid), 17, "GUID 00112233-4455-6677-8899-aabbccddeeff"},
      {uuid(Framing::glue), 18, "version 00112233-4455-6677-8899-aabbccddeeff"}};
  for (const auto& each : heads) {
    std::string value;
    append_head(each.id, value);
    CHECK(value.size() == each.bytes);
    CHECK(to_text(each.id) == each.text);
    Head head;
    CHECK(read_head(value + "datum", head) == HeadFault::none);
    CHECK(head.id == each.id);
    CHECK(head.bytes == each.bytes);
    CHECK_FALSE(head.deflated);
    for (size_t size = 0; size < each.bytes; ++size)
      CHECK(read_head(std::string_view(value).substr(0, size), head) == HeadFault::cut);
  }
}

TEST_CASE("Glue says whether the datum is compressed, and how is checked") {
  std::string value;
  append_head(uuid(Framing::glue), value);
  Head head;
  value[1] = '\x05';
  CHECK(read_head(value, head) == HeadFault::none);
  CHECK(head.deflated);
  value[1] = '\x06';
  CHECK(read_head(value, head) == HeadFault::compression);
  CHECK(describe(HeadFault::compression, value).contains("06"));
}

TEST_CASE("what begins otherwise is no framing's") {
  Head head;
  for (int first = 0; first < 256; ++first) {
    const std::string value = static_cast<char>(first) + std::string(40, 'x');
    const bool known = first == 0 || first == 1;
    CHECK((read_head(value, head) == HeadFault::none) == known);
  }
  CHECK(describe(HeadFault::unknown, "{\"a\":1}").contains("begins with 7b"));
}

TEST_CASE("UUIDs are read in any case, and nothing else is") {
  SchemaId id;
  REQUIRE(parse_uuid("00112233-4455-6677-8899-AABBCCDDEEFF", id));
  CHECK(id.high == 0x0011223344556677);
  CHECK(id.low == 0x8899aabbccddeeff);
  for (const std::string_view wrong :
       {"", "00112233-4455-6677-8899-aabbccddeef", "00112233x4455-6677-8899-aabbccddeeff",
        "0011223g-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff0"})
    CHECK_FALSE(parse_uuid(wrong, id));
}

}  // namespace
}  // namespace penstock::avro
