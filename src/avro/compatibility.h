// compatibility.h — what a reader's schema can not read of a writer's: all of it, not just the
// first.
//
// Stricter than resolve.h, which asks whether *any* datum could resolve: here every datum that the
// writer can write has to. So a branch of the writer's union and a symbol of its enum count as
// well.
//
// Thread      free functions.
// Limits      a pair of named types is looked at once, under the path where it was met first.
//
//     for (const Disagreement& each : disagreements(old->root(), now->root()))
//       print(each.path, each.what, each.cure);
#pragma once

#include "avro/schema.h"

#include <string>
#include <vector>

namespace penstock::avro {

struct Disagreement {
  std::string path;  // "site.tariff", "readings[].kwh", "rates{}", "value(string)"; "" = the whole
  std::string what;  // "double cannot be read as string"
  std::string cure;  // what to change in the reader's schema
};

std::vector<Disagreement> disagreements(const Node& writer, const Node& reader);

// Of two versions of a schema.
struct Compatibility {
  std::vector<Disagreement> backward;  // what a reader of the new one can not read of the old one
  std::vector<Disagreement> forward;   // what a reader of the old one can not read of the new one
};
Compatibility compare(const Node& old, const Node& now);

// "field \"kwh\": double cannot be read as string"
std::string one_line(const Disagreement& disagreement);

}  // namespace penstock::avro
