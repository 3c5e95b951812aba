// A schema, a zero byte, and any bytes as a datum under it: a valid one has a text, and the text is
// one of the same value; of a damaged one there is none. The same bytes are read as JSON for people
// and as the cell of a table, too.
#include "avro/json.h"
#include "avro/resolve.h"
#include "avro/schema.h"
#include "avro/utf8.h"

#include <cstdlib>

using namespace penstock;  // NOLINT: a program of one page

namespace {

constexpr size_t kMaxTextBytes = 64 << 10;

// In Avro's own encoding, which loses nothing.
void check_text(const avro::Node& type, const std::string& text) {
  std::string datum;
  if (!avro::from_json(type, text, avro::JsonStyle::avro, datum)) std::abort();
  const auto again = avro::to_json(type, datum, avro::JsonStyle::avro);
  if (!again || *again != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  if (cut == std::string_view::npos) return 0;
  const auto schema = avro::parse(input.substr(0, cut));
  if (!schema) return 0;
  const avro::Node& type = (*schema)->root();
  const std::string_view datum = input.substr(cut + 1);
  std::string why;
  const bool valid = avro::validate(type, datum, &why);
  if (valid != why.empty()) std::abort();
  const auto text = avro::to_json(type, datum, avro::JsonStyle::avro);
  // What nothing but its depth forbids is shown all the same.
  const bool deep = why.starts_with("values nested too deeply");
  if (text.has_value() != valid && !deep) std::abort();
  // A few bytes may stand for 65,536 nulls: their text is an input of its own, and not a small one.
  if (text && valid && text->size() <= kMaxTextBytes) check_text(type, *text);
  (void)avro::to_json(type, datum, avro::JsonStyle::plain);
  std::string from;
  (void)avro::from_json(type, datum, avro::JsonStyle::plain, from);
  if (!from.empty() && !avro::validate(type, from, nullptr)) std::abort();
  if (!avro::valid_utf8(datum.data(), datum.size()))
    return 0;  // as whoever reads tables makes sure
  std::string cell;
  if (avro::from_text(type, datum, cell) && !avro::validate(type, cell, nullptr)) std::abort();
  return 0;
}
