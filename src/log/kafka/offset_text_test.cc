#include "log/kafka/offset_text.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::log::kafka {
namespace {

flow::Fates fates_of(int outputs) {
  flow::Fates fates;
  for (int i = 0; i < outputs; ++i) {
    fates.out.add("usage.tenant-" + std::to_string(10000 + i), 1'000'000'000);
    fates.in += 1'000'000'000;
  }
  fates.in += 5;
  fates.dead = 2;
  fates.absorbed = 1;
  fates.dropped.add("steps[0]", 2);
  return fates;
}

}  // namespace

TEST_CASE("what travels with an offset comes back") {
  const flow::Fates fates = fates_of(3);
  const std::string text = metadata_text(fates, "Ab-9_x", Term{7});
  CHECK(text.starts_with("penstock=1 term=7 lineage=Ab-9_x in="));
  const auto back = offset_from_text(text);
  REQUIRE(back.has_value());
  CHECK(back->fates == fates);
  CHECK(back->term == Term{7});
  CHECK(back->lineage == "Ab-9_x");
  CHECK(!back->sums_only);
  CHECK(offset_from_text(metadata_text({}, "", Term{1}))->lineage.empty());
}

TEST_CASE("fates that are too long leave their sums, which still add up") {
  const flow::Fates fates = fates_of(300);
  const std::string text = metadata_text(fates, "Ab", Term{7});
  CHECK(text.size() <= kMaxMetadataBytes);
  const auto back = offset_from_text(text);
  REQUIRE(back.has_value());
  CHECK(back->sums_only);
  CHECK(back->fates.in == fates.in);
  CHECK(back->fates.adds_up());
  const auto row = position_from_value(position_value({42}, fates, "Ab", Term{7}));
  REQUIRE(row.has_value());
  CHECK(row->next == Offset{42});
  CHECK(row->text.fates == fates);
}

TEST_CASE("what others wrote is nothing of ours") {
  const std::string good = metadata_text(fates_of(1), "Ab", Term{7});
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string("penstock=1"),
        "penstock=2" + good.substr(10), std::string("penstock=1 term=x in=1"),
        std::string("penstock=1 term=1 sums=2 in=1"), std::string("penstock=1 term=1 lineage="),
        std::string(5000, 'x')}) {
    CHECK(!offset_from_text(text));
    CHECK(!position_from_value(text));
  }
  for (size_t size = 0; size < good.size(); ++size) offset_from_text(good.substr(0, size));
  CHECK(!position_from_value("next=-5 " + good));
  CHECK(!position_from_value("next=5 penstock=1 term=1 sums=1 in=1"));
}

TEST_CASE("a position's key tells group, input and partition apart") {
  CHECK(position_key("g", "in", 1) != position_key("g", "in", 11));
  CHECK(position_key("g.x", "in", 1) != position_key("g", "x.in", 1));
}

}  // namespace penstock::log::kafka
