#include "app/container_text.h"
#include "app/input_text.h"
#include "app/try_rule.h"
#include "app/verbs.h"
#include "avro/cases.h"
#include "base/json_write.h"
#include "rule/program.h"

#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <string>

namespace penstock::app {
namespace {

Result<int> each_case(const std::string& file, ops::Output& output,
                      const std::function<std::string(std::string_view)>& run) {
  PENSTOCK_TRY(text, read_input(file));
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) output.out(run(line) + "\n");
  }
  return 0;
}

}  // namespace

Result<int> eval(const Options& options, ops::Output& output) {
  if (!options.cases_file.empty())
    return each_case(options.cases_file, output, rule::evaluate_case);
  if (options.inputs.empty()) return fail("U001"_code, "eval needs a rule, or --cases FILE");
  if (options.schema_file.empty()) {
    std::string line = "{\"expr\":";
    append_json_string(options.inputs.front(), line);
    const std::string answer = rule::evaluate_case(line + "}");
    output.out(answer + "\n");
    return answer.starts_with("{\"error\":") ? 1 : 0;
  }
  PENSTOCK_TRY(schema, read_input(options.schema_file));
  std::string record = options.record_json.empty() ? "-" : options.record_json;
  if (record == "-") {
    PENSTOCK_TRY(text, read_input("-"));
    record = std::move(text);
  }
  PENSTOCK_TRY(result, try_rule(options.inputs.front(), schema, record));
  output.out(result + "\n");
  return 0;
}

Result<int> avro_decode(const Options& options, ops::Output& output) {
  if (!options.cases_file.empty()) return each_case(options.cases_file, output, avro::decode_case);
  std::string reader;
  if (!options.reader_file.empty()) {
    PENSTOCK_TRY(text, read_input(options.reader_file));
    reader = std::move(text);
  }
  PENSTOCK_TRY(bytes, read_input(options.inputs.empty() ? "-" : options.inputs.front()));
  if (options.schema_file.empty()) {
    if (!avro::is_container(bytes))
      return fail("U001"_code,
                  "avro decode needs --schema FILE, a container file, or --cases FILE");
    PENSTOCK_TRY_VOID(container_to_lines(bytes, reader, output));
    return 0;
  }
  PENSTOCK_TRY(schema, read_input(options.schema_file));
  PENSTOCK_TRY(json, avro::decode_text(schema, reader, framing_of(options.framing), bytes));
  output.out(json + "\n");
  return 0;
}

Result<int> avro_encode(const Options& options, ops::Output& output) {
  if (!options.cases_file.empty()) return each_case(options.cases_file, output, avro::encode_case);
  if (options.schema_file.empty())
    return fail("U001"_code, "avro encode needs --schema FILE, or --cases FILE");
  PENSTOCK_TRY(schema, read_input(options.schema_file));
  PENSTOCK_TRY(json, read_input(options.inputs.empty() ? "-" : options.inputs.front()));
  if (!options.codec.empty()) {
    PENSTOCK_TRY_VOID(lines_to_container(schema, json, options.codec, output));
    return 0;
  }
  PENSTOCK_TRY(bytes, avro::encode_text(schema, framing_of(options.framing), json));
  output.out(bytes);
  return 0;
}

}  // namespace penstock::app
