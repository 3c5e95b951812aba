// random_datum.h — a random datum of any Avro type.
//
// Texts are short words, numbers 0 to 100, times lie in 2026, each in its own unit; half of the
// nullable values are null. What has no end of its own (recursion) ends soon.
//
// Thread      immutable.
// Limits      a schema whose smallest datum is above 64 KiB, or that has no finite one, is refused;
//             arrays and maps have up to 3 items, and none below depth 8 or behind 64 KiB.
// Errors      M002.
//
//     PENSTOCK_TRY(datums, RandomDatum::make(schema));
//     datums.append(schema->root(), nullptr, random, out);
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "base/random.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::meter {

// Narrows what a field takes: a range, both ends included, or texts.
struct Hint {
  std::optional<double> low, high;
  std::vector<std::string> choices = {};
};

class RandomDatum {
 public:
  static Result<RandomDatum> make(avro::SchemaPtr schema);
  // `type` is one of the schema's. The hint must fit it (generate.h checks that).
  void append(const avro::Node& type, const Hint* hint, Random& random, std::string& out) const;

 private:
  struct Growth {
    uint32_t depth;
    size_t end;  // of `out`: behind it nothing grows
  };
  explicit RandomDatum(avro::SchemaPtr schema) : schema_(std::move(schema)) {}
  void measure();
  uint64_t least_of(const avro::Node& type) const;
  void append(const avro::Node& type, const Hint* hint, Random& random, Growth growth,
              std::string& out) const;
  void append_items(const avro::Node& type, Random& random, Growth growth, std::string& out) const;
  void append_branch(const avro::Node& type, const Hint* hint, Random& random, Growth growth,
                     std::string& out) const;

  avro::SchemaPtr schema_;
  std::vector<uint64_t> least_bytes_;  // of the smallest datum, by Node::id
};

}  // namespace penstock::meter
