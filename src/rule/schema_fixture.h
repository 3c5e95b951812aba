// schema_fixture.h — record schemas drawn at random, and datums of them with the values that hurt.
//
// Thread      one test or fuzz target.
//
//     Schemas schemas(random);
//     const avro::SchemaPtr schema = schemas.record(12);
//     append_random(schema->root(), random, datum);
#pragma once

#include "avro/schema.h"
#include "avro/write.h"
#include "base/check.h"
#include "base/random.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>

namespace penstock::rule {

class Schemas {
 public:
  explicit Schemas(Random& random) : random_(random) {}

  avro::SchemaPtr record(int fields) {
    made_ = 0;
    auto schema = avro::parse(record_text(fields, 2));
    PENSTOCK_CHECK(schema.has_value());
    return *schema;
  }

 private:
  std::string record_text(int fields, int depth) {
    std::string text = fmt::format(R"({{"type":"record","name":"R{}","fields":[)", made_++);
    for (int i = 0; i < fields; i++)
      text += fmt::format(R"({}{{"name":"f{}","type":{}}})", i == 0 ? "" : ",", i, type(depth));
    return text + "]}";
  }

  std::string type(int depth) {
    if (random_.chance(0.3)) return R"(["null",)" + plain(depth) + "]";
    if (random_.chance(0.05)) return "[" + plain(depth) + R"(,"null"])";
    if (random_.chance(0.04)) return R"(["null","long","string"])";
    return plain(depth);
  }

  std::string plain(int depth) {
    if (depth > 0 && random_.chance(0.35)) return nested(depth);
    static constexpr std::string_view kTypes[] = {
        R"("boolean")",
        R"("int")",
        R"("long")",
        R"("float")",
        R"("double")",
        R"("string")",
        R"("bytes")",
        R"({"type":"int","logicalType":"date"})",
        R"({"type":"int","logicalType":"time-millis"})",
        R"({"type":"long","logicalType":"time-micros"})",
        R"({"type":"long","logicalType":"timestamp-millis"})",
        R"({"type":"long","logicalType":"timestamp-micros"})",
        R"({"type":"long","logicalType":"timestamp-nanos"})",
        R"({"type":"long","logicalType":"local-timestamp-micros"})",
        R"({"type":"bytes","logicalType":"decimal","precision":18,"scale":3})",
        R"({"type":"string","logicalType":"uuid"})"};
    const uint64_t drawn = random_.below(std::size(kTypes) + 2);
    if (drawn < std::size(kTypes)) return std::string(kTypes[drawn]);
    if (drawn == std::size(kTypes))
      return fmt::format(R"({{"type":"enum","name":"E{}","symbols":["off","on","m1"]}})", made_++);
    return fmt::format(R"({{"type":"fixed","name":"X{}","size":3}})", made_++);
  }

  std::string nested(int depth) {
    switch (random_.below(3)) {
      case 0:
        return R"({"type":"array","items":)" + type(depth - 1) + "}";
      case 1:
        return R"({"type":"map","values":)" + type(depth - 1) + "}";
      default:
        return record_text(3, depth - 1);
    }
  }

  Random& random_;
  int made_ = 0;
};

inline int64_t random_whole(Random& random, bool small) {
  static constexpr std::array<int64_t, 6> kWholes = {0, 1, -1, 2, 3, 7};
  if (random.chance(0.6)) return kWholes[random.below(kWholes.size())];
  const auto drawn = static_cast<int64_t>(random.next());
  if (small) return random.chance(0.3) ? INT32_MIN : static_cast<int32_t>(drawn);
  return random.chance(0.3) ? INT64_MIN : (random.chance(0.4) ? INT64_MAX : drawn);
}

inline double random_real(Random& random) {
  static constexpr std::array<double, 8> kReals = {0.0,
                                                   -0.0,
                                                   1.5,
                                                   -1.0,
                                                   1e300,
                                                   9.3e18,
                                                   std::numeric_limits<double>::quiet_NaN(),
                                                   std::numeric_limits<double>::infinity()};
  return random.chance(0.7) ? kReals[random.below(kReals.size())] : random.unit() * 100;
}

inline std::string_view random_text(Random& random) {
  static constexpr std::array<std::string_view, 10> kTexts = {
      "", "m1", "m17", "ä", "-12", "é€", "1.5", "true", "2026-01-31T12:00:00Z", "aGk="};
  return kTexts[random.below(kTexts.size())];
}

inline void append_whole(const avro::Node& node, Random& random, std::string& out) {
  const bool small = node.type == avro::Type::int_;
  if (node.logical == avro::Logical::none || random.chance(0.1))
    return avro::append_long(random_whole(random, small), out);
  avro::append_long(static_cast<int64_t>(random.below(small ? 80'000 : 1'700'000'000'000)), out);
}

inline void append_random(const avro::Node& node, Random& random, std::string& out);

inline void append_items(const avro::Node& node, Random& random, std::string& out) {
  static constexpr std::array<std::string_view, 3> kKeys = {"a", "m1", "é"};
  const uint64_t count = random.below(4);
  if (count > 0) avro::append_long(static_cast<int64_t>(count), out);
  for (uint64_t i = 0; i < count; i++) {
    if (node.type == avro::Type::map) avro::append_bytes(kKeys[i], out);
    append_random(*node.items, random, out);
  }
  avro::append_long(0, out);
}

// A float's four bytes; its value is exact or not as it comes.
inline void append_single(double value, std::string& out) {
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

inline void append_random(const avro::Node& node, Random& random, std::string& out) {
  switch (node.type) {
    case avro::Type::null_:
      return;
    case avro::Type::boolean:
      out.push_back(random.chance(0.5) ? 1 : 0);
      return;
    case avro::Type::int_:
    case avro::Type::long_:
      return append_whole(node, random, out);
    case avro::Type::float_:
      return append_single(random.chance(0.5) ? 0.5 : random_real(random) / 1e270, out);
    case avro::Type::double_:
      return avro::append_double(random_real(random), out);
    case avro::Type::string:
      return avro::append_bytes(random_text(random), out);
    case avro::Type::bytes:
      return avro::append_bytes(
          std::string_view("\x01\xff\x80zz\x00\x05\x7f", 8).substr(random.below(9)), out);
    case avro::Type::fixed:
      return (void)out.append(node.size_bytes, static_cast<char>(random.next()));
    case avro::Type::enum_:
      return avro::append_long(static_cast<int64_t>(random.below(node.symbols.size())), out);
    case avro::Type::array:
    case avro::Type::map:
      return append_items(node, random, out);
    case avro::Type::record:
      for (const avro::Field& field : node.fields) append_random(*field.type, random, out);
      return;
    case avro::Type::union_: {
      const uint64_t branch = random.below(node.branches.size());
      avro::append_long(static_cast<int64_t>(branch), out);
      return append_random(*node.branches[branch], random, out);
    }
  }
}

}  // namespace penstock::rule
