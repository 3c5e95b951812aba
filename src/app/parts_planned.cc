// Parts that a pipeline file may name and that this version cannot run yet: check and plan know
// them.
#include "app/parts.h"

#include <vector>

namespace penstock::app {
namespace {

using flow::FieldSpec;
using flow::PartKind;
using flow::PartSpec;

PartSpec part(PartKind kind, std::string_view name, std::string_view doc,
              std::string_view guarantee, std::vector<FieldSpec> fields, bool built = false) {
  PartSpec spec;
  spec.kind = kind;
  spec.name = name;
  spec.doc = doc;
  spec.guarantee = guarantee;
  spec.fields = std::move(fields);
  spec.built = built;
  return spec;
}

std::vector<PartSpec> logs() {
  std::vector<PartSpec> all = {
      part(PartKind::log, "embedded", "A log in the data folder of this machine.",
           "An epoch is one synced write: records, dead letters and positions.", {}, true)};
  return all;
}

}  // namespace

std::span<const PartSpec> planned_parts() {
  static const std::vector<PartSpec> all = [] {
    std::vector<PartSpec> parts = logs();
    for (PartSpec& step : planned_steps()) parts.push_back(std::move(step));
    return parts;
  }();
  return all;
}

}  // namespace penstock::app
