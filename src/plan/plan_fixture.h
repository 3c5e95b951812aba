// plan_fixture.h — a folder with a schema, a good pipeline file to spoil, and parts to read it by.
//
// Thread      one test.
// Lifetime    the folder is removed with the object.
#pragma once

#include "plan/plan.h"
#include "step/steps.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::plan {

inline flow::PartSpec spec(flow::PartKind kind, std::string_view name) {
  flow::PartSpec made;
  made.kind = kind;
  made.name = name;
  return made;
}

inline const std::vector<flow::PartSpec>& test_parts() {
  static const std::vector<flow::PartSpec> all = [] {
    flow::PartSpec kafka = spec(flow::PartKind::log, "kafka");
    kafka.fields = {{.name = "kafka", .type = flow::FieldType::text, .required = true},
                    {.name = "password", .type = flow::FieldType::text}};
    flow::PartSpec dynamodb = spec(flow::PartKind::store, "dynamodb");
    dynamodb.fields = {{.name = "dynamodb", .type = flow::FieldType::text},
                       {.name = "region", .type = flow::FieldType::text}};
    return std::vector<flow::PartSpec>{step::drop(),
                                       step::reject(),
                                       step::set(),
                                       step::unset(),
                                       step::send(),
                                       spec(flow::PartKind::store, "sqlite"),
                                       spec(flow::PartKind::store, "redshift"),
                                       dynamodb,
                                       spec(flow::PartKind::log, "embedded"),
                                       kafka};
  }();
  return all;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "plan.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    write("r.avsc", R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"},)"
                    R"({"name":"kwh","type":"double"},{"name":"tenant","type":"string"}]})");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  Checked check(const std::string& text, const std::string& target = {}) const {
    write("p.yaml", text);
    CheckOptions options;
    options.target = target;
    options.env = [](std::string_view name) {
      return name == "BROKERS" ? std::optional<std::string>("b1:9092") : std::nullopt;
    };
    return plan::check((path_ / "p.yaml").string(), test_parts(), options);
  }

 private:
  std::filesystem::path path_;
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
