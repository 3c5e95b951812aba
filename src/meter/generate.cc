#include "meter/generate.h"

#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace penstock::meter {
namespace {

constexpr double kHintMax = 1e15;

Failure wrong_hint(std::string_view field, const std::string& what) {
  return fail("M001"_code, fmt::format("\"{}\": {}", field, what));
}

Result<void> check_range(const avro::Field& field, const avro::Node& type, const Hint& hint) {
  using avro::Type;
  if (type.type == Type::float_ || type.type == Type::double_) return {};
  if (type.type != Type::int_ && type.type != Type::long_) {
    return wrong_hint(
        field.name, fmt::format("a range of numbers does not fit {}", avro::describe(*field.type)));
  }
  const double first = std::ceil(*hint.low), last = std::floor(*hint.high);
  if (first > last) return wrong_hint(field.name, "there is no whole number in the range");
  if (type.type == Type::int_ && (first < INT32_MIN || last > INT32_MAX))
    return wrong_hint(field.name, "an int is -2147483648 to 2147483647");
  return {};
}

Result<void> check_choices(const avro::Field& field, const avro::Node& type, const Hint& hint) {
  using avro::Type;
  if (hint.choices.empty()) return wrong_hint(field.name, "the list is empty");
  if (type.type == Type::string && type.logical == avro::Logical::none) return {};
  if (type.type != Type::enum_)
    return wrong_hint(field.name,
                      fmt::format("a list of texts does not fit {}", avro::describe(*field.type)));
  const std::vector<std::string_view> symbols(type.symbols.begin(), type.symbols.end());
  for (const std::string& choice : hint.choices) {
    if (std::find(symbols.begin(), symbols.end(), choice) == symbols.end())
      return wrong_hint(field.name, fmt::format("\"{}\" is none of its symbols", choice))
          .hint(did_you_mean(choice, symbols));
  }
  return {};
}

std::optional<double> number_of(std::string_view text) {
  double value = 0.0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole_text = end.ec == std::errc() && end.ptr == text.data() + text.size();
  return whole_text && std::abs(value) <= kHintMax ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<void> check_hint(const avro::Schema& schema, const std::string& name, const Hint& hint) {
  const avro::Node& root = schema.root();
  const avro::Field* field = root.field(name);
  if (field == nullptr) {
    std::vector<std::string_view> names;
    for (const avro::Field& known : root.fields) names.push_back(known.name);
    return wrong_hint(name, "there is no such field to generate").hint(did_you_mean(name, names));
  }
  const avro::Node* inner = field->type->nullable_branch();
  const avro::Node& type = inner != nullptr ? *inner : *field->type;
  return hint.low ? check_range(*field, type, hint) : check_choices(*field, type, hint);
}

std::optional<Hint> range_hint(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == text.npos) return std::nullopt;
  Hint hint{number_of(text.substr(0, dots)), number_of(text.substr(dots + 2)), {}};
  if (!hint.low || !hint.high || *hint.low > *hint.high) return std::nullopt;
  return hint;
}

Result<std::unique_ptr<Generator>> Generator::make(avro::SchemaPtr schema,
                                                   std::map<std::string, Hint> hints,
                                                   uint64_t seed) {
  if (schema->root().type != avro::Type::record)
    return fail("M002"_code, "the topic's schema is not a record");
  for (const auto& [name, hint] : hints) PENSTOCK_TRY_VOID(check_hint(*schema, name, hint));
  PENSTOCK_TRY(datums, RandomDatum::make(schema));
  return std::unique_ptr<Generator>(
      new Generator(std::move(schema), std::move(datums), hints, seed));
}

Generator::Generator(avro::SchemaPtr schema, RandomDatum datums,
                     const std::map<std::string, Hint>& hints, uint64_t seed)
    : schema_(std::move(schema)), datums_(std::move(datums)), seed_(seed) {
  for (const avro::Field& field : schema_->root().fields) {
    const auto hint = hints.find(field.name);
    hints_.push_back(hint == hints.end() ? std::nullopt : std::optional(hint->second));
  }
}

void Generator::append(int64_t offset, std::string& out) const {
  Random random(mix(seed_ ^ mix(static_cast<uint64_t>(offset))));
  const std::vector<avro::Field>& fields = schema_->root().fields;
  for (size_t i = 0; i < fields.size(); ++i)
    datums_.append(*fields[i].type, hints_[i] ? &*hints_[i] : nullptr, random, out);
}

}  // namespace penstock::meter
