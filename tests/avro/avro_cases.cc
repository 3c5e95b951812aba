// Reads cases on standard input, one JSON object a line, and answers each with a line: `avro_cases
// decode|encode`.
#include "avro/cases.h"

#include <iostream>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  const std::string_view verb = argc == 2 ? argv[1] : "";
  if (verb != "decode" && verb != "encode") {
    std::cerr << "usage: avro_cases decode|encode < cases.jsonl\n";
    return 64;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const std::string answer =
        verb == "decode" ? penstock::avro::decode_case(line) : penstock::avro::encode_case(line);
    std::cout << answer << '\n';
  }
  return 0;
}
