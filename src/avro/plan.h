// plan.h — compiled ways from Avro bytes to rows and back.
//
// A DecodePlan is compiled once per (writer schema, stage's input schema, fields wanted). It walks
// and validates every datum whole, resolves it into the input schema where the writer's differs,
// and turns only the wanted fields into slots. An EncodePlan is compiled once per output. What an
// output record has in common with its input is copied as runs of bytes between cuts ("spliced");
// the rest is encoded from slots.
//
// Thread      a plan is immutable after compile(); each worker may share it. decode() and encode()
// touch only
//             their arguments.
// Lifetime    keeps its schemas alive.
// Limits      the bounds of bounds.h: a length or count must fit the remaining bytes before
// anything is allocated;
//             zero-size items ≤ 64 Ki per datum, depth ≤ 64, varint ≤ 10 bytes, trailing bytes
//             refused.
//
//     PENSTOCK_TRY(encode, avro::EncodePlan::compile(input, output, origins));
//     PENSTOCK_TRY(decode, avro::DecodePlan::compile(writer, input, {{.field = 0, .slot = 0}},
//     encode.cuts())); decode.decode(payloads, batch);                 // bad ones:
//     batch.reject(row, kDecodeStep, "avro.…", …) for (uint32_t row : batch.live)
//     encode.encode(batch, row, out);
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "row/batch.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penstock::avro {

// A field of the input record that becomes a column: `field` counts through the input schema's
// fields. Its shape is slot_shape's: null or a number, text or bytes has a null map; null or a
// record, array or map is a datum that begins with the union's index.
struct Want {
  uint32_t field;
  uint32_t slot;
};

class DecodePlan {
 public:
  // `writer` and `input` are records. `cuts` are field indices of `input` (ascending;
  // fields().size() = the datum's end) whose start offsets are recorded in Batch::cuts, in this
  // order. Fails (A…) when the schemas do not resolve.
  static Result<DecodePlan> compile(SchemaPtr writer, SchemaPtr input, std::vector<Want> wants,
                                    std::vector<uint32_t> cuts);
  // payloads[i] belongs to row batch.live[i] (unframed Avro bytes). Allocates the wanted columns
  // (slot < columns.size() is the caller's affair), datums and cuts in batch.arena unless they are
  // there already; rows that fail are rejected and leave `live`.
  void decode(std::span<const ByteView> payloads, row::Batch& batch) const;
  // True when writer and input are so alike that datums are views of the payloads, not copies.
  bool is_identity() const;

  DecodePlan(DecodePlan&&) noexcept;
  DecodePlan& operator=(DecodePlan&&) noexcept;
  ~DecodePlan();

 private:
  struct Program;
  explicit DecodePlan(std::unique_ptr<Program>);
  std::unique_ptr<Program> program_;
};

// Where an output field's value comes from: the input record's field, byte for byte, or a column.
struct Origin {
  enum class From : uint8_t { input_field, slot } from;
  uint32_t index;                   // field of the input schema, or slot number
  const Node* slot_type = nullptr;  // the Avro type of what the slot holds (From::slot)
};

class EncodePlan {
 public:
  // One origin per field of `output`. An input field's type must resolve to the output field's; a
  // slot's type must convert (int→long, float→double, T→null or T, …). A value that turns out not
  // to fit is a failed encode.
  static Result<EncodePlan> compile(SchemaPtr input, SchemaPtr output, std::vector<Origin> origins);
  // The cuts that the decode plan of the same stage must record (see DecodePlan::compile).
  const std::vector<uint32_t>& cuts() const;
  // Tells which positions of Batch::cuts hold cuts(), when several encode plans share one decode
  // plan.
  void bind_cuts(std::span<const uint32_t> recorded);
  // Appends the output datum of `row` to `out`. On failure `out` is as before and the text says
  // why.
  bool encode(const row::Batch& batch, uint32_t row, std::string& out, std::string* why) const;

  EncodePlan(EncodePlan&&) noexcept;
  EncodePlan& operator=(EncodePlan&&) noexcept;
  ~EncodePlan();

 private:
  struct Program;
  explicit EncodePlan(std::unique_ptr<Program>);
  std::unique_ptr<Program> program_;
};

}  // namespace penstock::avro
