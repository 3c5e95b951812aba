// What the checker knows about functions: names and overloads.

#include "rule/function.h"

namespace penstock::rule {

namespace {

using enum TypeKind;

constexpr FunctionName kNames[] = {
    {"size", Fn::size, true, true},
    {"contains", Fn::contains, false, true},
    {"startsWith", Fn::starts_with, false, true},
    {"endsWith", Fn::ends_with, false, true},
    {"matches", Fn::matches, true, true},
    {"bool", Fn::to_bool, true, false},
    {"int", Fn::to_int, true, false},
    {"uint", Fn::to_uint, true, false},
    {"double", Fn::to_double, true, false},
    {"string", Fn::to_string, true, false},
    {"bytes", Fn::to_bytes, true, false},
    {"timestamp", Fn::to_timestamp, true, false},
    {"duration", Fn::to_duration, true, false},
    {"dyn", Fn::to_dyn, true, false},
    {"type", Fn::to_type, true, false},
    {"getFullYear", Fn::get_full_year, false, true},
    {"getMonth", Fn::get_month, false, true},
    {"getDate", Fn::get_date, false, true},
    {"getDayOfMonth", Fn::get_day_of_month, false, true},
    {"getDayOfWeek", Fn::get_day_of_week, false, true},
    {"getDayOfYear", Fn::get_day_of_year, false, true},
    {"getHours", Fn::get_hours, false, true},
    {"getMinutes", Fn::get_minutes, false, true},
    {"getSeconds", Fn::get_seconds, false, true},
    {"getMilliseconds", Fn::get_milliseconds, false, true},
};

struct OperatorName {
  Fn fn;
  std::string_view sign;
};
constexpr OperatorName kSigns[] = {{Fn::add, "+"},    {Fn::subtract, "-"}, {Fn::multiply, "*"},
                                   {Fn::divide, "/"}, {Fn::modulo, "%"},   {Fn::negate, "-"},
                                   {Fn::not_, "!"},   {Fn::eq, "=="},      {Fn::ne, "!="},
                                   {Fn::lt, "<"},     {Fn::le, "<="},      {Fn::gt, ">"},
                                   {Fn::ge, ">="},    {Fn::in, "in"},      {Fn::index, "[]"}};

void add_arithmetic(std::vector<Overload>& all) {
  for (const TypeKind kind : {int_, uint_, double_})
    for (const Fn fn : {Fn::add, Fn::subtract, Fn::multiply, Fn::divide, Fn::modulo})
      if (fn != Fn::modulo || kind != double_) all.push_back({fn, kind, 2, {kind, kind}});
  for (const TypeKind kind : {string, bytes, duration})
    all.push_back({Fn::add, kind, 2, {kind, kind}});
  all.push_back({Fn::add, timestamp, 2, {timestamp, duration}});
  all.push_back({Fn::add, timestamp, 2, {duration, timestamp}});
  all.push_back({Fn::subtract, duration, 2, {duration, duration}});
  all.push_back({Fn::subtract, timestamp, 2, {timestamp, duration}});
  all.push_back({Fn::subtract, duration, 2, {timestamp, timestamp}});
  all.push_back({Fn::negate, int_, 1, {int_, dyn}});
  all.push_back({Fn::negate, double_, 1, {double_, dyn}});
  all.push_back({Fn::not_, bool_, 1, {bool_, dyn}});
}

void add_order(std::vector<Overload>& all) {
  for (const Fn fn : {Fn::lt, Fn::le, Fn::gt, Fn::ge}) {
    for (const TypeKind kind : {bool_, string, bytes, timestamp, duration})
      all.push_back({fn, bool_, 2, {kind, kind}});
    for (const TypeKind a : {int_, uint_, double_})
      for (const TypeKind b : {int_, uint_, double_}) all.push_back({fn, bool_, 2, {a, b}});
  }
}

void add_texts(std::vector<Overload>& all) {
  for (const TypeKind kind : {string, bytes}) all.push_back({Fn::size, int_, 1, {kind, dyn}});
  for (const Fn fn : {Fn::contains, Fn::starts_with, Fn::ends_with, Fn::matches})
    all.push_back({fn, bool_, 2, {string, string}});
}

void add_conversions(std::vector<Overload>& all) {
  const auto from = [&](Fn fn, TypeKind result, std::initializer_list<TypeKind> sources) {
    for (const TypeKind source : sources) all.push_back({fn, result, 1, {source, dyn}});
  };
  from(Fn::to_bool, bool_, {bool_, string});
  from(Fn::to_int, int_, {int_, uint_, double_, string, timestamp, duration});
  from(Fn::to_uint, uint_, {int_, uint_, double_, string});
  from(Fn::to_double, double_, {int_, uint_, double_, string});
  from(Fn::to_string, string, {bool_, int_, uint_, double_, string, bytes, timestamp, duration});
  from(Fn::to_bytes, bytes, {string, bytes});
  from(Fn::to_timestamp, timestamp, {string, int_, timestamp});
  from(Fn::to_duration, duration, {string, int_, duration});
}

void add_calendar(std::vector<Overload>& all) {
  for (auto fn = static_cast<uint8_t>(Fn::get_full_year);
       fn <= static_cast<uint8_t>(Fn::get_milliseconds); fn++) {
    all.push_back({static_cast<Fn>(fn), int_, 1, {timestamp, dyn}});
    all.push_back({static_cast<Fn>(fn), int_, 2, {timestamp, string}});
    if (fn >= static_cast<uint8_t>(Fn::get_hours))
      all.push_back({static_cast<Fn>(fn), int_, 1, {duration, dyn}});
  }
}

}  // namespace

std::span<const Overload> overloads() {
  static const std::vector<Overload> kAll = [] {
    std::vector<Overload> all;
    add_arithmetic(all);
    add_order(all);
    add_texts(all);
    add_conversions(all);
    add_calendar(all);
    return all;
  }();
  return kAll;
}

std::span<const FunctionName> function_names() { return kNames; }

const FunctionName* find_function(std::string_view name, bool method) {
  for (const FunctionName& each : kNames)
    if (each.name == name && (method ? each.as_method : each.as_function)) return &each;
  return nullptr;
}

std::string_view name_of(Fn fn) {
  for (const OperatorName& each : kSigns)
    if (each.fn == fn) return each.sign;
  for (const FunctionName& each : kNames)
    if (each.fn == fn) return each.name;
  return "?";
}

}  // namespace penstock::rule
