// energy: units, ids of metering points, time-of-use periods.

#include "rule/energy.h"
#include "rule/extension.h"
#include "rule/time.h"

namespace penstock::rule {

namespace {

using Args = std::span<const Value>;

double number(const Value& value) {
  if (value.kind == ValueKind::int_) return static_cast<double>(value.int64);
  if (value.kind == ValueKind::uint_) return static_cast<double>(value.uint64);
  return value.float64;
}

Value convert_units(Args args, Context& context) {
  const auto made = convert(number(args[0]), args[1].text(), args[2].text());
  return made ? Value::of_double(*made) : context.error(made.error());
}

template <bool (*Is)(std::string_view)>
Value is_id(Args args, Context&) {
  return Value::of_bool(Is(args[0].text()));
}

Value period(Args args, Context& context) {
  const Time at = args[0].time();
  const auto offset = zone_offset(args[1].text(), at);
  if (!offset) return context.error("no time zone \"" + std::string(args[1].text()) + "\"");
  if (!context.spend(1 + args[2].size / 16)) return context.error(kOverBudget);
  const auto periods = Periods::parse(args[2].text());
  if (!periods) return context.error(periods.error());
  return Value::of_string(periods->at(calendar(at, *offset)));
}

constexpr Extension question(std::string_view name, Value (*apply)(Args, Context&)) {
  return {.name = name, .takes = {kStringKind}, .result = TypeKind::bool_, .apply = apply};
}

}  // namespace

std::span<const Extension> energy_extensions() {
  static constexpr Extension kAll[] = {
      {.name = "energy.convert",
       .least = 3,
       .most = 3,
       .takes = {kNumberKind, kStringKind},
       .result = TypeKind::double_,
       .apply = convert_units,
       .asks = Asks::units},
      question("energy.isGsrn", is_id<is_gsrn>),
      question("energy.isEic", is_id<is_eic>),
      question("energy.isMpan", is_id<is_mpan>),
      {.name = "energy.period",
       .least = 3,
       .most = 3,
       .takes = {of_kind(TypeKind::timestamp), kStringKind},
       .result = TypeKind::string,
       .apply = period,
       .asks = Asks::periods},
  };
  return kAll;
}

}  // namespace penstock::rule
