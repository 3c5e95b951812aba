#include "flow/shape.h"

#include "flow/step.h"

#include <doctest/doctest.h>

using namespace penstock;

namespace {
avro::SchemaPtr reading() {
  return *avro::parse(R"({"type":"record","name":"Reading","fields":[)"
                      R"({"name":"meter_id","type":"string"},{"name":"kwh","type":"double"}]})");
}
}  // namespace

TEST_CASE("a shape without changes has the input's own schema") {
  const avro::SchemaPtr input = reading();
  flow::Shape shape(input);
  shape.slot("kwh");
  CHECK(shape.schema()->get() == input.get());
}

TEST_CASE("a field is projected once, whoever asks") {
  flow::Shape shape(reading());
  const uint32_t slot = shape.slot("kwh");
  CHECK(shape.slot("kwh") == slot);
  REQUIRE(shape.wants().size() == 1);
  CHECK(shape.wants()[0].field == 1);
}

TEST_CASE("copies of a shape share their columns") {
  flow::Shape shape(reading());
  flow::Shape aside = shape;
  const uint32_t made = shape.new_slot();
  const uint32_t slot = aside.slot("kwh");
  CHECK(slot != made);
  CHECK(shape.slot("kwh") == slot);
  CHECK(shape.wants().size() == 1);
}

TEST_CASE("set adds at the end or replaces in place, unset removes") {
  flow::Shape shape(reading());
  const avro::SchemaPtr& text = avro::primitive(avro::Type::string);
  shape.set("status", text, &text->root(), shape.new_slot());
  shape.set("kwh", text, &text->root(), shape.new_slot());
  CHECK(shape.fields()[1].name == "kwh");
  CHECK(shape.fields()[2].name == "status");
  CHECK(shape.unset("meter_id"));
  CHECK_FALSE(shape.unset("meter_id"));
  const auto schema = shape.schema();
  REQUIRE(schema.has_value());
  REQUIRE((*schema)->root().fields.size() == 2);
  CHECK((*schema)->root().fields[0].type->type == avro::Type::string);
  const auto origins = shape.origins(**schema);
  REQUIRE(origins.has_value());
  CHECK((*origins)[1].from == avro::Origin::From::slot);
  CHECK_FALSE(shape.origins(*reading()).has_value());
}

TEST_CASE("remove_live keeps the order of what stays") {
  std::vector<uint32_t> live = {1, 3, 4, 7, 9};
  flow::remove_live(live, std::vector<uint32_t>{1, 4, 9});
  CHECK(live == std::vector<uint32_t>{3, 7});
}
