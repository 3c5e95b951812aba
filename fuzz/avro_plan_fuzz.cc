// The writer's schema, the reader's, and any bytes, with zero bytes between, both schemas records:
// what a decode plan takes is what the resolver takes, and what the encode plan makes of it, from
// the bytes and from columns, is a valid datum again.
#include "avro/plan.h"
#include "avro/resolve.h"
#include "avro/schema.h"
#include "base/arena.h"

#include <array>
#include <cstdlib>
#include <numeric>
#include <vector>

using namespace penstock;  // NOLINT: a program of one page

namespace {

struct Parsed {
  avro::SchemaPtr writer, reader;
  ByteView datum;
};

bool parse(std::string_view input, Parsed& out) {
  const size_t first = input.find('\0');
  const size_t second = first == std::string_view::npos ? first : input.find('\0', first + 1);
  if (second == std::string_view::npos) return false;
  const auto writer = avro::parse(input.substr(0, first));
  const auto reader = avro::parse(input.substr(first + 1, second - first - 1));
  if (!writer || !reader) return false;
  out = {*writer, *reader, input.substr(second + 1)};
  return out.writer->root().type == avro::Type::record &&
         out.reader->root().type == avro::Type::record && !out.reader->root().fields.empty();
}

// Every field as a column; of the output's fields those whose bit is set come from columns.
void check(const Parsed& given, uint32_t from_columns) {
  const auto& fields = given.reader->root().fields;
  std::vector<avro::Want> wants;
  std::vector<avro::Origin> origins;
  for (uint32_t at = 0; at < fields.size(); ++at) {
    wants.push_back({at, at});
    const bool column = (from_columns >> (at % 32) & 1) != 0;
    origins.push_back({.from = column ? avro::Origin::From::slot : avro::Origin::From::input_field,
                       .index = at,
                       .slot_type = column ? fields[at].type : nullptr});
  }
  auto encode = avro::EncodePlan::compile(given.reader, given.reader, origins);
  if (!encode) return;
  const auto cuts = encode->cuts();
  const auto decode = avro::DecodePlan::compile(given.writer, given.reader, wants, cuts);
  const auto resolver = avro::Resolver::compile(given.writer->root(), given.reader->root());
  if (decode.has_value() != resolver.has_value()) std::abort();
  if (!decode) return;
  encode->bind_cuts(cuts);
  Arena arena;
  std::array<row::RawRecord, 2> records;
  row::Batch batch;
  batch.arena = &arena;
  batch.records = records;
  batch.live = {0, 1};
  batch.columns.resize(fields.size());
  const std::array<ByteView, 2> payloads = {given.datum, given.datum};
  decode->decode(payloads, batch);
  std::string resolved;
  const bool good = resolver->run(given.datum, resolved, nullptr);
  if (batch.live.size() != (good ? 2u : 0u)) std::abort();
  for (const uint32_t row : batch.live) {
    std::string out;
    std::string why;
    if (!encode->encode(batch, row, out, &why)) std::abort();
    if (!avro::validate(given.reader->root(), out, nullptr)) std::abort();
    if (from_columns == 0 && out != resolved) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Parsed given;
  if (!parse({reinterpret_cast<const char*>(data), size}, given)) return 0;
  check(given, 0);
  check(given, 0xffffffff);
  check(given, 0x55555555);
  return 0;
}
