// The loops over whole registers. Each agrees with apply() in function.cc, lane by lane.

#include "rule/conversion.h"
#include "rule/lanes.h"
#include "rule/literal.h"
#include "rule/time.h"

#include <cmath>
#include <cstring>

namespace penstock::rule {

namespace {

// The bad marks of two registers together, without writing where one has none.
const uint8_t* either_bad(const Register& a, const Register& b, uint8_t* own, size_t n) {
  if (a.bad == nullptr) return b.bad;
  if (b.bad == nullptr) return a.bad;
  for (size_t i = 0; i < n; i++) own[i] = a.bad[i] | b.bad[i];
  return own;
}

bool any(const uint8_t* marks, size_t n) {
  uint8_t seen = 0;
  for (size_t i = 0; i < n; i++) seen |= marks[i];
  return seen != 0;
}

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

bool decided(const Instruction& in, const Register* registers, size_t lane) {
  for (const Guard& guard : in.guards) {
    const Register& reg = registers[guard.reg];
    const bool bad = reg.bad != nullptr && reg.bad[lane] != 0;
    if (!bad && (reg.values<uint8_t>()[lane] != 0) == guard.decided_by) return true;
  }
  return false;
}

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

// --- Comparisons

struct Less {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    return a < b;
  }
};
struct LessEqual {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    return a <= b;
  }
};
struct Greater {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    return a > b;
  }
};
struct GreaterEqual {
  template <class T>
  bool operator()(const T& a, const T& b) const {
    return a >= b;
  }
};

template <class T, class Op>
void ordered(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  const Register& b = registers[in.b];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  const T* x = a.values<T>();
  const T* y = b.values<T>();
  uint8_t* own = to.own<uint8_t>();
  for (size_t i = 0; i < n; i++) own[i] = Op()(x[i], y[i]) ? 1 : 0;
  to.bad = either_bad(a, b, to.own_bad, n);
}

// == and != take nulls as well: null equals null and nothing else.
template <class T, bool kEqual>
void equality(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  const Register& b = registers[in.b];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  const T* x = a.values<T>();
  const T* y = b.values<T>();
  uint8_t* own = to.own<uint8_t>();
  for (size_t i = 0; i < n; i++) own[i] = (x[i] == y[i]) == kEqual ? 1 : 0;
  to.bad = either_bad(a, b, to.own_bad, n);
  if (a.nulls == nullptr && b.nulls == nullptr) return;
  for (size_t i = 0; i < n; i++) {
    const bool a_null = a.nulls != nullptr && a.nulls[i] != 0;
    const bool b_null = b.nulls != nullptr && b.nulls[i] != 0;
    if (a_null || b_null) own[i] = (a_null && b_null) == kEqual ? 1 : 0;
  }
}

template <bool kEqual>
void is_null(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  Register& to = registers[in.to];
  uint8_t* own = to.own<uint8_t>();
  const size_t n = chunk.rows.size();
  to.bad = a.bad;
  if (a.nulls == nullptr) {
    std::memset(own, kEqual ? 0 : 1, n);
    return;
  }
  for (size_t i = 0; i < n; i++) own[i] = kEqual ? a.nulls[i] : a.nulls[i] ^ 1U;
}

// --- Arithmetic

struct Add {
  template <class T>
  static bool run(T a, T b, T& to) {
    return __builtin_add_overflow(a, b, &to);
  }
  static double run(double a, double b) { return a + b; }
};
struct Subtract {
  template <class T>
  static bool run(T a, T b, T& to) {
    return __builtin_sub_overflow(a, b, &to);
  }
  static double run(double a, double b) { return a - b; }
};
struct Multiply {
  template <class T>
  static bool run(T a, T b, T& to) {
    return __builtin_mul_overflow(a, b, &to);
  }
  static double run(double a, double b) { return a * b; }
};
struct Divide {
  template <class T>
  static bool run(T a, T b, T& to) {
    if (b == 0) return true;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return __builtin_sub_overflow(T{0}, a, &to);
    to = a / b;
    return false;
  }
  static double run(double a, double b) { return a / b; }
};
struct Modulo {
  template <class T>
  static bool run(T a, T b, T& to) {
    if (b == 0) return true;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) {
        to = 0;
        return a == INT64_MIN;
      }
    to = a % b;
    return false;
  }
};

template <class T, class Op>
void whole_arithmetic(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  const Register& b = registers[in.b];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  const T* x = a.values<T>();
  const T* y = b.values<T>();
  T* own = to.own<T>();
  uint8_t seen = 0;
  for (size_t i = 0; i < n; i++) {
    T result = 0;
    const uint8_t wrong = Op::run(x[i], y[i], result) ? 1 : 0;
    own[i] = result;
    to.own_bad[i] = wrong;
    seen |= wrong;
  }
  if (seen == 0) {
    to.bad = either_bad(a, b, to.own_bad, n);
    return;
  }
  for (const Register* each : {&a, &b})
    if (each->bad != nullptr)
      for (size_t i = 0; i < n; i++) to.own_bad[i] |= each->bad[i];
  to.bad = to.own_bad;
}

template <class Op>
void real_arithmetic(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  const Register& b = registers[in.b];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  const auto* x = a.values<double>();
  const auto* y = b.values<double>();
  auto* own = to.own<double>();
  for (size_t i = 0; i < n; i++) own[i] = Op::run(x[i], y[i]);
  to.bad = either_bad(a, b, to.own_bad, n);
}

void join(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  const Register& b = registers[in.b];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  auto* own = to.own<ByteView>();
  for (size_t i = 0; i < n; i++) {
    const ByteView x = a.values<ByteView>()[i];
    const ByteView y = b.values<ByteView>()[i];
    char* both = static_cast<char*>(chunk.arena->allocate(x.size() + y.size(), 1));
    if (!x.empty()) std::memcpy(both, x.data(), x.size());
    if (!y.empty()) std::memcpy(both + x.size(), y.data(), y.size());
    own[i] = {both, x.size() + y.size()};
  }
  to.bad = either_bad(a, b, to.own_bad, n);
}

// --- One operand

// `convert` answers false for an error.
template <class From, class To, class Convert>
void converted(const Instruction& in, Register* registers, const Chunk& chunk, Convert convert) {
  const Register& a = registers[in.a];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  const From* x = a.values<From>();
  To* own = to.own<To>();
  uint8_t seen = 0;
  for (size_t i = 0; i < n; i++) {
    const uint8_t wrong = convert(x[i], own[i]) ? 0 : 1;
    to.own_bad[i] = static_cast<uint8_t>(wrong | (a.bad != nullptr ? a.bad[i] : 0));
    seen |= wrong;
  }
  to.bad = seen != 0 ? to.own_bad : a.bad;
}

void negate_not(const Instruction& in, Register* registers, const Chunk& chunk) {
  converted<uint8_t, uint8_t>(in, registers, chunk, [](uint8_t x, uint8_t& to) {
    to = x ^ 1U;
    return true;
  });
}
void negate_int(const Instruction& in, Register* registers, const Chunk& chunk) {
  converted<int64_t, int64_t>(in, registers, chunk, [](int64_t x, int64_t& to) {
    return !__builtin_sub_overflow(int64_t{0}, x, &to);
  });
}
void negate_real(const Instruction& in, Register* registers, const Chunk& chunk) {
  converted<double, double>(in, registers, chunk, [](double x, double& to) {
    to = -x;
    return true;
  });
}
template <class From>
void to_real(const Instruction& in, Register* registers, const Chunk& chunk) {
  converted<From, double>(in, registers, chunk, [](From x, double& to) {
    to = static_cast<double>(x);
    return true;
  });
}
void real_to_int(const Instruction& in, Register* registers, const Chunk& chunk) {
  converted<double, int64_t>(in, registers, chunk, [](double x, int64_t& to) {
    const auto whole = int_of_double(x);
    to = whole.value_or(0);
    return whole.has_value();
  });
}
void count_characters(const Instruction& in, Register* registers, const Chunk& chunk) {
  converted<ByteView, int64_t>(in, registers, chunk, [](ByteView x, int64_t& to) {
    to = count_code_points(x);
    return true;
  });
}

// --- Texts

template <class Op>
void search(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  const Register& b = registers[in.b];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  auto* own = to.own<uint8_t>();
  for (size_t i = 0; i < n; i++)
    own[i] = Op()(a.values<ByteView>()[i], b.values<ByteView>()[i]) ? 1 : 0;
  to.bad = either_bad(a, b, to.own_bad, n);
}
struct Contains {
  bool operator()(ByteView text, ByteView part) const { return text.find(part) != ByteView::npos; }
};
struct StartsWith {
  bool operator()(ByteView text, ByteView part) const { return text.starts_with(part); }
};
struct EndsWith {
  bool operator()(ByteView text, ByteView part) const { return text.ends_with(part); }
};

void matches(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  Register& to = registers[in.to];
  auto* own = to.own<uint8_t>();
  for (size_t i = 0; i < chunk.rows.size(); i++)
    own[i] = !decided(in, registers, i) && in.pattern->found_in(a.values<ByteView>()[i]) ? 1 : 0;
  to.bad = a.bad;
}

bool holds(const Value& value, int64_t x) { return value.int64 == x; }
bool holds(const Value& value, uint64_t x) { return value.uint64 == x; }
bool holds(const Value& value, double x) { return value.float64 == x; }
bool holds(const Value& value, ByteView x) { return value.text() == x; }

template <class T>
void in_list(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  auto* own = to.own<uint8_t>();
  for (size_t i = 0; i < n; i++) {
    bool found = false;
    for (const Value& value : in.list) found = found || holds(value, a.values<T>()[i]);
    own[i] = found && (a.nulls == nullptr || a.nulls[i] == 0) ? 1 : 0;
  }
  to.bad = a.bad;
}

// --- Logic

// Whichever side decides (false for &&, true for ||) wins over an error of the other.
template <bool kAnd>
void logic(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& a = registers[in.a];
  const Register& b = registers[in.b];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  const auto* x = a.values<uint8_t>();
  const auto* y = b.values<uint8_t>();
  auto* own = to.own<uint8_t>();
  to.bad = nullptr;
  if (a.bad == nullptr && b.bad == nullptr) {
    for (size_t i = 0; i < n; i++) own[i] = kAnd ? x[i] & y[i] : x[i] | y[i];
    return;
  }
  uint8_t seen = 0;
  for (size_t i = 0; i < n; i++) {
    const uint8_t a_bad = a.bad != nullptr ? a.bad[i] : 0;
    const uint8_t b_bad = b.bad != nullptr ? b.bad[i] : 0;
    const uint8_t a_decides = static_cast<uint8_t>((x[i] ^ (kAnd ? 1U : 0U)) & (a_bad ^ 1U));
    const uint8_t b_decides = static_cast<uint8_t>((y[i] ^ (kAnd ? 1U : 0U)) & (b_bad ^ 1U));
    const uint8_t decides = a_decides | b_decides;
    own[i] = kAnd ? decides ^ 1U : decides;
    to.own_bad[i] = static_cast<uint8_t>((a_bad | b_bad) & (decides ^ 1U));
    seen |= to.own_bad[i];
  }
  if (seen != 0) to.bad = to.own_bad;
}

template <class T>
void conditional(const Instruction& in, Register* registers, const Chunk& chunk) {
  const Register& condition = registers[in.a];
  const Register& yes = registers[in.b];
  const Register& no = registers[in.c];
  Register& to = registers[in.to];
  const size_t n = chunk.rows.size();
  const auto* x = condition.values<uint8_t>();
  T* own = to.own<T>();
  for (size_t i = 0; i < n; i++) own[i] = x[i] != 0 ? yes.values<T>()[i] : no.values<T>()[i];
  to.bad = nullptr;
  to.nulls = nullptr;
  const auto mark = [&](const Register& branch, const uint8_t* marks, size_t i) {
    return marks != nullptr && &branch == (x[i] != 0 ? &yes : &no) ? marks[i] : uint8_t{0};
  };
  if (condition.bad != nullptr || yes.bad != nullptr || no.bad != nullptr) {
    for (size_t i = 0; i < n; i++)
      to.own_bad[i] = static_cast<uint8_t>((condition.bad != nullptr ? condition.bad[i] : 0) |
                                           mark(yes, yes.bad, i) | mark(no, no.bad, i));
    if (any(to.own_bad, n)) to.bad = to.own_bad;
  }
  if (yes.nulls == nullptr && no.nulls == nullptr) return;
  for (size_t i = 0; i < n; i++)
    to.own_nulls[i] = static_cast<uint8_t>(mark(yes, yes.nulls, i) | mark(no, no.nulls, i));
  to.nulls = to.own_nulls;
}

template <class T>
Kernel order_kernel(Fn fn) {
  switch (fn) {
    case Fn::lt:
      return ordered<T, Less>;
    case Fn::le:
      return ordered<T, LessEqual>;
    case Fn::gt:
      return ordered<T, Greater>;
    case Fn::ge:
      return ordered<T, GreaterEqual>;
    case Fn::eq:
      return equality<T, true>;
    case Fn::ne:
      return equality<T, false>;
    default:
      return nullptr;
  }
}

template <class T>
Kernel whole_kernel(Fn fn) {
  switch (fn) {
    case Fn::add:
      return whole_arithmetic<T, Add>;
    case Fn::subtract:
      return whole_arithmetic<T, Subtract>;
    case Fn::multiply:
      return whole_arithmetic<T, Multiply>;
    case Fn::divide:
      return whole_arithmetic<T, Divide>;
    case Fn::modulo:
      return whole_arithmetic<T, Modulo>;
    default:
      return order_kernel<T>(fn);
  }
}

Kernel real_kernel(Fn fn) {
  switch (fn) {
    case Fn::add:
      return real_arithmetic<Add>;
    case Fn::subtract:
      return real_arithmetic<Subtract>;
    case Fn::multiply:
      return real_arithmetic<Multiply>;
    case Fn::divide:
      return real_arithmetic<Divide>;
    default:
      return order_kernel<double>(fn);
  }
}

Kernel text_kernel(Fn fn) {
  switch (fn) {
    case Fn::add:
      return join;
    case Fn::contains:
      return search<Contains>;
    case Fn::starts_with:
      return search<StartsWith>;
    case Fn::ends_with:
      return search<EndsWith>;
    default:
      return order_kernel<ByteView>(fn);
  }
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

// One kernel for each lane.
#define PENSTOCK_PER_LANE(kernel) \
  switch (lane) {                 \
    case Lane::boolean:           \
      return kernel<uint8_t>;     \
    case Lane::int64:             \
      return kernel<int64_t>;     \
    case Lane::uint64:            \
      return kernel<uint64_t>;    \
    case Lane::float64:           \
      return kernel<double>;      \
    case Lane::text:              \
      return kernel<ByteView>;    \
    case Lane::time:              \
      return kernel<Time>;        \
  }                               \
  return nullptr

Kernel interpret_kernel(Lane lane) { PENSTOCK_PER_LANE(interpret); }
Kernel conditional_kernel(Lane lane) { PENSTOCK_PER_LANE(conditional); }
#undef PENSTOCK_PER_LANE

Kernel binary_kernel(Fn fn, Lane lane) {
  switch (lane) {
    case Lane::boolean:
      return order_kernel<uint8_t>(fn);
    case Lane::int64:
      return whole_kernel<int64_t>(fn);
    case Lane::uint64:
      return whole_kernel<uint64_t>(fn);
    case Lane::float64:
      return real_kernel(fn);
    case Lane::text:
      return text_kernel(fn);
    case Lane::time:
      return order_kernel<Time>(fn);
  }
  return nullptr;
}

Kernel unary_kernel(Fn fn, Lane from) {
  if (fn == Fn::not_ && from == Lane::boolean) return negate_not;
  if (fn == Fn::negate && from == Lane::int64) return negate_int;
  if (fn == Fn::negate && from == Lane::float64) return negate_real;
  if (fn == Fn::to_double && from == Lane::int64) return to_real<int64_t>;
  if (fn == Fn::to_double && from == Lane::uint64) return to_real<uint64_t>;
  if (fn == Fn::to_int && from == Lane::float64) return real_to_int;
  if (fn == Fn::size && from == Lane::text) return count_characters;
  return nullptr;
}

Kernel null_kernel(Fn fn) { return fn == Fn::eq ? is_null<true> : is_null<false>; }
Kernel and_kernel() { return logic<true>; }
Kernel or_kernel() { return logic<false>; }
Kernel matches_kernel() { return matches; }

Kernel in_kernel(Lane lane) {
  if (lane == Lane::int64) return in_list<int64_t>;
  if (lane == Lane::uint64) return in_list<uint64_t>;
  if (lane == Lane::float64) return in_list<double>;
  if (lane == Lane::text) return in_list<ByteView>;
  return nullptr;
}

}  // namespace penstock::rule
