// The loops of operators and functions. Each agrees with apply() in function.cc, lane by lane.

#include "rule/conversion.h"
#include "rule/lane_marks.h"
#include "rule/literal.h"
#include "rule/time.h"

#include <cmath>
#include <cstring>

namespace penstock::rule {

namespace {

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

}  // namespace penstock::rule
