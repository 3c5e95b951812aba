#include "app/report.h"

#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace penstock::app {
namespace {

template <class... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};

void append_json(const Value& value, std::string& out) {
  std::visit(
      Overload{[&](std::nullptr_t) { out += "null"; }, [&](bool b) { out += b ? "true" : "false"; },
               [&](int64_t n) { out += std::to_string(n); },
               [&](uint64_t n) { out += std::to_string(n); },
               [&](double d) { append_json_number(d, out); },
               [&](const std::string& s) { append_json_string(s, out); },
               [&](const Value::Array& items) {
                 out += '[';
                 for (size_t i = 0; i < items.size(); ++i) {
                   if (i > 0) out += ',';
                   append_json(items[i], out);
                 }
                 out += ']';
               },
               [&](const Value::Object& entries) {
                 out += '{';
                 for (size_t i = 0; i < entries.size(); ++i) {
                   if (i > 0) out += ',';
                   append_json_string(entries[i].first, out);
                   out += ':';
                   append_json(entries[i].second, out);
                 }
                 out += '}';
               }},
      value.of);
}

bool is_nested(const Value& value) {
  const auto* array = std::get_if<Value::Array>(&value.of);
  const auto* object = std::get_if<Value::Object>(&value.of);
  return (array != nullptr && !array->empty()) || (object != nullptr && !object->empty());
}

// Block style; scalars as JSON, which YAML 1.2 contains.
void append_yaml(const Value& value, size_t indent, std::string& out) {
  const std::string pad(indent, ' ');
  if (!is_nested(value)) {
    append_json(value, out);
    out += '\n';
  } else if (const auto* items = std::get_if<Value::Array>(&value.of)) {
    for (const Value& item : *items) {
      out += pad + "-";
      out += is_nested(item) ? "\n" : " ";
      append_yaml(item, indent + 2, out);
    }
  } else {
    for (const auto& [key, item] : std::get<Value::Object>(value.of)) {
      out += pad;
      append_json_string(key, out);
      out += is_nested(item) ? ":\n" : ": ";
      append_yaml(item, indent + 2, out);
    }
  }
}

// One line without control characters: cells may hold what a hostile record says, and a terminal
// obeys escapes.
std::string shown(std::string_view cell) {
  std::string text(cell);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

// Characters of UTF-8 text: its bytes that do not go on with one.
size_t width_of(std::string_view cell) {
  return static_cast<size_t>(
      std::ranges::count_if(cell, [](char c) { return (c & 0xc0) != 0x80; }));
}

bool is_number(std::string_view cell) {
  return !cell.empty() && std::ranges::all_of(cell, [](char c) {
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ',' || c == '%';
  });
}

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  append_json(value, out);
  return out;
}

std::string to_yaml(const Value& value) {
  std::string out;
  append_yaml(value, 0, out);
  return out;
}

std::string to_text(const TextTable& table) {
  std::vector<size_t> widths;
  std::vector<bool> numeric;
  for (size_t r = 0; r < table.size(); ++r) {
    widths.resize(std::max(widths.size(), table[r].size()), 0);
    numeric.resize(widths.size(), true);
    for (size_t c = 0; c < table[r].size(); ++c) {
      widths[c] = std::max(widths[c], width_of(table[r][c]));
      if (r > 0 && !is_number(table[r][c])) numeric[c] = false;
    }
  }
  std::string out;
  for (const auto& row : table) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      if (c > 0) line += "  ";
      const std::string pad(widths[c] - width_of(row[c]), ' ');
      line += numeric[c] ? pad + shown(row[c]) : shown(row[c]) + pad;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string print(const Report& report, Format format) {
  switch (format) {
    case Format::json:
      return to_json(report.tree) + "\n";
    case Format::yaml:
      return to_yaml(report.tree);
    case Format::table:
    case Format::wide:
    case Format::avro:
      break;
  }
  return to_text(report.table) + report.footer;
}

}  // namespace penstock::app
