// What fills a register from outside: the columns of a batch, and the row-by-row evaluator.

#include "rule/conversion.h"
#include "rule/lane_marks.h"
#include "rule/time.h"

namespace penstock::rule {

namespace {

// --- Columns

const row::Column& column_of(const Instruction& in, const Chunk& chunk) {
  return chunk.batch->columns[chunk.slots[in.slot]];
}

void load_nulls(const Instruction& in, Register& to, const row::Column& column,
                const Chunk& chunk) {
  to.bad = nullptr;
  to.nulls = nullptr;
  if (column.nulls == nullptr) return;
  const uint8_t* nulls = column.nulls + chunk.rows[0];
  if (!chunk.dense) {
    for (size_t i = 0; i < chunk.rows.size(); i++) to.own_nulls[i] = column.nulls[chunk.rows[i]];
    nulls = to.own_nulls;
  }
  (in.non_null ? to.bad : to.nulls) = nulls;
}

template <class T>
void load(const Instruction& in, Register* registers, const Chunk& chunk) {
  const row::Column& column = column_of(in, chunk);
  Register& to = registers[in.to];
  load_nulls(in, to, column, chunk);
  const T* slots = static_cast<const T*>(column.slots);
  if (chunk.dense) {
    to.data = slots + chunk.rows[0];
    return;
  }
  T* own = to.own<T>();
  for (size_t i = 0; i < chunk.rows.size(); i++) own[i] = slots[chunk.rows[i]];
}

// Loads that convert, and so may fail: timestamps, dates, durations, decimals.
template <class T, class Convert>
void load_converted(const Instruction& in, Register* registers, const Chunk& chunk,
                    Convert convert) {
  const row::Column& column = column_of(in, chunk);
  Register& to = registers[in.to];
  load_nulls(in, to, column, chunk);
  T* own = to.own<T>();
  const size_t n = chunk.rows.size();
  uint8_t seen = 0;
  const uint8_t* bad = to.bad;
  for (size_t i = 0; i < n; i++) {
    const bool null = column.is_null(chunk.rows[i]);
    const uint8_t wrong = !convert(column, chunk.rows[i], own[i]) && !null ? 1 : 0;
    to.own_bad[i] = static_cast<uint8_t>((bad != nullptr ? bad[i] : 0) | wrong);
    seen |= wrong;
  }
  if (seen != 0) to.bad = to.own_bad;
}

void load_time(const Instruction& in, Register* registers, const Chunk& chunk) {
  const int64_t per_second = in.reading.per_second;
  const auto convert = [](const row::Column& column, uint32_t row, Time& to, int64_t unit) {
    to = time_of_units(column.int64s[row], unit);
    return in_range(to);
  };
  // The unit as a constant, so that the division becomes a multiplication.
  if (per_second == 1'000'000)
    return load_converted<Time>(in, registers, chunk, [&](const auto& c, uint32_t r, Time& t) {
      return convert(c, r, t, 1'000'000);
    });
  if (per_second == 1'000)
    return load_converted<Time>(in, registers, chunk, [&](const auto& c, uint32_t r, Time& t) {
      return convert(c, r, t, 1'000);
    });
  load_converted<Time>(in, registers, chunk, [&](const auto& c, uint32_t r, Time& t) {
    return convert(c, r, t, per_second);
  });
}

void load_day(const Instruction& in, Register* registers, const Chunk& chunk) {
  load_converted<Time>(in, registers, chunk, [](const auto& column, uint32_t row, Time& to) {
    const int64_t days = column.int64s[row];
    if (days < -10'000'000 || days > 10'000'000) return false;
    to = {days * 86'400, 0};
    return in_range(to);
  });
}

void load_duration(const Instruction& in, Register* registers, const Chunk& chunk) {
  const int64_t unit = kNanosPerSecond / in.reading.per_second;
  load_converted<int64_t>(in, registers, chunk, [&](const auto& column, uint32_t row, auto& to) {
    return !__builtin_mul_overflow(column.int64s[row], unit, &to);
  });
}

void load_decimal(const Instruction& in, Register* registers, const Chunk& chunk) {
  load_converted<double>(in, registers, chunk, [&](const auto& column, uint32_t row, auto& to) {
    to = double_of_decimal(column.views[row], in.reading.scale);
    return true;
  });
}

// --- Row by row

bool store(const Value& value, uint8_t& to) {
  to = value.is_true() ? 1 : 0;
  return value.kind == ValueKind::bool_;
}
bool store(const Value& value, int64_t& to) {
  to = value.int64;
  return value.kind == ValueKind::int_ || value.kind == ValueKind::duration;
}
bool store(const Value& value, uint64_t& to) {
  to = value.uint64;
  return value.kind == ValueKind::uint_;
}
bool store(const Value& value, double& to) {
  to = value.float64;
  return value.kind == ValueKind::double_;
}
bool store(const Value& value, Time& to) {
  to = value.time();
  return value.kind == ValueKind::timestamp;
}
bool store(const Value& value, ByteView& to) {
  const bool text = value.kind == ValueKind::string || value.kind == ValueKind::bytes;
  to = text ? value.text() : ByteView();
  return text;
}

template <class T>
void interpret(const Instruction& in, Register* registers, const Chunk& chunk) {
  Register& to = registers[in.to];
  T* own = to.own<T>();
  const size_t n = chunk.rows.size();
  for (size_t i = 0; i < n; i++) {
    own[i] = T{};
    to.own_bad[i] = to.own_nulls[i] = 0;
    if (decided(in, registers, i)) continue;
    const Value value = chunk.interpret(chunk.self, *in.expr, chunk.rows[i], *chunk.arena);
    if (value.kind == ValueKind::null_ &&
        (in.expr->type->nullable || in.expr->type->kind == TypeKind::null_))
      to.own_nulls[i] = 1;
    else if (!store(value, own[i]))
      to.own_bad[i] = 1;
  }
  to.bad = any(to.own_bad, n) ? to.own_bad : nullptr;
  to.nulls = any(to.own_nulls, n) ? to.own_nulls : nullptr;
}

}  // namespace

Kernel load_kernel(Lane lane, const Reading& reading) {
  switch (reading.how) {
    case Reading::How::time:
      return load_time;
    case Reading::How::day:
      return load_day;
    case Reading::How::duration:
      return load_duration;
    case Reading::How::decimal:
      return load_decimal;
    case Reading::How::plain:
      break;
  }
  switch (lane) {
    case Lane::boolean:
      return load<uint8_t>;
    case Lane::int64:
      return load<int64_t>;
    case Lane::float64:
      return load<double>;
    case Lane::text:
      return load<ByteView>;
    case Lane::uint64:
    case Lane::time:
      break;
  }
  return nullptr;
}

Kernel interpret_kernel(Lane lane) {
  return kernel_of(lane, []<class T>(std::type_identity<T>) -> Kernel { return interpret<T>; });
}

}  // namespace penstock::rule
