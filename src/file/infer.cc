#include "file/infer.h"

#include "file/row_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>

namespace penstock::file {
namespace {

struct Seen {
  std::string name;
  uint64_t rows = 0, booleans = 0, longs = 0, doubles = 0;
};

void look_at(const std::string& name, const nlohmann::ordered_json& value, std::vector<Seen>& all) {
  auto found = std::find_if(all.begin(), all.end(), [&](const Seen& s) { return s.name == name; });
  if (found == all.end()) found = all.insert(all.end(), Seen{name});
  if (value.is_null()) return;
  ++found->rows;
  if (value.is_boolean()) ++found->booleans;
  if (value.is_number_integer()) ++found->longs;
  if (value.is_number_float()) ++found->doubles;
}

std::string type_of(const Seen& seen) {
  if (seen.rows == 0) return "string";
  if (seen.booleans == seen.rows) return "boolean";
  if (seen.longs == seen.rows) return "long";
  return seen.longs + seen.doubles == seen.rows ? "double" : "string";
}

}  // namespace

Result<std::vector<InferredColumn>> infer_columns(std::string_view text, const std::string& name) {
  std::vector<Seen> all;
  uint64_t rows = 0;
  uint32_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const Place place{name, line_number, 1, 1, std::string(line.substr(0, 200))};
    if (line.size() > kMaxRowBytes) return fail("F003"_code, "a line of more than 1 MiB").at(place);
    const auto object = nlohmann::ordered_json::parse(line, nullptr, false);
    if (!object.is_object()) return fail("F003"_code, "the line is no JSON object").at(place);
    for (const auto& [key, value] : object.items()) look_at(key, value, all);
    if (all.size() > 2'000) return fail("F003"_code, "more than 2,000 columns").at(place);
    ++rows;
  }
  std::vector<InferredColumn> columns;
  for (const Seen& seen : all) columns.push_back({seen.name, type_of(seen), seen.rows < rows});
  return columns;
}

}  // namespace penstock::file
