#include "avro/program.h"

#include "base/check.h"

#include <fmt/format.h>

namespace penstock::avro {
namespace {

// What `leave` returns to walk(), which knows it by the operation: no fault, but not `none` either.
constexpr Fault kLeft = Fault::unresolved;

template <class From>
Fault as_long(Cursor& in, From& value) {
  int64_t whole = 0;
  const Fault fault = read_long(in, whole);
  value = static_cast<From>(whole);
  return fault;
}

template <class To>
Fault as_int(Cursor& in, To& value) {
  int64_t whole = 0;
  const Fault fault = read_int(in, whole);
  value = static_cast<To>(whole);
  return fault;
}

}  // namespace

[[gnu::always_inline]] inline void Machine::start(ByteView datum) {
  begin_ = at_ = datum.data();
  end_ = datum.data() + datum.size();
  depth_ = 0;
  zero_size_left_ = kMaxZeroSizeItems;
  calls_left_ = kMaxZeroSizeItems + uint64_t{kMaxDepth} * datum.size();
  fault_ = Fault::none;
}

bool Machine::run(ByteView datum, uint32_t row, uint32_t* cuts, Output* out) {
  start(datum);
  row_ = row;
  cuts_ = cuts;
  out_ = out;
  if (datum.size() > kMaxDatumBytes) [[unlikely]]
    return stop(0, begin_, Fault::too_large);
  if (!walk(0)) [[unlikely]]
    return false;
  if (at_ != end_) [[unlikely]]
    return stop(static_cast<uint32_t>(program_.ops.size()), at_, Fault::trailing);
  return true;
}

bool Machine::run_prefix(ByteView bytes, size_t& used) {
  start(bytes);
  out_ = nullptr;
  if (!walk(0)) [[unlikely]]
    return false;
  used = static_cast<size_t>(at_ - begin_);
  if (used > kMaxDatumBytes) return stop(0, begin_, Fault::too_large);
  return true;
}

bool Machine::run_until(ByteView datum, const char* end, Output* out) {
  start(datum);
  out_ = out;
  if (!walk(0)) [[unlikely]]
    return false;
  if (at_ != end) [[unlikely]]
    return stop(static_cast<uint32_t>(program_.ops.size()), at_, Fault::trailing);
  return true;
}

bool Machine::stop(uint32_t pc, const char* at, Fault fault) {
  if (fault_ == Fault::none) fault_at_ = at;
  fault_ = fault;
  fault_pc_ = pc;
  return false;
}

// Passes over a value, or fills a slot from it.
[[gnu::always_inline]] inline Fault Machine::take(const Op& op, Cursor& in) {
  ByteView view;
  int64_t whole = 0;
  float single = 0;
  uint8_t truth = 0;
  Fault fault = Fault::none;
  switch (op.what) {
    case Do::ints:
      for (uint32_t left = op.a; left != 0 && fault == Fault::none; --left)
        fault = read_int(in, whole);
      return fault;
    case Do::boolean:
      return read_boolean(in, truth);
    case Do::bytes:
      return read_bytes(in, view);
    case Do::load_boolean:
      return read_boolean(in, columns_[op.slot].booleans[row_]);
    case Do::load_float:
      fault = read_float(in, single);
      columns_[op.slot].float64s[row_] = static_cast<double>(single);
      return fault;
    case Do::load_bytes:
      fault = read_bytes(in, view);
      load_view(op, view);
      return fault;
    case Do::load_fixed:
      load_view(op, {in.at, op.a});
      return skip_bytes(in, op.a);
    case Do::open_datum:
      load_view(op, {in.at, 0});
      return fault;
    case Do::close_datum:
      view = columns_[op.slot].views[row_];
      load_view(op, {view.data(), static_cast<size_t>(in.at - view.data())});
      return fault;
    default:
      break;
  }
  PENSTOCK_CHECK(false);
  return Fault::unresolved;
}

// Appends to the output.
[[gnu::always_inline]] inline Fault Machine::append(const Op& op, Cursor& in) {
  uint32_t index = 0;
  float single = 0;
  double number = 0;
  Fault fault = Fault::none;
  switch (op.what) {
    case Do::literal:
      out_->append_short(program_.literals.data() + op.a, op.b, kLiteralPad);
      return fault;
    case Do::int_to_float:
      fault = as_int(in, single);
      out_->raw(single);
      return fault;
    case Do::int_to_double:
      fault = as_int(in, number);
      out_->raw(number);
      return fault;
    case Do::long_to_float:
      fault = as_long(in, single);
      out_->raw(single);
      return fault;
    case Do::long_to_double:
      fault = as_long(in, number);
      out_->raw(number);
      return fault;
    case Do::float_to_double:
      fault = read_float(in, single);
      out_->raw(static_cast<double>(single));
      return fault;
    case Do::enum_map:
      fault = read_index(in, op.a, Fault::enum_index, index);
      if (fault != Fault::none) return fault;
      index = program_.targets[op.b + index];
      refused_ = op.slot;
      if (index == kNoSymbol) return Fault::unresolved;
      out_->varint(uint64_t{index} << 1);
      return fault;
    default:
      break;
  }
  PENSTOCK_CHECK(false);
  return Fault::unresolved;
}

// A fused operation: a literal and the value after it.
[[gnu::always_inline]] inline Fault Machine::put_value(const Op& op, Cursor& in, const Op*& next) {
  const char* const from = in.at;
  const Op& value = next[op.slot - 2];
  next += op.slot;
  ByteView view;
  int64_t whole = 0;
  uint32_t index = 0;
  Fault fault = Fault::none;
  switch (op.what) {
    case Do::put_fixed:
      fault = skip_bytes(in, value.a);
      break;
    case Do::put_int:
      fault = read_int(in, whole);
      break;
    case Do::put_long:
      fault = skip_long(in);
      break;
    case Do::put_string:
      fault = read_string(in, view);
      break;
    default:
      fault = read_index(in, value.a, Fault::enum_index, index);
      break;
  }
  out_->append_short(program_.literals.data() + op.a, op.b, kLiteralPad);
  out_->append_short(from, static_cast<size_t>(in.at - from), static_cast<size_t>(in.end - from));
  return fault;
}

// What has no parts of its own, without a call.
[[gnu::always_inline]] inline Fault Machine::step(const Op& op, Cursor& in, const Op*& next,
                                                  const char*& mark) {
  ByteView view;
  uint32_t index = 0;
  Fault fault = Fault::none;
  switch (op.what) {
    case Do::fixed:
      return skip_bytes(in, op.a);
    case Do::longs:
      for (uint32_t left = op.a; left != 0 && fault == Fault::none; --left) fault = skip_long(in);
      return fault;
    case Do::string:
      return read_string(in, view);
    case Do::enum_:
      return read_index(in, op.a, Fault::enum_index, index);
    case Do::union_:
      fault = read_index(in, op.a, Fault::union_index, index);
      if (fault == Fault::none) next = program_.ops.data() + program_.targets[op.b + index];
      return fault;
    case Do::jump:
      next = program_.ops.data() + op.a;
      return fault;
    case Do::load_int:
      return read_int(in, columns_[op.slot].int64s[row_]);
    case Do::load_long:
      return read_long(in, columns_[op.slot].int64s[row_]);
    case Do::load_double:
      return read_float(in, columns_[op.slot].float64s[row_]);
    case Do::load_string:
      fault = read_string(in, view);
      load_view(op, view);
      return fault;
    case Do::load_enum:
      fault = read_index(in, op.a, Fault::enum_index, index);
      if (fault == Fault::none) load_view(op, program_.symbols[op.b + index]);
      return fault;
    case Do::load_null:
      fault = read_index(in, 2, Fault::union_index, index);
      columns_[op.slot].nulls[row_] = index == op.a;
      if (index != op.a) return fault;
      set_null(op);
      next = program_.ops.data() + op.b;
      return fault;
    case Do::cut:
      cuts_[op.a] = static_cast<uint32_t>(in.at - begin_);
      return fault;
    case Do::mark:
      mark = in.at;
      return fault;
    case Do::copy:
      out_->append_short(mark, static_cast<size_t>(in.at - mark),
                         static_cast<size_t>(in.end - mark));
      return fault;
    case Do::leave:
      return kLeft;
    default:
      return rare_step(op, in, next);
  }
}

[[gnu::always_inline]] inline Fault Machine::rare_step(const Op& op, Cursor& in, const Op*& next) {
  if (op.what < Do::mark) return take(op, in);
  if (op.what >= Do::put_fixed && op.what <= Do::put_enum) return put_value(op, in, next);
  if (op.what < Do::array) return append(op, in);
  at_ = in.at;
  next_pc_ = static_cast<uint32_t>(next - program_.ops.data());
  const Fault fault = enter(op);
  in.at = at_;
  next = program_.ops.data() + next_pc_;
  return fault;
}

// The hot loop: `in` and `next` stay in registers. Nested things go through enter().
bool Machine::walk(uint32_t pc) {
  const Op* const ops = program_.ops.data();
  Cursor in{at_, end_, begin_};
  const char* mark = in.at;
  for (const Op* next = ops + pc;;) {
    const Op& op = *next++;
    const Fault fault = step(op, in, next, mark);
    if (fault == Fault::none) [[likely]]
      continue;
    if (op.what != Do::leave) return stop(static_cast<uint32_t>(&op - ops), in.at, fault);
    at_ = in.at;
    return true;
  }
}

// Whatever has parts: from at_ on. next_pc_ says where to go on.
Fault Machine::enter(const Op& op) {
  Cursor in{at_, end_, begin_};
  Fault fault = Fault::none;
  const uint32_t pc = next_pc_;
  switch (op.what) {
    case Do::call:
      fault = call(op.a, in);
      break;
    case Do::array:
    case Do::map:
    case Do::copy_array:
    case Do::copy_map:
      fault = items(op, pc, in);
      next_pc_ = op.a;
      break;
    case Do::void_array:
      fault = void_items(in);
      break;
    case Do::reorder:
      fault = reorder(op, in);
      next_pc_ = op.b;
      break;
    case Do::refuse:
      refused_ = op.a;
      fault = Fault::unresolved;
      break;
    default:
      PENSTOCK_CHECK(false);
  }
  // What was entered has entered other things meanwhile.
  if (op.what == Do::call || op.what == Do::void_array) next_pc_ = pc;
  at_ = in.at;
  return fault;
}

Fault Machine::nested(uint32_t pc, Cursor& in) {
  at_ = in.at;
  const char* const end = end_;
  end_ = in.end;
  const bool whole = walk(pc);
  end_ = end;
  if (!whole) return fault_;
  in.at = at_;
  return Fault::none;
}

Fault Machine::call(uint32_t pc, Cursor& in) {
  if (depth_ == kMaxDepth) return Fault::depth;
  if (calls_left_-- == 0) return Fault::zero_size;
  if (out_ != nullptr && out_->written() > kMaxResolvedBytes) return Fault::too_large;
  ++depth_;
  const Fault fault = nested(pc, in);
  --depth_;
  return fault;
}

Fault Machine::items(const Op& op, uint32_t pc, Cursor& in) {
  if (depth_ == kMaxDepth) return Fault::depth;
  const bool copies = op.what == Do::copy_array || op.what == Do::copy_map;
  ++depth_;
  for (;;) {
    uint64_t count = 0;
    const char* block_end = nullptr;
    Fault fault = read_block(in, op.b, count, block_end);
    if (fault != Fault::none) return fault;
    if (op.b == 0) {
      if (count > zero_size_left_) return Fault::zero_size;
      zero_size_left_ -= static_cast<uint32_t>(count);
    }
    // An empty block with a byte size ends the sequence like any other count of 0.
    if (copies) out_->varint(count << 1);
    if (count != 0) fault = block_items(op, pc, in, count);
    if (fault != Fault::none) return fault;
    if (block_end != nullptr && in.at != block_end) return Fault::block;
    if (count == 0) break;
  }
  --depth_;
  return Fault::none;
}

Fault Machine::block_items(const Op& op, uint32_t pc, Cursor& in, uint64_t count) {
  const Op& first = program_.ops[pc];
  if (op.what == Do::array && first.what == Do::fixed && program_.ops[pc + 1].what == Do::leave) {
    return skip_bytes(in, count * first.a);  // read_block saw that it fits
  }
  for (; count != 0; --count) {
    if (op.what == Do::map || op.what == Do::copy_map) {
      const char* const key = in.at;
      ByteView text;
      if (const Fault fault = read_string(in, text); fault != Fault::none) return fault;
      if (op.what == Do::copy_map) out_->append(key, static_cast<size_t>(in.at - key));
    }
    if (const Fault fault = nested(pc, in); fault != Fault::none) return fault;
    if (out_ != nullptr && out_->written() > kMaxResolvedBytes) return Fault::too_large;
  }
  return Fault::none;
}

Fault Machine::void_items(Cursor& in) {
  for (;;) {
    uint64_t count = 0;
    const char* block_end = nullptr;
    if (const Fault fault = read_block(in, 0, count, block_end); fault != Fault::none) return fault;
    if (count > zero_size_left_) return Fault::zero_size;
    zero_size_left_ -= static_cast<uint32_t>(count);
    if (block_end != nullptr && in.at != block_end) return Fault::block;
    if (count == 0) return Fault::none;
  }
}

// targets[a …]: the writer's number of fields w, w programs that validate one each; the reader's
// number of fields r, r pairs of (writer's field or kNoSymbol, program that appends the reader's
// field).
Fault Machine::reorder(const Op& op, Cursor& in) {
  thread_local std::vector<const char*> starts;  // a stack: records may nest
  const uint32_t* table = program_.targets.data() + op.a;
  const size_t base = starts.size();
  const uint32_t writer_fields = *table++;
  Fault fault = Fault::none;
  for (uint32_t at = 0; at < writer_fields && fault == Fault::none; ++at) {
    starts.push_back(in.at);
    fault = nested(*table++, in);
  }
  const uint32_t reader_fields = fault == Fault::none ? *table++ : 0;
  for (uint32_t at = 0; at < reader_fields && fault == Fault::none; ++at, table += 2) {
    Cursor field{table[0] == kNoSymbol ? in.at : starts[base + table[0]], in.end, in.begin};
    fault = nested(table[1], field);
  }
  starts.resize(base);
  return fault;
}

void Machine::set_null(const Op& op) {
  const row::Column& column = columns_[op.slot];
  switch (static_cast<row::Kind>(op.c)) {
    case row::Kind::boolean:
      column.booleans[row_] = 0;
      return;
    case row::Kind::int64:
      column.int64s[row_] = 0;
      return;
    case row::Kind::float64:
      column.float64s[row_] = 0;
      return;
    case row::Kind::string:
    case row::Kind::bytes:
    case row::Kind::datum:
      column.views[row_] = {"", 0};
      return;
  }
}

std::string Machine::explain() const {
  std::string_view text = fault_text(fault_);
  if (fault_ == Fault::unresolved && refused_ < program_.texts.size())
    text = program_.texts[refused_];
  return fmt::format("{}, at byte {}", text, fault_at_ - begin_);
}

uint16_t Machine::field() const {
  return fault_pc_ < program_.fields.size() ? program_.fields[fault_pc_] : kNoField;
}

}  // namespace penstock::avro
