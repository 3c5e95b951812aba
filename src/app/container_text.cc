#include "app/container_text.h"

#include "avro/json.h"
#include "avro/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace penstock::app {

avro::ContainerWriter container_for(const avro::Schema& schema, std::string_view codec) {
  std::random_device random;
  avro::Sync sync;
  for (char& byte : sync) byte = static_cast<char>(random());
  auto chosen = avro::ContainerCodec::deflate;
  for (const auto one : {avro::ContainerCodec::null_, avro::ContainerCodec::snappy,
                         avro::ContainerCodec::zstandard}) {
    if (codec_name(one) == codec) chosen = one;
  }
  return {schema, chosen, sync};
}

Result<void> container_to_lines(ByteView file, std::string_view reader, ops::Output& output) {
  PENSTOCK_TRY(datums, avro::ContainerReader::open(file));
  avro::SchemaPtr target = datums.schema();
  if (!reader.empty()) {
    PENSTOCK_TRY(given, avro::parse(reader));
    target = given;
  }
  PENSTOCK_TRY(resolver, avro::Resolver::compile(datums.schema()->root(), target->root()));
  std::string resolved;
  std::string why;
  while (!output.gone()) {
    PENSTOCK_TRY(datum, datums.next());
    if (!datum) break;
    resolved.clear();
    if (!resolver.run(*datum, resolved, &why)) return fail("A005"_code, why);
    PENSTOCK_TRY(json, avro::to_json(target->root(), resolved, avro::JsonStyle::avro));
    output.out(json + "\n");
  }
  return {};
}

Result<void> lines_to_container(std::string_view schema, std::string_view lines,
                                std::string_view codec, ops::Output& output) {
  PENSTOCK_TRY(writer, avro::parse(schema));
  avro::ContainerWriter file = container_for(*writer, codec);
  std::string datum;
  for (size_t number = 1; !lines.empty(); ++number) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    datum.clear();
    auto made = avro::from_json(writer->root(), line, avro::JsonStyle::avro, datum);
    if (!made) {
      made.error().message = fmt::format("line {}: {}", number, made.error().message);
      return made;
    }
    file.add(datum);
  }
  output.out(std::move(file).finish());
  return {};
}

}  // namespace penstock::app
