#include "rule/energy.h"

#include "base/random.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::rule {
namespace {

constexpr std::string_view kTariff =
    "winter-peak Nov-Feb Mon-Fri 07:00-20:00; night 22:00-06:00; weekend Sat,Sun; day";

std::string_view period_at(std::string_view text, std::string_view time, int64_t offset = 0) {
  const auto periods = Periods::parse(text);
  REQUIRE(periods.has_value());
  return periods->at(calendar(*parse_time(time), offset));
}

// How many of the text's one-letter changes are still ids.
template <class Is>
int missed(std::string_view good, std::string_view letters, Is is) {
  int count = 0;
  for (size_t at = 0; at < good.size(); at++) {
    for (const char letter : letters) {
      std::string changed(good);
      changed[at] = letter;
      if (changed != good && is(changed)) count++;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("units convert within their kind, and whole ratios stay whole") {
  CHECK(convert(1'500, "Wh", "kWh") == 1.5);
  CHECK(convert(1.5, "kWh", "Wh") == 1'500);
  CHECK(convert(1, "kWh", "MJ") == 3.6);
  CHECK(convert(3.6, "MJ", "kWh") == 1);
  CHECK(convert(0.3, "MW", "kW") == 300);
  CHECK(convert(7, "kvarh", "varh") == 7'000);
  CHECK(convert(1, "m3", "L") == 1'000);
  CHECK(*convert(1, "ft3", "L") == doctest::Approx(28.316846592));
  CHECK(convert(-2, "kV", "V") == -2'000);
  CHECK(convert(1, "kWh", "kW").error() == "kWh is not of the kind of kW");
  CHECK(convert(1, "kWh", "kwh").error() == "there is no unit \"kwh\"");
  CHECK(convert(1, "", "kWh").error() == "there is no unit \"\"");
}

TEST_CASE("ids of metering points have their check digit") {
  // Made by python-stdnum 2 but for the last line.
  for (const std::string_view good :
       {"22XWATTPLUS----G", "FY8NU40UGZECUYZK", "ORP-S8N628VDGRJS", "QWO-MYQEL1HAKY-P"})
    CHECK(is_eic(good));
  CHECK(is_gsrn("571313180400000001"));
  CHECK(is_gsrn("707057500000000001"));
  CHECK(is_mpan("1000000000003"));  // one in the first place: 3
  for (const std::string_view bad :
       {"", "22XWATTPLUS----X", "22xWATTPLUS----G", "22XWATTPLUS----", "571313180400000002",
        "57131318040000000", "1000000000004", "100000000000x", "57131318040000000\xb1"}) {
    CAPTURE(bad);
    CHECK_FALSE((is_eic(bad) || is_gsrn(bad) || is_mpan(bad)));
  }
  CHECK(missed("571313180400000001", "0123456789", is_gsrn) == 0);
  CHECK(missed("22XWATTPLUS----G", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-", is_eic) == 0);
}

TEST_CASE("the first period that fits is the one") {
  CHECK(period_at(kTariff, "2026-01-05T07:00:00Z") == "winter-peak");  // a Monday
  CHECK(period_at(kTariff, "2026-01-05T06:59:59.999Z") == "day");
  CHECK(period_at(kTariff, "2026-01-05T19:59:00Z") == "winter-peak");
  CHECK(period_at(kTariff, "2026-01-05T20:00:00Z") == "day");
  CHECK(period_at(kTariff, "2026-01-05T22:00:00Z") == "night");
  CHECK(period_at(kTariff, "2026-01-06T05:59:00Z") == "night");
  CHECK(period_at(kTariff, "2026-01-06T06:00:00Z") == "day");
  CHECK(period_at(kTariff, "2026-03-02T12:00:00Z") == "day");  // March
  CHECK(period_at(kTariff, "2026-01-04T12:00:00Z") == "weekend");
  CHECK(period_at(kTariff, "2026-01-04T23:30:00Z", 3600) == "night");  // Monday, 00:30
  CHECK(period_at("all", "2026-01-04T12:00:00Z") == "all");
  CHECK(period_at("a Fri-Mon 00:00-24:00; b", "2026-01-04T23:59:59Z") == "a");  // round the week
  CHECK(period_at("a Fri-Mon; b", "2026-01-06T12:00:00Z") == "b");
}

TEST_CASE("periods that say less, or more, than they can are refused") {
  const auto why = [](std::string_view text) {
    const auto periods = Periods::parse(text);
    return periods ? std::string() : periods.error();
  };
  CHECK(why("") == "a period without a name");
  CHECK(why("a Mon;") == "a period without a name");
  CHECK(why("a Mon").starts_with("the last period has conditions"));
  CHECK(why("a; b") == "\"b\" is never reached: the period before it is always");
  for (const std::string_view text :
       {"a Mo; b", "a 7:00-20:00; b", "a 07:00-07:00; b", "a 07:00; b", "a 07:60-08:00; b",
        "a 23:00-24:01; b", "a Mon-; b", "a Mon,; b", "a ,Mon; b", "a 07:00-08:00-09:00; b"})
    CHECK(why(text).ends_with("as Nov-Mar Mon-Fri 07:00-20:00"));
  CHECK(why(std::string(1025, 'a')) == "periods in more than 1 KiB");
  Random random(11);
  constexpr std::string_view kBytes = "aMon-FriNv07:2,; \xff";
  for (int round = 0; round < 20'000; round++) {
    std::string text;
    for (uint64_t left = random.below(24); left > 0; left--)
      text += kBytes[random.below(kBytes.size())];
    const auto periods = Periods::parse(text);
    if (periods) CHECK_FALSE(periods->at(calendar({0, 0}, 0)).empty());
  }
}

}  // namespace penstock::rule
