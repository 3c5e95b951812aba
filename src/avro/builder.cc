#include "avro/builder.h"

#include "base/check.h"

#include <algorithm>
#include <optional>

namespace penstock::avro {
namespace {

constexpr uint32_t kMuchBytes = 1u << 30;

// The one operation for (literal,) mark, this value, copy.
std::optional<Do> fused(const Op& value) {
  switch (value.what) {
    case Do::fixed:
      return Do::put_fixed;
    case Do::ints:
      if (value.a == 1) return Do::put_int;
      break;
    case Do::longs:
      if (value.a == 1) return Do::put_long;
      break;
    case Do::string:
      return Do::put_string;
    case Do::enum_:
      return Do::put_enum;
    default:
      break;
  }
  return std::nullopt;
}

// The first of them becomes the fused one and leaves out the rest, which nobody has to move.
void fuse(Program& program) {
  std::vector<Op>& ops = program.ops;
  for (size_t at = 0; at + 3 < ops.size(); ++at) {
    const bool literal = ops[at].what == Do::literal;
    const size_t mark = at + (literal ? 1 : 0);
    if (ops[mark].what != Do::mark || mark + 2 >= ops.size()) continue;
    const std::optional<Do> one = fused(ops[mark + 1]);
    if (!one || ops[mark + 2].what != Do::copy) continue;
    ops[at] = {.what = *one,
               .slot = static_cast<uint16_t>(mark + 2 - at),
               .a = literal ? ops[at].a : 0,
               .b = literal ? ops[at].b : 0};
    program.fields[at] = program.fields[mark + 1];  // a literal is never to blame
    at = mark + 2;
  }
}

bool melts(Do what) { return what == Do::ints || what == Do::longs || what == Do::fixed; }

}  // namespace

uint32_t Sizes::least_bytes(const Node& type) {
  switch (type.type) {
    case Type::null_:
      return 0;
    case Type::float_:
      return 4;
    case Type::double_:
      return 8;
    case Type::fixed:
      return std::min(type.size_bytes, kMuchBytes);
    case Type::record:
      break;
    default:
      return 1;
  }
  // Inside itself a record counts nothing yet: a lower bound stays one.
  const auto [at, fresh] = least_.emplace(&type, 0);
  if (!fresh) return at->second;
  uint64_t sum = 0;
  for (const Field& field : type.fields) sum += least_bytes(*field.type);
  return least_[&type] = static_cast<uint32_t>(std::min<uint64_t>(sum, kMuchBytes));
}

bool Sizes::is_void(const Node& type) {
  if (type.type == Type::null_) return true;
  if (type.type == Type::fixed) return type.size_bytes == 0;
  if (type.type != Type::record) return false;
  const auto [at, fresh] = void_.emplace(&type, false);
  if (!fresh) return at->second;
  bool all = true;
  for (const Field& field : type.fields) all = is_void(*field.type) && all;
  return void_[&type] = all;
}

void Builder::add(Op op) {
  if (melts(op.what) && next() > label_ && program_.ops.back().what == op.what &&
      program_.ops.back().a + uint64_t{op.a} < kMuchBytes) {
    program_.ops.back().a += op.a;
    if (program_.fields.back() != field_) program_.fields.back() = kNoField;
    return;
  }
  program_.ops.push_back(op);
  program_.fields.push_back(field_);
}

uint32_t Builder::label() { return label_ = next(); }

uint32_t Builder::add_symbols(const Node& type) {
  const size_t first = program_.symbols.size();
  for (const std::string& symbol : type.symbols) program_.symbols.emplace_back(symbol);
  return static_cast<uint32_t>(first);
}

bool Builder::called_before(NodePair pair) {
  if (met_.insert(pair).second) {
    met_order_.push_back(pair);
    return false;
  }
  const auto [at, fresh] = called_number_.emplace(pair, static_cast<uint32_t>(called_.size()));
  if (fresh) called_.push_back(pair);
  add({.what = Do::call, .a = at->second});
  return true;
}

void Builder::walk(const Node& type) {
  if (sizes_.is_void(type)) return;
  switch (type.type) {
    case Type::null_:
      return;
    case Type::boolean:
      return add({.what = Do::boolean});
    case Type::int_:
      return add({.what = Do::ints, .a = 1});
    case Type::long_:
      return add({.what = Do::longs, .a = 1});
    case Type::float_:
      return add({.what = Do::fixed, .a = 4});
    case Type::double_:
      return add({.what = Do::fixed, .a = 8});
    case Type::fixed:
      return add({.what = Do::fixed, .a = type.size_bytes});
    case Type::bytes:
      return add({.what = Do::bytes});
    case Type::string:
      return add({.what = Do::string});
    case Type::enum_:
      return add({.what = Do::enum_, .a = static_cast<uint32_t>(type.symbols.size())});
    case Type::record:
      if (!called_before({&type, nullptr})) walk_fields(type);
      return;
    case Type::array:
    case Type::map:
      return walk_items(type);
    case Type::union_:
      return walk_union(type);
  }
}

void Builder::walk_fields(const Node& record) {
  for (const Field& field : record.fields) walk(*field.type);
}

void Builder::walk_items(const Node& type) {
  const bool map = type.type == Type::map;
  if (!map && sizes_.is_void(*type.items)) return add({.what = Do::void_array});
  const uint32_t start = next();
  add({.what = map ? Do::map : Do::array, .b = sizes_.least_bytes(*type.items) + (map ? 1u : 0u)});
  label();
  walk(*type.items);
  add({.what = Do::leave});
  op(start).a = label();
}

void Builder::walk_union(const Node& type) {
  const auto count = static_cast<uint32_t>(type.branches.size());
  const auto table = static_cast<uint32_t>(program_.targets.size());
  program_.targets.resize(table + count);
  add({.what = Do::union_, .a = count, .b = table});
  std::vector<uint32_t> jumps;
  for (uint32_t branch = 0; branch < count; ++branch) {
    program_.targets[table + branch] = label();
    walk(*type.branches[branch]);
    if (branch + 1 == count) break;  // the last one is there already
    jumps.push_back(next());
    add({.what = Do::jump});
  }
  const uint32_t end = label();
  for (const uint32_t jump : jumps) op(jump).a = end;
  // A branch without operations needs no detour.
  for (uint32_t branch = 0; branch < count; ++branch) {
    uint32_t& target = program_.targets[table + branch];
    if (target != end && op(target).what == Do::jump) target = op(target).a;
  }
}

Program Builder::finish() {
  add({.what = Do::leave});
  std::vector<uint32_t> starts;
  for (size_t number = 0; number < called_.size(); ++number) {  // grows while we go
    const auto [writer, reader] = called_[number];
    field_ = kNoField;
    record_depth_ = 1;
    starts.push_back(label());
    std::string why;
    if (reader == nullptr) {
      walk_fields(*writer);
    } else if (!resolve_record(*writer, *reader, &why)) {
      // Met only inside what was given up: nobody calls it.
      add({.what = Do::refuse, .a = text(why)});
    }
    add({.what = Do::leave});
  }
  for (Op& each : program_.ops) {
    if (each.what == Do::call) each.a = starts[each.a];
  }
  fuse(program_);
  program_.literals.append(kLiteralPad, '\0');
  return std::move(program_);
}

}  // namespace penstock::avro
