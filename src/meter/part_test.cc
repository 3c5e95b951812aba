#include "avro/json.h"
#include "meter/meter_fixture.h"
#include "meter/meter_source.h"

#include <string>

namespace penstock::meter {
namespace {

constexpr std::string_view kMessage =
    R"({"type":"record","name":"M","fields":[{"name":"id","type":"int"},)"
    R"({"name":"color","type":["null","string"]}]})";

Result<std::unique_ptr<PacedSource>> opened(std::string_view text, const Clock& clock) {
  auto document = yaml::parse(std::string(text), "pipeline.yaml");
  REQUIRE(document.has_value());
  return open_producer("generate", "p", flow::Config(&*document, &document->root()), nullptr,
                       schema_of(kMessage), avro::Framing::bare, clock);
}

}  // namespace

TEST_CASE("a producer of random records, as the pipeline file says it") {
  FakeClock clock;
  auto source = opened(
      "{to: t, every: 500ms, clients: 4, seed: 7, generate: {id: 5..5, color: [red]}}", clock);
  REQUIRE_MESSAGE(source.has_value(), (source ? "" : one_line(source.error())));
  CHECK((*source)->name() == "meter:p");
  begin(**source, 0);
  clock.millis += 500;
  const auto values = take(**source, 100);
  REQUIRE(values.size() == 4);
  for (const std::string& value : values) {
    const auto json = avro::to_json(schema_of(kMessage)->root(), value, avro::JsonStyle::plain);
    REQUIRE(json.has_value());
    CHECK((*json == R"({"id":5,"color":"red"})" || *json == R"({"id":5,"color":null})"));
  }
}

TEST_CASE("settings that do not fit are errors at their place") {
  const FakeClock clock;
  const auto refused = [&](std::string_view text) {
    const auto source = opened(text, clock);
    REQUIRE_FALSE(source.has_value());
    CHECK(exit_code(source.error()) == 78);
    return std::string(catalogue_entry(source.error().code).name) + " " +
           std::to_string(source.error().place.column);
  };
  CHECK(refused("{generate: {id: many}}") == "M001 17");
  CHECK(refused("{generate: {idd: 0..5}}") == "M001 13");
  CHECK(refused("{generate: {id: 0..3000000000}}") == "M001 17");
}

}  // namespace penstock::meter
