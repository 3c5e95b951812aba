// program.h — a datum's walk as a flat array of operations, and the machine that runs it.
//
// A program validates a datum from its first byte to its last. On the way it may fill slots and
// record cuts (decode.cc), or append the datum's form under another schema to an output
// (resolve.cc). Programs are built by builder.h. There is no recursion over schemas at run time:
// only arrays, maps, records met again and reordered records re-enter run(), at most kMaxDepth deep
// for what the bytes decide.
//
// Thread      a Program is immutable once built; a Machine belongs to one thread.
#pragma once

#include "avro/cursor.h"
#include "avro/output.h"
#include "row/column.h"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::avro {

enum class Do : uint8_t {
  // Validate and pass over.
  fixed,  // a bytes: float, double, fixed, runs of them
  boolean,
  ints,   // a of them
  longs,  // a of them
  string,
  bytes,
  enum_,   // a symbols
  union_,  // a branches; targets[b + branch] is where to go on
  jump,    // to a
  leave,
  // Fill slots.
  load_boolean,
  load_int,
  load_long,
  load_float,
  load_double,
  load_string,
  load_bytes,
  load_fixed,  // a bytes
  load_enum,   // a symbols, their texts at symbols[b]
  load_null,   // union of null and one other: a = null's branch; b: where to go on after a null; c:
               // the Kind
  open_datum,  // the slot's view begins here
  close_datum,  // … and ends here
  cut,          // cuts[a] = position
  // Append to the output.
  mark,     // what follows is taken over byte for byte
  copy,     // … until here
  literal,  // b bytes at literals[a]
  int_to_float,
  int_to_double,
  long_to_float,
  long_to_double,
  float_to_double,
  // Fused from `literal`, `mark`, one value, `copy`, which stay behind it for whoever jumps there:
  // b bytes at literals[a], then a value taken over; slot: how many operations to leave out.
  put_fixed,
  put_int,
  put_long,
  put_string,
  put_enum,
  enum_map,  // a symbols; targets[b + symbol] = the reader's symbol, or kNoSymbol
  // Go into something.
  array,  // items' program follows, ending in `leave`; a: where to go on; b: an item's least bytes
  map,    // likewise; b includes the key
  void_array,  // items of no size and no consequence
  copy_array,  // as array, map
  copy_map,
  call,     // the program at a
  reorder,  // a record whose fields come in another order: see Machine::reorder; b: where to go on
  refuse,   // this value has no place in the reader's schema: texts[a]
};

inline constexpr uint32_t kNoSymbol = UINT32_MAX;

struct alignas(16) Op {
  Do what;
  uint8_t c = 0;
  uint16_t slot = 0;
  uint32_t a = 0;
  uint32_t b = 0;
};

struct Program {
  std::vector<Op> ops;
  std::vector<uint32_t> targets;
  std::string literals;           // and kLiteralPad more bytes
  std::vector<ByteView> symbols;  // views into the schema
  std::vector<std::string> texts;
  std::vector<uint16_t>
      fields;  // by op: which field of the outermost record it works for; kNoField
};
inline constexpr uint16_t kNoField = UINT16_MAX;
inline constexpr size_t kLiteralPad =
    16;  // so that short ones are copied without looking at their size

// Runs a Program over one datum after the other.
class Machine {
 public:
  explicit Machine(const Program& program) : program_(program) {}
  void set_columns(row::Column* columns) { columns_ = columns; }

  // True when `datum` is whole and valid, to its last byte. `cuts` receives the cuts of `row`;
  // `out` what is appended. Either may be nullptr where the program has no such operations.
  bool run(ByteView datum, uint32_t row, uint32_t* cuts, Output* out);
  // The same for a value with others behind it: `used` is where it ends.
  bool run_prefix(ByteView bytes, size_t& used);
  // The same for a value that is known to end at `end`, inside `datum`: what follows it may be
  // looked at.
  bool run_until(ByteView datum, const char* end, Output* out);

  Fault fault() const { return fault_; }
  // After a failure: 'the bytes end inside a value, at byte 17', and the text of `refuse` where
  // that was it.
  std::string explain() const;
  // After a failure: the index of the outermost record's field, or kNoField.
  uint16_t field() const;

 private:
  void start(ByteView datum);
  bool walk(uint32_t pc);
  bool stop(uint32_t pc, const char* at, Fault fault);
  // One operation; `next` and `mark` are walk()'s. The hot ones, then those behind a second look.
  Fault step(const Op& op, Cursor& in, const Op*& next, const char*& mark);
  Fault rare_step(const Op& op, Cursor& in, const Op*& next);
  Fault take(const Op& op, Cursor& in);
  Fault append(const Op& op, Cursor& in);
  Fault put_value(const Op& op, Cursor& in, const Op*& next);
  Fault enter(const Op& op);
  Fault items(const Op& op, uint32_t pc, Cursor& in);
  Fault block_items(const Op& op, uint32_t pc, Cursor& in, uint64_t count);
  Fault void_items(Cursor& in);
  Fault call(uint32_t pc, Cursor& in);
  Fault reorder(const Op& op, Cursor& in);
  Fault nested(uint32_t pc, Cursor& in);
  void load_view(const Op& op, ByteView value) { columns_[op.slot].views[row_] = value; }
  void set_null(const Op& op);

  const Program& program_;
  row::Column* columns_ = nullptr;
  uint32_t* cuts_ = nullptr;
  Output* out_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  const char* begin_ = nullptr;
  uint32_t next_pc_ = 0;  // where enter() says to go on
  uint32_t row_ = 0;
  uint32_t depth_ = 0;
  uint32_t zero_size_left_ = 0;
  uint64_t calls_left_ = 0;
  Fault fault_ = Fault::none;
  uint32_t fault_pc_ = 0;  // of the outermost program
  uint32_t refused_ = UINT32_MAX;
  const char* fault_at_ = nullptr;
};

}  // namespace penstock::avro
