// pseudonym: what comes out is what another HMAC-SHA-256 gave, and the key stays where it is.
#include "step/step_fixture.h"

#include <cstdlib>

namespace penstock::step {
namespace {

constexpr const char* kKey = "0123456789abcdef0123";

struct Key {
  explicit Key(const char* text) { setenv("PENSTOCK_SECRET_METER_KEY", text, 1); }  // NOLINT
  ~Key() { unsetenv("PENSTOCK_SECRET_METER_KEY"); }                                 // NOLINT
};

constexpr std::string_view kStep =
    "pseudonym: {fields: [meter_id, note], key: \"${secret:meter-key}\"";

std::string step(std::string_view more) { return std::string(kStep) + std::string(more) + "}"; }

}  // namespace

TEST_CASE("texts become their HMAC; null stays null; the rest stays") {
  const Key key(kKey);
  Line line(kReading);
  line.add(step(", bytes: 8"));
  line.add("unset: [kwh, count]");
  CHECK(line.run({reading("m1", 1.5), reading("m1", 2.5, 7, "\"m1\"")}).left() ==
        Texts{R"({"meter_id":"d204e130e62ada5e","note":null})",
              R"({"meter_id":"d204e130e62ada5e","note":"d204e130e62ada5e"})"});
}

TEST_CASE("a version stands before it, and another key gives another pseudonym") {
  std::string first;
  for (const char* text : {kKey, "another key of 20 by"}) {
    const Key key(text);
    Line line(kReading);
    line.add(step(", bytes: 8, version: v2"));
    const Trip trip = line.run({reading("m1", 1.5)});
    CHECK(trip.left().front().contains(R"("meter_id":"v2.)"));
    CHECK(trip.left().front() != first);
    first = trip.left().front();
  }
}

TEST_CASE("what can not be a pseudonym or a key is refused, and no error shows the key") {
  const Key key("short");
  Line line(kReading);
  CHECK(line.error("pseudonym: {fields: kwh, key: \"${secret:meter-key}\"}") ==
        "P313 1:21 \"kwh\" is double");
  CHECK(
      line.error("pseudonym: {fields: nothing, key: \"${secret:meter-key}\"}").starts_with("P301"));
  CHECK(line.error("pseudonym: {fields: meter_id, key: hunter2hunter2hunter2}") ==
        "P049 1:36 \"key\" holds its secret in clear text");
  CHECK(line.error(step("")) == "L115 1:44 the key has 5 bytes");
  CHECK(line.error(step(", bytes: 7")).starts_with("P026"));
  CHECK(line.error("pseudonym: {fields: meter_id, key: \"${secret:none}\"}") ==
        "L115 1:36 there is no secret \"none\"");
}

}  // namespace penstock::step
