// Container files on behalf of containers.py. `container_cases read` takes the names of files, one
// a line, and answers each with {"schema", "datums": [hex]} or {"error"}; `container_cases write`
// takes {"schema", "codec", "datums": [hex], "file"} and writes that file.
#include "avro/container.h"
#include "avro/json_text.h"
#include "base/error.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace penstock;

std::string hex_of(ByteView bytes) {
  std::string hex;
  for (const char byte : bytes)
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16)));
  return bytes;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  PENSTOCK_TRY(reader, avro::ContainerReader::open(bytes));
  std::string datums;
  while (true) {
    PENSTOCK_TRY(datum, reader.next());
    if (!datum) break;
    datums += fmt::format(R"({}"{}")", datums.empty() ? "" : ",", hex_of(*datum));
  }
  return fmt::format(R"({{"schema":{},"datums":[{}]}})", reader.schema()->json(), datums);
}

Result<std::string> write_file(std::string_view line) {
  const auto given = avro::read_json(line);
  if (!given) return fail("A006"_code, given.error());
  std::string schema_text;
  avro::write_json(*given->member("schema"), schema_text);
  PENSTOCK_TRY(schema, avro::parse(schema_text));
  auto codec = avro::ContainerCodec::null_;
  while (avro::codec_name(codec) != given->member("codec")->text)
    codec = static_cast<avro::ContainerCodec>(static_cast<int>(codec) + 1);
  avro::ContainerWriter writer(*schema, codec, avro::Sync{'s', 'y', 'n', 'c'});
  for (const avro::Json& datum : given->member("datums")->items) writer.add(bytes_of(datum.text));
  std::ofstream(given->member("file")->text, std::ios::binary) << std::move(writer).finish();
  return std::string("{}");
}

std::string told(const Result<std::string>& answer) {
  if (answer) return *answer;
  std::string error = R"({"error":)";
  append_json_string(answer.error().message, error);
  return error + '}';
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 2 ? argv[1] : "";
  if (verb != "read" && verb != "write") {
    std::cerr << "usage: container_cases read|write < lines\n";
    return 64;
  }
  for (std::string line; std::getline(std::cin, line);)
    std::cout << told(verb == "read" ? read_file(line) : write_file(line)) << '\n';
  return 0;
}
