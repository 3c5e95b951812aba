// energy.h — what rules over meter readings need and CEL does not have: units, checked ids of
// metering points, time-of-use periods.
//
// Thread      free functions; Periods is immutable.
// Lifetime    Periods has views of its text.
// Limits      a text of periods ≤ 1 KiB.
// Errors      a text says what is wrong.
//
//     convert(1.5, "kWh", "MJ");                                   // 5.4
//     auto periods = Periods::parse("peak Mon-Fri 07:00-20:00; offpeak");
//     periods->at(calendar(time, offset_seconds));                 // "peak"
#pragma once

#include "rule/time.h"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {

// Energy (Wh kWh MWh GWh J kJ MJ GJ), power (W kW MW GW), apparent (VA kVA MVA; VAh kVAh MVAh) and
// reactive ones (var kvar Mvar; varh kvarh Mvarh), current (mA A kA), voltage (mV V kV) and volume
// (L m3 ft3). Within one kind only; the factors are those of the SI, 1 ft = 0.3048 m.
std::expected<double, std::string> convert(double value, std::string_view from,
                                           std::string_view to);

// A Global Service Relation Number, as European metering points have it: 18 digits, the last one by
// GS1's modulo 10 (GS1 General Specifications, 7.9.1).
bool is_gsrn(std::string_view text);
// An Energy Identification Code: 16 characters of 0–9 A–Z and -, the last one by modulo 37
// (ENTSO-E, EIC reference manual).
bool is_eic(std::string_view text);
// The core of a British MPAN: 13 digits, the last one by modulo 11 over primes (Balancing and
// Settlement Code).
bool is_mpan(std::string_view text);

// The periods of a time-of-use tariff: "NAME [MONTHS] [DAYS] [HOURS]; …; NAME". The first one that
// fits a moment is its period; the last one has no conditions. Months and days are three letters,
// "Nov-Mar", "Mon-Fri,Sun"; hours "07:00-20:00", past midnight "22:00-06:00" (of the same day's
// both ends). All in local time.
class Periods {
 public:
  static std::expected<Periods, std::string> parse(std::string_view text);
  std::string_view at(const Calendar& local) const;

 private:
  struct Period {
    std::string_view name;
    uint32_t months = 0xfff;  // bit 0: January
    uint32_t days = 0x7f;     // bit 0: Sunday
    int32_t from_minute = 0, to_minute = 24 * 60;
    bool always = true;
  };
  static std::expected<Period, std::string> read(std::string_view text);
  std::vector<Period> periods_;
};

}  // namespace penstock::rule
