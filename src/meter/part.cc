#include "meter/generate.h"
#include "meter/meter_source.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <map>
#include <utility>

namespace penstock::meter {
namespace {

// 10s, 15m, 24h, 7d, 500ms, checked by plan/; the fallback when absent.
int64_t duration_millis(const flow::Config& config, std::string_view field, int64_t fallback) {
  const std::string text = config.text(field);
  if (text.empty()) return fallback;
  int64_t count = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end.ptr);
  const std::pair<std::string_view, int64_t> units[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (const auto& [name, millis] : units) {
    if (unit == name && count >= 0 && count < INT64_MAX / millis) return count * millis;
  }
  return fallback;
}

uint64_t count_of(const flow::Config& config, std::string_view field, uint64_t fallback) {
  const std::string text = config.text(field);
  uint64_t count = fallback;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count == 0 ? fallback : count;
}

// 2026-01-01 or 2026-01-01T00:00:00Z; nullopt otherwise.
std::optional<Millis> start_of(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  char rest = 0;
  const int found = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c", &year, &month, &day,
                                &hour, &minute, &second, &rest);
  if (found != 3 && (found != 7 || rest != 'Z')) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Millis{((days * 24 + hour) * 60 + minute) * 60'000 + second * 1'000};
}

Result<std::map<std::string, Hint>> hints_of(const flow::Config& config) {
  std::map<std::string, Hint> hints;
  const yaml::Node* mapping = config.find("generate");
  if (mapping == nullptr) return hints;
  for (const auto& [name, value] : mapping->entries) {
    if (value.kind == yaml::NodeKind::sequence) {
      for (const yaml::Node& item : value.items) hints[name.text].choices.push_back(item.text);
    } else if (const auto range = range_hint(value.text)) {
      hints[name.text] = *range;
    } else {
      return fail(Code::P301, fmt::format("\"{}\" is neither a range nor a list", value.text))
          .at(config.place(value))
          .cure("write 0..1000 for numbers, [a, b] for texts");
    }
  }
  return hints;
}

}  // namespace

Result<std::unique_ptr<PacedSource>> open_producer(std::string_view part, const std::string& name,
                                                   const flow::Config& config,
                                                   const flow::TableVersion* meters,
                                                   avro::SchemaPtr schema, avro::Framing framing,
                                                   const Clock& clock) {
  const uint64_t seed = count_of(config, "seed", 1);
  const int64_t every = duration_millis(config, "every", 1'000);
  if (part == "generate") {
    PENSTOCK_TRY(hints, hints_of(config));
    PENSTOCK_TRY(maker, Generator::make(schema, std::move(hints), seed));
    return std::make_unique<PacedSource>("meter:" + name, std::move(maker), schema, framing,
                                         Pace{count_of(config, "clients", 1), every}, clock);
  }
  if (meters == nullptr)
    return fail(Code::P308, "the producer names no table of meters").at(config.place("meters"));
  MeterSourceSpec spec;
  spec.producer = name;
  PENSTOCK_TRY(known, meters_of(*meters));
  spec.meters = std::move(known);
  spec.schema = std::move(schema);
  spec.framing = framing;
  spec.seed = seed;
  spec.every_millis = every;
  spec.reading_millis = duration_millis(config, "reading", 900'000);
  if (const std::string start = config.text("start"); !start.empty()) {
    const auto at = start_of(start);
    if (!at)
      return fail(Code::P301, fmt::format("\"{}\" is no time", start)).at(config.place("start"));
    spec.start = *at;
  }
  return open_meters(std::move(spec), clock);
}

std::vector<flow::PartSpec> part_specs() {
  using flow::FieldType;
  const flow::FieldSpec to{.name = "to",
                           .type = FieldType::topic,
                           .required = true,
                           .doc = "The topic that the records go to.",
                           .example = "ingest"};
  const flow::FieldSpec every{.name = "every",
                              .type = FieldType::duration,
                              .fallback = "1s",
                              .unit = "ms",
                              .doc = "How often each meter or client sends.",
                              .example = "1s"};
  const flow::FieldSpec seed{.name = "seed",
                             .type = FieldType::count,
                             .fallback = "1",
                             .doc = "Another seed, other values.",
                             .example = "7"};
  flow::PartSpec meters;
  meters.kind = flow::PartKind::source;
  meters.name = "meters";
  meters.doc = "Simulated meters: a plausible reading of each, at an accelerated pace.";
  meters.guarantee = "Exactly once: the reading at a position is always the same.";
  meters.fields = {
      to,
      {.name = "meters",
       .type = FieldType::table,
       .required = true,
       .doc = "The table of meters: meter_id, and tariff and rated_kw where it has them.",
       .example = "meters"},
      {.name = "reading",
       .type = FieldType::duration,
       .fallback = "15m",
       .unit = "ms",
       .doc = "Event time between two readings of a meter.",
       .example = "15m"},
      every,
      {.name = "start",
       .type = FieldType::text,
       .fallback = "2026-01-01T00:00:00Z",
       .doc = "Event time of the first reading.",
       .example = "2026-01-01T00:00:00Z"},
      seed};
  flow::PartSpec generate;
  generate.kind = flow::PartKind::source;
  generate.name = "generate";
  generate.doc = "Clients that send random records of the topic's schema.";
  generate.guarantee = meters.guarantee;
  generate.fields = {to,
                     every,
                     {.name = "clients",
                      .type = FieldType::count,
                      .fallback = "1",
                      .doc = "How many records are sent each time.",
                      .example = "10"},
                     {.name = "generate",
                      .type = FieldType::mapping,
                      .required = true,
                      .doc = "What values fields take: a range of numbers, or a list of texts.",
                      .example = "{id: 0..1000, favorite_color: [red, blue]}"},
                     seed};
  return {std::move(meters), std::move(generate)};
}

}  // namespace penstock::meter
