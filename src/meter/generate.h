// generate.h — seeded random records of any schema.
//
// Hints narrow a field: `0..1000` a number between both, `[a, b]` one of these texts or symbols. A
// field that may be null takes them too. Without a hint: random_datum.h.
//
// Thread      a Generator is immutable.
// Errors      M001 a hint for a field that is not there, or that its type cannot hold; M002.
//
//     PENSTOCK_TRY(maker, Generator::make(schema, {{"id", {.low = 0, .high = 1000}}}, seed));
#pragma once

#include "base/error.h"
#include "meter/paced_source.h"
#include "meter/random_datum.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::meter {

// "0..1000", "-1.5..2": numbers of at most 1e15; nullopt when the text is no range.
std::optional<Hint> range_hint(std::string_view text);

// M001 when the hint does not fit the field of that name.
Result<void> check_hint(const avro::Schema& schema, const std::string& field, const Hint& hint);

class Generator final : public RecordMaker {
 public:
  static Result<std::unique_ptr<Generator>> make(avro::SchemaPtr schema,
                                                 std::map<std::string, Hint> hints, uint64_t seed);
  void append(int64_t offset, std::string& out) const override;

 private:
  Generator(avro::SchemaPtr schema, RandomDatum datums, const std::map<std::string, Hint>& hints,
            uint64_t seed);
  avro::SchemaPtr schema_;
  RandomDatum datums_;
  std::vector<std::optional<Hint>> hints_;  // by field
  uint64_t seed_;
};

}  // namespace penstock::meter
