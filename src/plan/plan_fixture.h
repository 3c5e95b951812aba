// plan_fixture.h — a folder in memory with a schema, a good pipeline file to spoil, and parts to
// read it by.
//
// Thread      one test.
#pragma once

#include "plan/plan.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::plan {

// Steps, stores and logs, defined in plan_test.cc.
const std::vector<flow::PartSpec>& test_parts();

class Folder {
 public:
  Folder() {
    write("r.avsc", R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"},)"
                    R"({"name":"kwh","type":"double"},{"name":"tenant","type":"string"}]})");
  }

  void write(const std::string& name, const std::string& text) { files_["at/" + name] = text; }

  Checked check(const std::string& text, const std::string& target = {}) {
    write("p.yaml", text);
    CheckOptions options;
    options.target = target;
    options.env = [](std::string_view name) {
      return name == "BROKERS" ? std::optional<std::string>("b1:9092") : std::nullopt;
    };
    options.read_file = [this](const std::string& path, size_t limit_bytes) -> Result<std::string> {
      const auto found = files_.find(path);
      if (found == files_.end()) return fail("P001"_code, "there is no file " + path);
      if (found->second.size() > limit_bytes) return fail("P003"_code, "too large");
      return found->second;
    };
    return plan::check("at/p.yaml", test_parts(), options);
  }

 private:
  std::map<std::string, std::string> files_;
};

inline const std::string kGood =
    "pipeline: p\n"
    "version: 1\n"
    "schemas: {r: r.avsc}\n"
    "topics:\n"
    "  in: {schema: r, key: id, partitions: 2}\n"
    "  mid: {key: id}\n"
    "  out.<tenant>: {key: id}\n"
    "tenants: [a, b]\n"
    "stages:\n"
    "  second:\n"
    "    from: mid\n"
    "    to: out.<tenant>\n"
    "  first:\n"
    "    from: in\n"
    "    steps:\n"
    "      - set: {kw: kwh * 4.0}\n"
    "    to: mid\n"
    "  third:\n"
    "    from: out.*\n"
    "    to: [one, two]\n"
    "stores:\n"
    "  one: {sqlite: one, key: id}\n"
    "  two: {sqlite: two}\n";

inline std::string swapped(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace penstock::plan
