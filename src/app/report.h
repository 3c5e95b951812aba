// report.h — what a looking verb found, as a tree (json, yaml: a contract) and as a table (for
// people).
//
// Thread      values.
//
//     Report report;
//     report.tree = Value::object({{"stages", Value::array(...)}});
//     report.table = {{"STAGE", "LAG"}, {"writer", "0"}};
//     output.out(print(report, options.format));
#pragma once

#include "app/options.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::app {

struct Value {
  using Array = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;
  std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Array, Object> of =
      nullptr;

  Value() = default;
  Value(bool value) : of(value) {}
  Value(int value) : of(static_cast<int64_t>(value)) {}
  Value(int64_t value) : of(value) {}
  Value(uint64_t value) : of(value) {}
  Value(double value) : of(value) {}
  Value(std::string value) : of(std::move(value)) {}
  Value(const char* value) : of(std::string(value)) {}
  Value(Array value) : of(std::move(value)) {}
  Value(Object value) : of(std::move(value)) {}
};

std::string to_json(const Value& value);  // one line
std::string to_yaml(const Value& value);

// Rows of cells; the first row is the heading. Columns of numbers are right-aligned.
// Control characters become spaces.
using TextTable = std::vector<std::vector<std::string>>;
std::string to_text(const TextTable& table);

struct Report {
  Value tree;
  TextTable table;
  std::string footer;  // below the table, for people
};
std::string print(const Report& report, Format format);

}  // namespace penstock::app
