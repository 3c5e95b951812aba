// The step that is known and not built: window. What it makes of a record is known here, so that
// check and plan prove a whole file; running it is refused as U004 before a record is read.
#include "app/parts.h"
#include "base/check.h"
#include "base/suggest.h"
#include "rule/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::app {
namespace {

using flow::FieldType;

class NotBuilt final : public flow::Step {
 public:
  void apply(row::Batch&, flow::StepContext&) override {
    PENSTOCK_CHECK(false && "a step that is not built was run");
  }
};

const avro::Node& without_null(const avro::Node& type) {
  const avro::Node* branch = type.nullable_branch();
  return branch == nullptr ? type : *branch;
}

bool is_timestamp(const avro::Node& type) {
  switch (type.logical) {
    case avro::Logical::timestamp_millis:
    case avro::Logical::timestamp_micros:
    case avro::Logical::timestamp_nanos:
      return true;
    default:
      return false;
  }
}

Result<const flow::Shape::Field*> find_field(const flow::Config& config, const yaml::Node& name,
                                             const flow::Shape& shape) {
  if (const auto* field = shape.field(name.text); field != nullptr) return field;
  std::vector<std::string_view> names;
  for (const auto& field : shape.fields()) names.push_back(field.name);
  return fail("P301"_code, fmt::format("the record has no field \"{}\" here", name.text))
      .at(config.place(name))
      .hint(did_you_mean(name.text, names));
}

// `by` names fields of the record, `at` one that is a time.
Result<std::vector<std::string>> check_group(const flow::Config& config, const flow::Shape& shape) {
  std::vector<std::string> by;
  for (const yaml::Node* name : config.list("by")) {
    PENSTOCK_TRY(field, find_field(config, *name, shape));
    by.push_back(field->name);
  }
  const yaml::Node& at = *config.find("at");
  PENSTOCK_TRY(time, find_field(config, at, shape));
  if (!is_timestamp(without_null(*time->type))) {
    return fail("P309"_code, fmt::format("\"{}\" is {}", at.text, avro::describe(*time->type)))
        .at(config.place(at));
  }
  return by;
}

// ---- window

constexpr std::array<std::string_view, 7> kAggregates = {"sum",   "max",   "min", "avg",
                                                         "count", "first", "last"};

bool is_number(const avro::Node& type) {
  if (type.logical != avro::Logical::none) return false;
  switch (type.type) {
    case avro::Type::int_:
    case avro::Type::long_:
    case avro::Type::float_:
    case avro::Type::double_:
      return true;
    default:
      return false;
  }
}

bool has_order(const avro::Node& type) {
  return is_number(type) || type.type == avro::Type::long_ || type.type == avro::Type::int_ ||
         type.type == avro::Type::string;
}

// What an aggregate of values of this type is; null when it takes no such values. Nulls are left
// out, so of values that may be null the result may be null (but a count).
avro::SchemaPtr aggregate_type(std::string_view aggregate, const avro::SchemaPtr& values) {
  const avro::Node& root = values->root();
  const avro::Node& type = without_null(root);
  if (aggregate == "count") return avro::primitive(avro::Type::long_);
  if (aggregate == "first" || aggregate == "last") return values;
  if (aggregate == "max" || aggregate == "min") return has_order(type) ? values : nullptr;
  if (!is_number(type)) return nullptr;
  const bool whole = type.type == avro::Type::int_ || type.type == avro::Type::long_;
  const avro::SchemaPtr& plain =
      avro::primitive(aggregate == "sum" && whole ? avro::Type::long_ : avro::Type::double_);
  if (&type == &root) return plain;
  auto nullable = avro::nullable(plain->root());
  PENSTOCK_CHECK(nullable.has_value());
  return *nullable;
}

struct Call {
  std::string_view name;
  std::string_view argument;
  uint32_t argument_at = 0;  // bytes before it
};

std::optional<Call> parse_call(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return {};
  Call call{text.substr(0, open), text.substr(open + 1, text.size() - open - 2),
            static_cast<uint32_t>(open + 1)};
  while (call.name.ends_with(' ')) call.name.remove_suffix(1);
  return call;
}

Failure no_aggregate(const flow::Config& config, const yaml::Node& rule, std::string_view name) {
  return fail("P310"_code, fmt::format("\"{}\" is no aggregate", rule.text))
      .at(config.place(rule))
      .hint(did_you_mean(name, kAggregates));
}

Result<avro::SchemaPtr> value_type(const flow::Config& config, const yaml::Node& rule,
                                   const Call& call, const avro::SchemaPtr& record) {
  auto program = rule::Program::compile(call.argument, record);
  auto type = program ? program->result_schema() : std::unexpected(std::move(program).error());
  if (type) return std::move(*type);
  Error error = std::move(type).error();
  const uint32_t column = error.place.line == 1 ? error.place.column : 1;
  error.place = config.document().place_inside(rule, 1, call.argument_at + column,
                                               std::max(1U, error.place.width));
  return std::unexpected(std::move(error));
}

Result<avro::SchemaPtr> aggregate(const flow::Config& config, const yaml::Node& rule,
                                  const avro::SchemaPtr& record) {
  const std::optional<Call> call = parse_call(rule.text);
  if (!call) return no_aggregate(config, rule, rule.text);
  if (std::ranges::find(kAggregates, call->name) == kAggregates.end()) {
    return no_aggregate(config, rule, call->name);
  }
  if (call->name == "count" && call->argument.empty()) return avro::primitive(avro::Type::long_);
  PENSTOCK_TRY(values, value_type(config, rule, *call, record));
  avro::SchemaPtr type = aggregate_type(call->name, values);
  if (type == nullptr) {
    return fail("P311"_code,
                fmt::format("{} takes no {}", call->name, avro::describe(values->root())))
        .at(config.place(rule));
  }
  return type;
}

const avro::SchemaPtr& time_type() {
  static const avro::SchemaPtr type =
      *avro::parse(R"({"type":"long","logicalType":"timestamp-millis"})");
  return type;
}

Result<std::unique_ptr<flow::Step>> make_window(const flow::Config& config, flow::Shape& shape,
                                                flow::MakeContext&) {
  PENSTOCK_TRY(by, check_group(config, shape));
  PENSTOCK_TRY(record, shape.schema());
  std::vector<std::pair<std::string, avro::SchemaPtr>> made = {{"window_start", time_type()},
                                                               {"window_end", time_type()}};
  for (const auto& [name, rule] : config.find("take")->entries) {
    const bool taken = std::ranges::find(by, name.text) != by.end() ||
                       name.text == "window_start" || name.text == "window_end";
    if (taken) {
      return fail("P312"_code, fmt::format("\"{}\" is a field of the window already", name.text))
          .at(config.place(name));
    }
    PENSTOCK_TRY(type, aggregate(config, rule, record));
    made.emplace_back(name.text, std::move(type));
  }
  std::vector<std::string> gone;
  for (const auto& field : shape.fields()) {
    if (std::ranges::find(by, field.name) == by.end()) gone.push_back(field.name);
  }
  for (const std::string& name : gone) shape.unset(name);
  for (auto& [name, type] : made) shape.set(name, type, &type->root(), shape.new_slot());
  return std::make_unique<NotBuilt>();
}

flow::PartSpec window() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "window";
  spec.doc =
      "Groups records by fields and by stretches of event time; one record comes out of each "
      "group.";
  spec.guarantee =
      "Event time and the records decide, not the clock of the machine; a record after its window "
      "is closed becomes a dead letter window.late.";
  spec.fields = {{.name = "every",
                  .type = FieldType::duration,
                  .required = true,
                  .unit = "ms",
                  .doc = "The length of a window.",
                  .example = "1h"},
                 {.name = "at",
                  .type = FieldType::field,
                  .required = true,
                  .doc = "The field that holds the event's time.",
                  .example = "at"},
                 {.name = "late",
                  .type = FieldType::duration,
                  .fallback = "0s",
                  .unit = "ms",
                  .doc = "How long a window waits for records after its end, in event time.",
                  .example = "5m"},
                 {.name = "by",
                  .type = FieldType::fields,
                  .required = true,
                  .doc = "The fields of a group; at least the topic's key.",
                  .example = "[tenant, meter_id]"},
                 {.name = "take",
                  .type = FieldType::rules,
                  .required = true,
                  .doc = "New fields: sum, max, min, avg, first, last of a rule, or count().",
                  .example = "{kwh: sum(kwh), peak_kw: max(kw), readings: count()}"}};
  spec.built = false;
  spec.make = make_window;
  return spec;
}

}  // namespace

std::vector<flow::PartSpec> planned_steps() { return {window()}; }

}  // namespace penstock::app
