// The loops that choose: null or not, && and ||, conditions, lists of constants, patterns.

#include "rule/lane_marks.h"

#include <cstring>

namespace penstock::rule {

namespace {

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

}  // namespace

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

Kernel conditional_kernel(Lane lane) {
  return kernel_of(lane, []<class T>(std::type_identity<T>) -> Kernel { return conditional<T>; });
}

}  // namespace penstock::rule
