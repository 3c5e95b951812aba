#include "meter/generate.h"

#include "avro/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <utility>

namespace penstock::meter {
namespace {

constexpr uint32_t kDepthWithoutItems = 8;

double number(const Hint* hint, Random& random) {
  const double low = hint != nullptr && hint->low ? *hint->low : 0.0;
  const double high = hint != nullptr && hint->high ? *hint->high : 100.0;
  return low + random.unit() * (high - low);
}

int64_t whole(const avro::Node& type, const Hint* hint, Random& random) {
  if (type.logical != avro::Logical::none && (hint == nullptr || !hint->low)) {
    // 2026, in the type's own unit; small enough for dates and times of day to be what they say.
    return type.type == avro::Type::int_
               ? static_cast<int64_t>(random.below(20'000))
               : 1'767'225'600'000 + static_cast<int64_t>(random.below(31'536'000'000));
  }
  const double low = hint != nullptr && hint->low ? std::ceil(*hint->low) : 0.0;
  const double high = hint != nullptr && hint->high ? std::floor(*hint->high) : 100.0;
  const auto first = static_cast<int64_t>(low);
  return first + static_cast<int64_t>(random.below(static_cast<uint64_t>(high - low) + 1));
}

std::string word(Random& random) {
  static constexpr std::string_view kParts[] = {"al", "be", "ca", "di", "el", "fa", "go", "ha"};
  std::string out;
  for (int i = 0; i < 3; ++i) out += kParts[random.below(8)];
  return out;
}

void append_float(double value, std::string& out) {
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

void append_text(const Hint* hint, Random& random, std::string& out) {
  if (hint == nullptr || hint->choices.empty()) {
    avro::append_bytes(word(random), out);
  } else {
    avro::append_bytes(hint->choices[random.below(hint->choices.size())], out);
  }
}

void append_items(const avro::Node& type, Random& random, std::string& out, uint32_t depth) {
  const int64_t count = depth >= kDepthWithoutItems ? 0 : static_cast<int64_t>(random.below(4));
  if (count > 0) avro::append_long(count, out);
  for (int64_t i = 0; i < count; ++i) {
    if (type.type == avro::Type::map) avro::append_bytes(fmt::format("k{}", i), out);
    append_random(*type.items, nullptr, random, out, depth + 1);
  }
  avro::append_long(0, out);
}

void append_branch(const avro::Node& type, const Hint* hint, Random& random, std::string& out,
                   uint32_t depth) {
  size_t branch = random.below(type.branches.size());
  for (size_t i = 0; depth >= kDepthWithoutItems && i < type.branches.size(); ++i) {
    if (type.branches[i]->type == avro::Type::null_) branch = i;
  }
  avro::append_long(static_cast<int64_t>(branch), out);
  append_random(*type.branches[branch], hint, random, out, depth + 1);
}

// A record that can only hold itself has no finite value.
bool finite(const avro::Node& type, uint32_t depth) {
  if (depth > 16) return false;
  for (const avro::Field& field : type.fields) {
    if (!finite(*field.type, depth + 1)) return false;
  }
  if (type.type != avro::Type::union_) return true;
  return std::all_of(type.branches.begin(), type.branches.end(), [&](const avro::Node* branch) {
    return finite(*branch, depth + 1) || type.nullable_branch() != nullptr;
  });
}

}  // namespace

void append_random(const avro::Node& type, const Hint* hint, Random& random, std::string& out,
                   uint32_t depth) {
  using avro::Type;
  switch (type.type) {
    case Type::null_:
      return;
    case Type::boolean:
      out.push_back(static_cast<char>(random.below(2)));
      return;
    case Type::int_:
    case Type::long_:
      return avro::append_long(whole(type, hint, random), out);
    case Type::float_:
      return append_float(number(hint, random), out);
    case Type::double_:
      return avro::append_double(number(hint, random), out);
    case Type::bytes:
    case Type::string:
      return append_text(hint, random, out);
    case Type::enum_:
      return avro::append_long(static_cast<int64_t>(random.below(type.symbols.size())), out);
    case Type::fixed:
      for (uint32_t i = 0; i < type.size_bytes; ++i)
        out.push_back(static_cast<char>(random.next()));
      return;
    case Type::record:
      for (const avro::Field& field : type.fields)
        append_random(*field.type, nullptr, random, out, depth + 1);
      return;
    case Type::array:
    case Type::map:
      return append_items(type, random, out, depth);
    case Type::union_:
      return append_branch(type, hint, random, out, depth);
  }
}

std::optional<Hint> range_hint(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == text.npos) return std::nullopt;
  const auto parse = [](std::string_view part) -> std::optional<double> {
    double value = 0.0;
    const auto end = std::from_chars(part.data(), part.data() + part.size(), value);
    const bool good = end.ec == std::errc() && end.ptr == part.data() + part.size();
    return good && std::abs(value) <= 1e15 ? std::optional(value) : std::nullopt;
  };
  Hint hint{parse(text.substr(0, dots)), parse(text.substr(dots + 2)), {}};
  if (!hint.low || !hint.high || *hint.low > *hint.high) return std::nullopt;
  return hint;
}

Result<std::unique_ptr<Generator>> Generator::make(avro::SchemaPtr schema,
                                                   std::map<std::string, Hint> hints,
                                                   uint64_t seed) {
  if (schema->root().type != avro::Type::record || !finite(schema->root(), 0))
    return fail(Code::A021, "records cannot be made up for this schema");
  for (const auto& [name, hint] : hints) {
    if (schema->root().field(name) == nullptr)
      return fail(Code::P301, fmt::format("there is no field \"{}\" to generate", name));
    if (hint.low && std::floor(*hint.high) < std::ceil(*hint.low))
      return fail(Code::P301, fmt::format("there is no whole number in the range of \"{}\"", name));
  }
  return std::unique_ptr<Generator>(new Generator(std::move(schema), std::move(hints), seed));
}

void Generator::append(int64_t offset, std::string& out) const {
  Random random(mix(seed_ ^ mix(static_cast<uint64_t>(offset))));
  for (const avro::Field& field : schema_->root().fields) {
    const auto hint = hints_.find(field.name);
    append_random(*field.type, hint == hints_.end() ? nullptr : &hint->second, random, out, 1);
  }
}

}  // namespace penstock::meter
