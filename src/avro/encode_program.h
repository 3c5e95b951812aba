// encode_program.h — what an EncodePlan is made of: one step per output field, or per run of fields
// that are taken over as they are. encode.cc compiles it, encode_run.cc runs it.
//
// Thread      immutable once compiled.
#pragma once

#include "avro/output.h"
#include "avro/plan.h"
#include "avro/program.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::avro {

enum class Put : uint8_t {
  run,       // input bytes from cut a to cut b, as they are
  resolved,  // input bytes from cut a to cut b, through resolvers[c]
  boolean,   // slots from here on
  long_,
  int_,
  long_as_float,
  long_as_double,
  float_,
  double_,
  view,    // string and bytes
  text,    // bytes that must be UTF-8
  fixed,   // c bytes
  symbol,  // enums[c]
  raw_datum,
  datum,  // through resolvers[c]
};

inline constexpr uint32_t kStart = UINT32_MAX;    // not a cut: the datum's first byte
inline constexpr uint32_t kEnd = UINT32_MAX - 1;  // not a cut: the datum's end

// At most two bytes that go before a value: a union's branch.
struct Prefix {
  uint8_t size = 0;
  char bytes[3] = {};
  [[gnu::always_inline]] void append_to(Pen& pen) const {
    std::memcpy(pen.at, bytes, sizeof bytes);
    pen.at += size;
  }
};

struct Step {
  Put put = Put::run;
  bool null_fits = false;
  Prefix null_bytes;  // all of a null's encoding
  Prefix value_prefix;
  uint32_t field = 0;   // of the output
  uint32_t fields = 1;  // run, resolved: so many neighbours
  uint32_t a = 0;       // run, resolved: a cut; else the slot
  uint32_t b = 0;
  uint32_t c = 0;
  uint32_t begin = 0;  // run, resolved: where Batch::cuts holds a and b; kStart, kEnd
  uint32_t end = 0;
};

// An enum's symbols, sorted, with their indices.
using Symbols = std::vector<std::pair<std::string_view, uint32_t>>;

struct EncodePlan::Program {
  SchemaPtr input;
  SchemaPtr output;
  std::vector<uint32_t> cuts;
  std::vector<Step> steps;
  std::vector<avro::Program> resolvers;
  std::vector<Symbols> enums;

  uint32_t cut(uint32_t field) const;
  Result<void> add_input(uint32_t target, uint32_t source);
  void build_resolvers(const std::vector<Origin>& origins);
  Result<void> add_slot(uint32_t target, const Origin& origin);
  Result<void> slot_datum(Step& step, const Node& from, const Node& to);
  Result<void> slot_value(Step& step, row::Kind kind, const Node& from, const Node& to);
  void order_cuts();
  void bind(std::span<const uint32_t> recorded);
  bool run(const row::Batch& batch, uint32_t row, Output& to, std::string* why) const;
  bool put_slot(const Step& step, const row::Column& column, uint32_t row, Pen& pen,
                std::string* why) const;
  bool put_view(const Step& step, ByteView view, Output& to, Pen& pen, std::string* why) const;
  void put_run(const Step& step, const row::Batch& batch, uint32_t row, Output& to, Pen& pen) const;
  bool put_through(const Step& step, const row::Batch& batch, uint32_t row, Output& to,
                   std::string* why) const;
  bool through(const Step& step, ByteView datum, size_t size_bytes, Output& to,
               std::string* why) const;
  bool refuse(const Step& step, std::string_view text, std::string* why) const;
};

}  // namespace penstock::avro
