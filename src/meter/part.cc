#include "avro/time_text.h"
#include "flow/config_values.h"
#include "meter/generate.h"
#include "meter/meter_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::meter {
namespace {

// What stands in the file was checked by plan/; the fallback when it is absent.
int64_t millis_of(const flow::Config& config, std::string_view field, int64_t fallback) {
  return flow::duration_millis(config.text(field)).value_or(fallback);
}

int64_t count_of(const flow::Config& config, std::string_view field, int64_t fallback) {
  return flow::count_value(config.text(field)).value_or(fallback);
}

// 2026-01-01, or a time with its offset.
Result<Millis> start_of(const flow::Config& config) {
  const std::string text = config.text("start");
  if (const auto days = avro::parse_date(text)) return Millis{*days * 86'400'000};
  if (const auto at = avro::parse_rfc3339(text))
    return Millis{at->seconds * 1'000 + at->nanos / 1'000'000};
  return fail("M001"_code, fmt::format("\"{}\" is no time", text))
      .at(config.place("start"))
      .cure("write a day, 2026-01-01, or a time with its offset, 2026-01-01T00:00:00Z");
}

Error at(Place place, Error error) {
  error.place = std::move(place);
  return error;
}

Result<std::map<std::string, Hint>> hints_of(const flow::Config& config,
                                             const avro::Schema& schema) {
  std::map<std::string, Hint> hints;
  const yaml::Node* mapping = config.find("generate");
  if (mapping == nullptr) return hints;
  for (const auto& [name, value] : mapping->entries) {
    if (schema.root().type != avro::Type::record) break;  // M002 follows
    if (value.kind == yaml::NodeKind::sequence) {
      for (const yaml::Node& item : value.items) hints[name.text].choices.push_back(item.text);
    } else if (const auto range = range_hint(value.text)) {
      hints[name.text] = *range;
    } else {
      return fail("M001"_code, fmt::format("\"{}\" is neither a range nor a list", value.text))
          .at(config.place(value))
          .cure("write 0..1000 for numbers, [a, b] for texts");
    }
    auto fits = check_hint(schema, name.text, hints[name.text]);
    if (fits) continue;
    const bool unknown = schema.root().field(name.text) == nullptr;
    return std::unexpected(at(config.place(unknown ? name : value), std::move(fits).error()));
  }
  return hints;
}

}  // namespace

Result<std::unique_ptr<PacedSource>> open_producer(std::string_view part, const std::string& name,
                                                   const flow::Config& config,
                                                   const flow::TableVersion* meters,
                                                   avro::SchemaPtr schema, avro::Framing framing,
                                                   const Clock& clock) {
  const auto seed = static_cast<uint64_t>(count_of(config, "seed", 1));
  const int64_t every = millis_of(config, "every", 1'000);
  if (part == "generate") {
    PENSTOCK_TRY(hints, hints_of(config, *schema));
    const auto clients =
        static_cast<uint64_t>(std::max<int64_t>(1, count_of(config, "clients", 1)));
    auto made = Generator::make(schema, std::move(hints), seed);
    if (!made) return std::unexpected(at(config.place("generate"), std::move(made).error()));
    return std::make_unique<PacedSource>("meter:" + name, *std::move(made), schema, framing,
                                         Pace{clients, every}, clock);
  }
  if (meters == nullptr)
    return fail("M004"_code, "the producer names no table of meters").at(config.place("meters"));
  MeterSourceSpec spec;
  spec.producer = name;
  PENSTOCK_TRY(known, meters_of(*meters));
  spec.meters = std::move(known);
  spec.schema = std::move(schema);
  spec.framing = framing;
  spec.seed = seed;
  spec.every_millis = every;
  spec.reading_millis = millis_of(config, "reading", 900'000);
  if (config.find("start") != nullptr) {
    PENSTOCK_TRY(start, start_of(config));
    spec.start = start;
  }
  auto source = open_meters(std::move(spec), clock);
  if (!source) return std::unexpected(at(config.place("to"), std::move(source).error()));
  return source;
}

Result<void> check_producer(std::string_view part, const flow::Config& config,
                            const avro::SchemaPtr& schema) {
  if (part == "generate") {
    PENSTOCK_TRY(hints, hints_of(config, *schema));
    auto made = Generator::make(schema, std::move(hints), 1);
    if (!made) return std::unexpected(at(config.place("to"), std::move(made).error()));
    return {};
  }
  if (config.find("start") != nullptr) PENSTOCK_TRY_VOID(start_of(config));
  if (auto fits = check_readings(*schema); !fits)
    return std::unexpected(at(config.place("to"), std::move(fits).error()));
  return {};
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
