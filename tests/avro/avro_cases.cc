// Reads cases on standard input, one JSON object a line, and answers each with a line: `avro_cases
// decode|encode|print`. print: {"schema": SCHEMA, "value": …} in Avro's JSON → the same for people,
// the datum, and what is printed when that text is read again (null: it could not be read).
#include "avro/cases.h"
#include "avro/json.h"
#include "avro/json_text.h"
#include "avro/schema.h"
#include "base/error.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <cstdint>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace penstock;

Result<std::string> printed(std::string_view line) {
  const auto given = avro::read_json(line);
  if (!given) return fail("A006"_code, given.error());
  std::string schema_text;
  std::string value;
  avro::write_json(*given->member("schema"), schema_text);
  avro::write_json(*given->member("value"), value);
  PENSTOCK_TRY(schema, avro::parse(schema_text));
  std::string datum;
  PENSTOCK_TRY_VOID(avro::from_json(schema->root(), value, avro::JsonStyle::avro, datum));
  PENSTOCK_TRY(text, avro::to_json(schema->root(), datum, avro::JsonStyle::plain));
  std::string again_datum;
  std::string again = "null";
  if (avro::from_json(schema->root(), text, avro::JsonStyle::plain, again_datum)) {
    PENSTOCK_TRY(printed_again, avro::to_json(schema->root(), again_datum, avro::JsonStyle::plain));
    again = printed_again;
  }
  std::string hex;
  for (const char byte : datum)
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<uint8_t>(byte));
  return fmt::format(R"({{"value":{},"hex":"{}","again":{}}})", text, hex, again);
}

std::string print_case(std::string_view line) {
  const auto answer = printed(line);
  if (answer) return *answer;
  std::string error = R"({"error":)";
  append_json_string(answer.error().message, error);
  return error + '}';
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 2 ? argv[1] : "";
  const auto answer = verb == "decode"   ? avro::decode_case
                      : verb == "encode" ? avro::encode_case
                      : verb == "print"  ? print_case
                                         : nullptr;
  if (answer == nullptr) {
    std::cerr << "usage: avro_cases decode|encode|print < cases.jsonl\n";
    return 64;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line) << '\n';
  return 0;
}
