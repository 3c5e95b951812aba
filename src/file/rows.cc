#include "file/rows.h"

#include "avro/container.h"
#include "avro/resolve.h"
#include "file/row_text.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::file {
namespace {

// An Avro container file: each datum, resolved into the topic's schema.
class ContainerRows final : public Rows {
 public:
  ContainerRows(avro::ContainerReader reader, avro::Resolver resolver, std::string path)
      : reader_(std::move(reader)), resolver_(std::move(resolver)), path_(std::move(path)) {}

  Result<bool> next() override {
    auto datum = reader_.next();
    if (!datum) {
      Error error = std::move(datum).error();
      error.place = row_place();
      return std::unexpected(std::move(error));
    }
    if (!*datum) return false;
    datum_ = **datum;
    ++number_;
    return true;
  }

  Result<void> encode(std::string& out) override {
    std::string why;
    if (resolver_.run(datum_, out, &why)) return {};
    return fail("F002"_code, fmt::format("record {}: {}", number_, why)).at(row_place());
  }

  Place row_place() const override { return {path_, 0, 0, 1, {}}; }

 private:
  avro::ContainerReader reader_;
  avro::Resolver resolver_;
  std::string path_;
  ByteView datum_;
  uint64_t number_ = 0;
};

Result<std::unique_ptr<Rows>> open_container(ByteView bytes, const std::string& path,
                                             const avro::SchemaPtr& schema) {
  const auto at_file = [&](Error error) {
    error.place = {path, 0, 0, 1, {}};
    return std::unexpected(std::move(error));
  };
  auto reader = avro::ContainerReader::open(bytes);
  if (!reader) return at_file(std::move(reader).error());
  auto resolver = avro::Resolver::compile(reader->schema()->root(), schema->root());
  if (!resolver) return at_file(std::move(resolver).error());
  return std::make_unique<ContainerRows>(*std::move(reader), *std::move(resolver), path);
}

}  // namespace

Result<std::unique_ptr<Rows>> open_rows(std::string_view bytes, const std::string& path,
                                        const avro::SchemaPtr& schema) {
  if (avro::is_container(bytes)) return open_container(bytes, path, schema);
  const auto format = format_of(path);
  if (!format) {
    return fail("F001"_code, path + ": no Avro file, and not called .csv, .jsonl or .ndjson");
  }
  PENSTOCK_TRY(text, RowText::open(bytes, path, *format, schema));
  return std::make_unique<RowText>(std::move(text));
}

}  // namespace penstock::file
