#include "meter/random_datum.h"

#include "avro/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace penstock::meter {
namespace {

constexpr uint64_t kLeastBytesMax = 64 << 10;
constexpr uint64_t kEndless = UINT64_MAX / 4;
constexpr size_t kGrownBytesMax = 64 << 10;
constexpr uint32_t kDepthWithoutItems = 8;
constexpr int64_t kMillisOf2026 = 1'767'225'600'000;
constexpr int64_t kDayOf2026 = 20'454;
constexpr uint64_t kDaysOfYear = 365;
constexpr uint64_t kMillisOfDay = 86'400'000;

double number(const Hint* hint, Random& random) {
  const double low = hint != nullptr && hint->low ? *hint->low : 0.0;
  const double high = hint != nullptr && hint->high ? *hint->high : 100.0;
  return std::min(low + random.unit() * (high - low), high);
}

int64_t moment(int64_t per_milli, Random& random) {
  return (kMillisOf2026 + static_cast<int64_t>(random.below(kDaysOfYear * kMillisOfDay))) *
         per_milli;
}

int64_t whole(const avro::Node& type, const Hint* hint, Random& random) {
  if (hint != nullptr && hint->low) {
    const auto first = static_cast<int64_t>(std::ceil(*hint->low));
    const auto last = static_cast<int64_t>(std::floor(*hint->high));
    return first + static_cast<int64_t>(random.below(static_cast<uint64_t>(last - first) + 1));
  }
  switch (type.logical) {
    case avro::Logical::date:
      return kDayOf2026 + static_cast<int64_t>(random.below(kDaysOfYear));
    case avro::Logical::time_millis:
      return static_cast<int64_t>(random.below(kMillisOfDay));
    case avro::Logical::time_micros:
      return static_cast<int64_t>(random.below(kMillisOfDay * 1'000));
    case avro::Logical::timestamp_millis:
    case avro::Logical::local_timestamp_millis:
      return moment(1, random);
    case avro::Logical::timestamp_micros:
    case avro::Logical::local_timestamp_micros:
      return moment(1'000, random);
    case avro::Logical::timestamp_nanos:
    case avro::Logical::local_timestamp_nanos:
      return moment(1'000'000, random);
    default:
      return static_cast<int64_t>(random.below(101));
  }
}

std::string word(Random& random) {
  static constexpr std::string_view kParts[] = {"al", "be", "ca", "di", "el", "fa", "go", "ha"};
  std::string out;
  for (int i = 0; i < 3; ++i) out += kParts[random.below(8)];
  return out;
}

std::string uuid(Random& random) {
  const uint64_t high = (random.next() & ~0xf000ULL) | 0x4000;
  const uint64_t low = (random.next() >> 2) | 1ULL << 63;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffff'ffff'ffff);
}

void append_float(double value, std::string& out) {
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

// Two bytes at most, within the precision and the size.
std::string unscaled(const avro::Node& type, size_t size_bytes, Random& random) {
  const uint64_t most = type.precision >= 5 ? 32'767 : type.precision == 4 ? 9'999 : 9;
  const uint64_t value = random.below((size_bytes < 2 ? std::min<uint64_t>(most, 127) : most) + 1);
  std::string out(size_bytes, '\0');
  if (size_bytes > 0) out[size_bytes - 1] = static_cast<char>(value);
  if (size_bytes > 1) out[size_bytes - 2] = static_cast<char>(value >> 8);
  return out;
}

void append_text(const avro::Node& type, const Hint* hint, Random& random, std::string& out) {
  if (hint != nullptr && !hint->choices.empty())
    return avro::append_bytes(hint->choices[random.below(hint->choices.size())], out);
  if (type.logical == avro::Logical::uuid) return avro::append_bytes(uuid(random), out);
  if (type.logical == avro::Logical::decimal)
    return avro::append_bytes(unscaled(type, 2, random), out);
  if (type.logical != avro::Logical::big_decimal) return avro::append_bytes(word(random), out);
  std::string decimal;  // the unscaled value as bytes, then the scale
  avro::append_bytes(std::string(1, static_cast<char>(random.below(128))), decimal);
  avro::append_long(1, decimal);
  avro::append_bytes(decimal, out);
}

void append_fixed(const avro::Node& type, Random& random, std::string& out) {
  if (type.logical == avro::Logical::decimal) {
    out += unscaled(type, type.size_bytes, random);
    return;
  }
  for (uint32_t i = 0; i < type.size_bytes; ++i) out.push_back(static_cast<char>(random.next()));
}

void append_symbol(const avro::Node& type, const Hint* hint, Random& random, std::string& out) {
  if (hint == nullptr || hint->choices.empty())
    return avro::append_long(static_cast<int64_t>(random.below(type.symbols.size())), out);
  const std::string& symbol = hint->choices[random.below(hint->choices.size())];
  const auto found = std::find(type.symbols.begin(), type.symbols.end(), symbol);
  avro::append_long(found - type.symbols.begin(), out);
}

void collect(const avro::Node& type, std::vector<const avro::Node*>& nodes,
             std::vector<bool>& seen) {
  if (seen[type.id]) return;
  seen[type.id] = true;
  nodes.push_back(&type);
  for (const avro::Field& field : type.fields) collect(*field.type, nodes, seen);
  for (const avro::Node* branch : type.branches) collect(*branch, nodes, seen);
  if (type.items != nullptr) collect(*type.items, nodes, seen);
}

}  // namespace

Result<RandomDatum> RandomDatum::make(avro::SchemaPtr schema) {
  RandomDatum datums(std::move(schema));
  datums.measure();
  const uint64_t least = datums.least_bytes_[datums.schema_->root().id];
  if (least <= kLeastBytesMax) return datums;
  return fail("M002"_code, least >= kEndless ? "a record of this schema holds itself without end"
                                             : "a record of this schema has more than 64 KiB");
}

// The least fixed point: sizes fall from "endless" until none falls any more.
void RandomDatum::measure() {
  std::vector<const avro::Node*> nodes;
  std::vector<bool> seen(schema_->node_count());
  collect(schema_->root(), nodes, seen);
  least_bytes_.assign(schema_->node_count(), kEndless);
  bool changed = true;
  while (changed) {
    changed = false;
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
      const uint64_t least = std::min(least_of(**node), kEndless);
      changed = changed || least != least_bytes_[(*node)->id];
      least_bytes_[(*node)->id] = least;
    }
  }
}

uint64_t RandomDatum::least_of(const avro::Node& type) const {
  uint64_t sum = 0;
  switch (type.type) {
    case avro::Type::null_:
      return 0;
    case avro::Type::record:
      for (const avro::Field& field : type.fields)
        sum = std::min(kEndless, sum + least_bytes_[field.type->id]);
      return sum;
    case avro::Type::union_:
      sum = kEndless;
      for (const avro::Node* branch : type.branches)
        sum = std::min(sum, 1 + least_bytes_[branch->id]);
      return sum;
    case avro::Type::fixed:
      return type.size_bytes;
    case avro::Type::enum_:
      return type.symbols.empty() ? kEndless : 1;
    default:
      return 1;
  }
}

void RandomDatum::append(const avro::Node& type, const Hint* hint, Random& random,
                         std::string& out) const {
  append(type, hint, random, {0, out.size() + kGrownBytesMax}, out);
}

void RandomDatum::append(const avro::Node& type, const Hint* hint, Random& random, Growth growth,
                         std::string& out) const {
  using avro::Type;
  ++growth.depth;
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
      return append_text(type, hint, random, out);
    case Type::enum_:
      return append_symbol(type, hint, random, out);
    case Type::fixed:
      return append_fixed(type, random, out);
    case Type::record:
      for (const avro::Field& field : type.fields)
        append(*field.type, nullptr, random, growth, out);
      return;
    case Type::array:
    case Type::map:
      return append_items(type, random, growth, out);
    case Type::union_:
      return append_branch(type, hint, random, growth, out);
  }
}

void RandomDatum::append_items(const avro::Node& type, Random& random, Growth growth,
                               std::string& out) const {
  const bool grows = growth.depth < kDepthWithoutItems && out.size() < growth.end &&
                     least_bytes_[type.items->id] <= kLeastBytesMax;
  const int64_t count = grows ? static_cast<int64_t>(random.below(4)) : 0;
  if (count > 0) avro::append_long(count, out);
  for (int64_t i = 0; i < count; ++i) {
    if (type.type == avro::Type::map) avro::append_bytes(fmt::format("k{}", i), out);
    append(*type.items, nullptr, random, growth, out);
  }
  avro::append_long(0, out);
}

// Where it must not grow any more: the smallest branch. A branch is smaller than its union, so this
// comes to an end.
void RandomDatum::append_branch(const avro::Node& type, const Hint* hint, Random& random,
                                Growth growth, std::string& out) const {
  const auto least = [&](const avro::Node* branch) { return least_bytes_[branch->id]; };
  size_t branch = random.below(type.branches.size());
  const bool grows = growth.depth < kDepthWithoutItems && out.size() < growth.end;
  if (!grows || least(type.branches[branch]) > kLeastBytesMax)
    branch = static_cast<size_t>(std::ranges::min_element(type.branches, {}, least) -
                                 type.branches.begin());
  avro::append_long(static_cast<int64_t>(branch), out);
  append(*type.branches[branch], hint, random, growth, out);
}

}  // namespace penstock::meter
