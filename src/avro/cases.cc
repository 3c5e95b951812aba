#include "avro/cases.h"

#include "avro/json.h"
#include "avro/json_text.h"
#include "avro/resolve.h"
#include "avro/schema.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <iterator>

namespace penstock::avro {
namespace {

std::string answer_error(std::string_view why) {
  std::string line = R"({"error":)";
  append_json_string(why, line);
  return line + '}';
}

Result<SchemaPtr> schema_of(const Json& json) {
  std::string text;
  write_json(json, text);
  return parse(text);
}

bool from_hex(std::string_view hex, std::string& bytes) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (hex.size() % 2 != 0) return false;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

Result<std::string> resolved_json(const Schema& writer, const Schema& reader, ByteView datum) {
  PENSTOCK_TRY(resolver, Resolver::compile(writer.root(), reader.root()));
  std::string resolved;
  std::string why;
  if (!resolver.run(datum, resolved, &why)) return fail("A005"_code, why);
  return to_json(reader.root(), resolved, JsonStyle::avro);
}

Result<std::string> decoded(const Json& line) {
  const Json* writer_json = line.member("writer");
  const Json* hex = line.member("hex");
  std::string datum;
  if (writer_json == nullptr || hex == nullptr || !from_hex(hex->text, datum))
    return fail("A006"_code, R"(a case is {"writer": SCHEMA, "reader": SCHEMA, "hex": "…"})");
  PENSTOCK_TRY(writer, schema_of(*writer_json));
  const Json* reader_json = line.member("reader");
  if (reader_json == nullptr || reader_json->kind == Json::Kind::null_)
    return resolved_json(*writer, *writer, datum);
  PENSTOCK_TRY(reader, schema_of(*reader_json));
  return resolved_json(*writer, *reader, datum);
}

Result<std::string> encoded(const Json& line) {
  const Json* schema_json = line.member("schema");
  const Json* value = line.member("value");
  if (schema_json == nullptr || value == nullptr)
    return fail("A006"_code, R"(a case is {"schema": SCHEMA, "value": …})");
  PENSTOCK_TRY(schema, schema_of(*schema_json));
  std::string text;
  write_json(*value, text);
  std::string datum;
  PENSTOCK_TRY_VOID(from_json(schema->root(), text, JsonStyle::avro, datum));
  std::string hex;
  for (const char byte : datum)
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

}  // namespace

std::string decode_case(std::string_view line) {
  const auto json = read_json(line);
  if (!json) return answer_error(json.error());
  const auto value = decoded(*json);
  if (!value) return answer_error(value.error().message);
  return fmt::format(R"({{"value":{}}})", *value);
}

std::string encode_case(std::string_view line) {
  const auto json = read_json(line);
  if (!json) return answer_error(json.error());
  const auto hex = encoded(*json);
  if (!hex) return answer_error(hex.error().message);
  return fmt::format(R"({{"hex":"{}"}})", *hex);
}

Result<std::string> decode_text(std::string_view schema, std::string_view reader, Framing framing,
                                ByteView bytes) {
  PENSTOCK_TRY(writer, parse(schema));
  if (framing == Framing::single_object) {
    uint64_t fingerprint = 0;
    if (!strip_single_object(bytes, fingerprint, bytes))
      return fail("A007"_code, "the value does not begin with C3 01 and a fingerprint");
    if (fingerprint != writer->fingerprint())
      return fail("A007"_code,
                  fmt::format("written under the schema {:016x}, the one given is {:016x}",
                              fingerprint, writer->fingerprint()));
  }
  if (reader.empty()) return resolved_json(*writer, *writer, bytes);
  PENSTOCK_TRY(target, parse(reader));
  return resolved_json(*writer, *target, bytes);
}

Result<std::string> encode_text(std::string_view schema, Framing framing, std::string_view json) {
  PENSTOCK_TRY(writer, parse(schema));
  std::string out;
  if (framing == Framing::single_object) append_single_object_header(writer->fingerprint(), out);
  PENSTOCK_TRY_VOID(from_json(writer->root(), json, JsonStyle::avro, out));
  return out;
}

}  // namespace penstock::avro
