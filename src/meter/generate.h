// generate.h — seeded random records of any schema.
//
// Hints narrow a field: `0..1000` a number between both, `[a, b]` one of these texts. Without a
// hint numbers are 0 to 100, texts short words, half of the nullable values null.
//
// Thread      a Generator is immutable.
// Limits      nesting ≤ 16; arrays and maps have up to 3 items, at depth 8 none.
// Errors      P301 a hint for a field that is not there, or of another form.
//
//     PENSTOCK_TRY(maker, Generator::make(schema, {{"id", {.low = 0, .high = 1000}}}, seed));
#pragma once

#include "base/error.h"
#include "base/random.h"
#include "meter/paced_source.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::meter {

struct Hint {
  std::optional<double> low, high;   // a range, both ends included
  std::vector<std::string> choices;  // texts
};
// "0..1000"; nullopt when the text is no range.
std::optional<Hint> range_hint(std::string_view text);

class Generator final : public RecordMaker {
 public:
  static Result<std::unique_ptr<Generator>> make(avro::SchemaPtr schema,
                                                 std::map<std::string, Hint> hints, uint64_t seed);
  void append(int64_t offset, std::string& out) const override;

 private:
  Generator(avro::SchemaPtr schema, std::map<std::string, Hint> hints, uint64_t seed)
      : schema_(std::move(schema)), hints_(std::move(hints)), seed_(seed) {}
  avro::SchemaPtr schema_;
  std::map<std::string, Hint> hints_;
  uint64_t seed_;
};

// A random datum of any type.
void append_random(const avro::Node& type, const Hint* hint, Random& random, std::string& out,
                   uint32_t depth = 0);

}  // namespace penstock::meter
