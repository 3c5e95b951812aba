// From a checked expression to a plan of kernels.

#include "rule/lanes.h"

#include <algorithm>

namespace penstock::rule {

namespace {

size_t lane_bytes(Lane lane) {
  switch (lane) {
    case Lane::boolean:
      return 1;
    case Lane::int64:
    case Lane::uint64:
    case Lane::float64:
      return 8;
    case Lane::text:
    case Lane::time:
      break;
  }
  return 16;
}

bool is_null(const Expr& expr) { return expr.type->kind == TypeKind::null_; }

bool is_number(Lane lane) {
  return lane == Lane::int64 || lane == Lane::uint64 || lane == Lane::float64;
}

class Planner {
 public:
  Planner(std::span<const Reading> readings, Arena& arena) : readings_(readings), arena_(arena) {}

  std::optional<Plan> plan(const Expr& root) {
    const std::optional<Lane> lane =
        root.type->kind == TypeKind::dyn ? Lane::boolean : lane_of(*root.type);
    if (!lane || is_null(root)) return std::nullopt;
    plan_.result = compile(root, *lane);
    if (plan_.code.size() > kInstructionsMax || plan_.lanes.size() > kInstructionsMax)
      return std::nullopt;
    return std::move(plan_);
  }

 private:
  uint16_t new_register(Lane lane) {
    plan_.lanes.push_back(lane);
    return static_cast<uint16_t>(plan_.lanes.size() - 1);
  }

  uint16_t emit(Instruction instruction, Lane lane) {
    instruction.to = new_register(lane);
    plan_.code.push_back(instruction);
    return instruction.to;
  }

  uint16_t constant(const Value& value, Lane lane) {
    const uint16_t to = new_register(lane);
    plan_.constants.emplace_back(to, value);
    return to;
  }

  // The register that holds `expr` as `lane`; whatever has no kernel is interpreted.
  uint16_t compile(const Expr& expr, Lane lane) {
    if (plan_.lanes.size() > kInstructionsMax) return 0;  // given up: plan() sees it
    if (expr.kind == ExprKind::literal && (is_null(expr) || lane_of(*expr.type) == lane))
      return constant(expr.value, lane);
    if (lane_of(*expr.type) != lane) return interpreted(expr, lane);
    switch (expr.kind) {
      case ExprKind::name:
        return expr.ref == Ref::variable ? loaded(expr, lane) : interpreted(expr, lane);
      case ExprKind::all_of:
      case ExprKind::any_of:
        return joined(expr);
      case ExprKind::conditional:
        return conditional(expr, lane);
      case ExprKind::call:
        return call(expr, lane);
      case ExprKind::has:
        return has(expr, lane);
      default:
        return interpreted(expr, lane);
    }
  }

  uint16_t interpreted(const Expr& expr, Lane lane) {
    Instruction in;
    in.kernel = interpret_kernel(lane);
    in.expr = &expr;
    in.guards = guards_here();
    return emit(in, lane);
  }

  std::span<const Guard> guards_here() {
    if (guards_.empty()) return {};
    const std::span<Guard> kept = arena_.array<Guard>(guards_.size());
    std::ranges::copy(guards_, kept.begin());
    return kept;
  }

  uint16_t loaded(const Expr& expr, Lane lane) {
    for (const Instruction& each : plan_.code)
      if (each.kernel == load_kernel(lane, readings_[expr.slot]) && each.slot == expr.slot &&
          each.non_null == expr.non_null && each.expr == nullptr)
        return each.to;
    Instruction in;
    in.kernel = load_kernel(lane, readings_[expr.slot]);
    in.slot = expr.slot;
    in.non_null = expr.non_null;
    in.reading = readings_[expr.slot];
    return in.kernel == nullptr ? interpreted(expr, lane) : emit(in, lane);
  }

  uint16_t joined(const Expr& expr) {
    const bool all = expr.kind == ExprKind::all_of;
    uint16_t left = compile(*expr.args[0], Lane::boolean);
    const size_t before = guards_.size();
    for (size_t i = 1; i < expr.args.size(); i++) {
      guards_.push_back({left, !all});
      Instruction in;
      in.kernel = all ? and_kernel() : or_kernel();
      in.a = left;
      in.b = compile(*expr.args[i], Lane::boolean);
      left = emit(in, Lane::boolean);
    }
    guards_.resize(before);
    return left;
  }

  uint16_t conditional(const Expr& expr, Lane lane) {
    Instruction in;
    in.kernel = conditional_kernel(lane);
    in.a = compile(*expr.args[0], Lane::boolean);
    const size_t before = guards_.size();
    guards_.push_back({in.a, false});
    in.b = compile(*expr.args[1], lane);
    guards_[before].decided_by = true;
    in.c = compile(*expr.args[2], lane);
    guards_.resize(before);
    return emit(in, lane);
  }

  // has() of a field of the record itself: is it null?
  uint16_t has(const Expr& expr, Lane lane) {
    const auto field = lane_of(*expr.args[0]->type);
    if (!expr.text.empty() || !field) return interpreted(expr, lane);
    Instruction in;
    in.kernel = null_kernel(Fn::ne);
    in.a = compile(*expr.args[0], *field);
    return emit(in, Lane::boolean);
  }

  uint16_t call(const Expr& expr, Lane lane) {
    if (expr.extension != nullptr || expr.optional) return interpreted(expr, lane);
    if (expr.fn == Fn::in) return in_list(expr, lane);
    if (expr.fn == Fn::matches) return matches(expr, lane);
    if (expr.args.size() == 1) return unary(expr, lane);
    if (expr.args.size() == 2) return binary(expr, lane);
    return interpreted(expr, lane);
  }

  uint16_t unary(const Expr& expr, Lane lane) {
    const Type& type = *expr.args[0]->type;
    const auto from = lane_of(type);
    const bool unit = type.kind == TypeKind::duration || type.kind == TypeKind::bytes;
    if (!from || unit) return interpreted(expr, lane);
    const bool same = (expr.fn == Fn::to_int && type.kind == TypeKind::int_) ||
                      (expr.fn == Fn::to_double && type.kind == TypeKind::double_) ||
                      (expr.fn == Fn::to_string && type.kind == TypeKind::string);
    if (same) return compile(*expr.args[0], lane);
    Instruction in;
    in.kernel = unary_kernel(expr.fn, *from);
    if (in.kernel == nullptr) return interpreted(expr, lane);
    in.a = compile(*expr.args[0], *from);
    return emit(in, lane);
  }

  uint16_t binary(const Expr& expr, Lane lane) {
    const Expr& a = *expr.args[0];
    const Expr& b = *expr.args[1];
    const bool equality = expr.fn == Fn::eq || expr.fn == Fn::ne;
    if (equality && (is_null(a) || is_null(b))) return compared_with_null(expr, lane);
    const auto a_lane = lane_of(*a.type);
    const auto b_lane = lane_of(*b.type);
    if (!a_lane || !b_lane) return interpreted(expr, lane);
    Lane common = *a_lane;
    if (*a_lane != *b_lane) {
      // Numbers across types are ordered as doubles; int with uint is left to the interpreter.
      const bool real = *a_lane == Lane::float64 || *b_lane == Lane::float64;
      if (!is_number(*a_lane) || !is_number(*b_lane) || !real) return interpreted(expr, lane);
      common = Lane::float64;
    } else if (a.type->kind != b.type->kind) {
      return interpreted(expr, lane);
    }
    Instruction in;
    in.kernel = binary_kernel(expr.fn, common);
    if (in.kernel == nullptr) return interpreted(expr, lane);
    in.a = as(a, *a_lane, common);
    in.b = as(b, *b_lane, common);
    return emit(in, lane);
  }

  uint16_t as(const Expr& expr, Lane from, Lane to) {
    const uint16_t reg = compile(expr, from);
    if (from == to) return reg;
    Instruction in;
    in.kernel = unary_kernel(Fn::to_double, from);
    in.a = reg;
    return emit(in, to);
  }

  uint16_t compared_with_null(const Expr& expr, Lane lane) {
    const Expr& other = is_null(*expr.args[0]) ? *expr.args[1] : *expr.args[0];
    const auto other_lane = lane_of(*other.type);
    if (!other_lane || is_null(other)) return interpreted(expr, lane);
    Instruction in;
    in.kernel = null_kernel(expr.fn);
    in.a = compile(other, *other_lane);
    return emit(in, lane);
  }

  uint16_t in_list(const Expr& expr, Lane lane) {
    const Expr& sought = *expr.args[0];
    const Expr& list = *expr.args[1];
    const auto from = lane_of(*sought.type);
    const bool constants =
        list.kind == ExprKind::list && std::ranges::all_of(list.args, [&](const Expr* each) {
          return each->kind == ExprKind::literal && each->type->kind == sought.type->kind;
        });
    const Kernel kernel = from ? in_kernel(*from) : nullptr;
    if (!constants || kernel == nullptr || sought.type->kind == TypeKind::duration)
      return interpreted(expr, lane);
    const std::span<Value> values = arena_.array<Value>(list.args.size());
    for (size_t i = 0; i < values.size(); i++) values[i] = list.args[i]->value;
    Instruction in;
    in.kernel = kernel;
    in.a = compile(sought, *from);
    in.list = values;
    return emit(in, lane);
  }

  uint16_t matches(const Expr& expr, Lane lane) {
    if (expr.pattern == nullptr || lane_of(*expr.args[0]->type) != Lane::text)
      return interpreted(expr, lane);
    Instruction in;
    in.kernel = matches_kernel();
    in.pattern = expr.pattern;
    in.guards = guards_here();
    in.a = compile(*expr.args[0], Lane::text);
    return emit(in, lane);
  }

  std::span<const Reading> readings_;
  Arena& arena_;
  Plan plan_;
  std::vector<Guard> guards_;
};

template <class T>
void fill(Register& reg, T value) {
  T* own = reg.own<T>();
  std::fill(own, own + kLanes, value);
}

void fill_constant(Register& reg, Lane lane, const Value& value) {
  if (value.kind == ValueKind::null_) {
    std::fill(reg.own_nulls, reg.own_nulls + kLanes, uint8_t{1});
    reg.nulls = reg.own_nulls;
    std::fill_n(static_cast<char*>(reg.own_data), kLanes * lane_bytes(lane), '\0');
    reg.data = reg.own_data;
    return;
  }
  switch (lane) {
    case Lane::boolean:
      return fill<uint8_t>(reg, value.boolean ? 1 : 0);
    case Lane::int64:
      return fill<int64_t>(reg, value.int64);
    case Lane::uint64:
      return fill<uint64_t>(reg, value.uint64);
    case Lane::float64:
      return fill<double>(reg, value.float64);
    case Lane::text:
      return fill<ByteView>(reg, value.text());
    case Lane::time:
      return fill<Time>(reg, value.time());
  }
}

}  // namespace

std::optional<Lane> lane_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::bool_:
      return Lane::boolean;
    case TypeKind::int_:
    case TypeKind::duration:
      return Lane::int64;
    case TypeKind::uint_:
      return Lane::uint64;
    case TypeKind::double_:
      return Lane::float64;
    case TypeKind::string:
    case TypeKind::bytes:
      return Lane::text;
    case TypeKind::timestamp:
      return Lane::time;
    default:
      return std::nullopt;
  }
}

Registers::Registers(const Plan& plan) {
  all.resize(plan.lanes.size());
  for (size_t i = 0; i < all.size(); i++) {
    all[i].own_data = memory_.allocate(kLanes * lane_bytes(plan.lanes[i]), 16);
    all[i].own_bad = static_cast<uint8_t*>(memory_.allocate(kLanes, 16));
    all[i].own_nulls = static_cast<uint8_t*>(memory_.allocate(kLanes, 16));
  }
  for (const auto& [to, value] : plan.constants) fill_constant(all[to], plan.lanes[to], value);
}

std::optional<Plan> make_plan(const Expr& root, std::span<const Reading> readings, Arena& arena) {
  return Planner(readings, arena).plan(root);
}

}  // namespace penstock::rule
