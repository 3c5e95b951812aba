// EncodePlan: what a record of the output is made of.
#include "avro/builder.h"
#include "avro/encode_program.h"
#include "avro/resolve.h"
#include "avro/write.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace penstock::avro {
namespace {

Prefix prefix(uint32_t branch) {
  std::string bytes;
  append_long(branch, bytes);
  PENSTOCK_CHECK(bytes.size() <= sizeof Prefix::bytes);
  Prefix made;
  made.size = static_cast<uint8_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), made.bytes);
  return made;
}

Symbols sorted_symbols(const Node& type) {
  Symbols symbols;
  for (uint32_t at = 0; at < type.symbols.size(); ++at) symbols.emplace_back(type.symbols[at], at);
  std::sort(symbols.begin(), symbols.end());
  return symbols;
}

// How a slot of that kind becomes a value of that type.
std::optional<Put> conversion(row::Kind kind, Type to) {
  switch (kind) {
    case row::Kind::boolean:
      if (to == Type::boolean) return Put::boolean;
      break;
    case row::Kind::int64:
      if (to == Type::int_) return Put::int_;
      if (to == Type::long_) return Put::long_;
      if (to == Type::float_) return Put::long_as_float;
      if (to == Type::double_) return Put::long_as_double;
      break;
    case row::Kind::float64:
      if (to == Type::float_) return Put::float_;
      if (to == Type::double_) return Put::double_;
      break;
    case row::Kind::string:
      if (to == Type::string || to == Type::bytes) return Put::view;
      if (to == Type::enum_) return Put::symbol;
      break;
    case row::Kind::bytes:
      if (to == Type::bytes) return Put::view;
      if (to == Type::string) return Put::text;
      if (to == Type::fixed) return Put::fixed;
      break;
    case row::Kind::datum:
      break;
  }
  return std::nullopt;
}

// 0 the very type, 1 by another name, 2 by promotion, 3 by a check of each value, kNoSymbol not at
// all.
uint32_t slot_rank(row::Kind kind, const Node& from, const Node& to) {
  if (!conversion(kind, to.type) || !decimals_agree(from, to)) return kNoSymbol;
  const uint32_t rank = branch_rank(from, to);
  return rank == kNoSymbol ? 3 : rank;
}

}  // namespace

// The start of an input field as a step names it, noted as wanted where it must be recorded. Field
// numbers until order_cuts() turns them into positions.
uint32_t EncodePlan::Program::cut(uint32_t field) const {
  if (field == 0) return kStart;
  if (field == input->root().fields.size()) return kEnd;
  return field;
}

Result<void> EncodePlan::Program::add_input(uint32_t target, uint32_t source) {
  const Node& from = *input->root().fields[source].type;
  const Field& to = output->root().fields[target];
  auto resolver = Resolver::compile(from, *to.type);
  if (!resolver) {
    Error error = std::move(resolver).error();
    error.message = fmt::format("field \"{}\" of the output: {}", to.name, error.message);
    return std::unexpected(std::move(error));
  }
  const Put put = resolver->keeps_bytes() ? Put::run : Put::resolved;
  const uint32_t begin = cut(source);
  const uint32_t end = cut(source + 1);
  if (!steps.empty() && steps.back().put == put && steps.back().b == begin) {
    steps.back().b = end;
    ++steps.back().fields;
    return {};
  }
  Step step;
  step.put = put;
  step.field = target;
  step.a = begin;
  step.b = end;
  steps.push_back(step);
  return {};
}

// One program per run of neighbours; that each of them resolves is known by now.
void EncodePlan::Program::build_resolvers(const std::vector<Origin>& origins) {
  for (Step& step : steps) {
    if (step.put != Put::resolved) continue;
    Builder builder;
    std::string why;
    for (uint32_t target = step.field; target < step.field + step.fields; ++target) {
      builder.set_field(static_cast<uint16_t>(target - step.field));
      PENSTOCK_CHECK(builder.resolve(*input->root().fields[origins[target].index].type,
                                     *output->root().fields[target].type, &why));
    }
    step.c = static_cast<uint32_t>(resolvers.size());
    resolvers.push_back(builder.finish());
  }
}

Result<void> EncodePlan::Program::add_slot(uint32_t target, const Origin& origin) {
  PENSTOCK_CHECK(origin.slot_type != nullptr);
  const Node& from = *origin.slot_type;
  const Node& to = *output->root().fields[target].type;
  const SlotShape shape = slot_shape(from);
  Step step;
  step.field = target;
  step.a = origin.index;
  step.null_fits = to.type == Type::null_;
  for (uint32_t branch = 0; branch < to.branches.size(); ++branch) {
    if (to.branches[branch]->type != Type::null_ || step.null_fits) continue;
    step.null_fits = true;
    step.null_bytes = prefix(branch);
  }
  const Node& base = shape.nullable ? *from.nullable_branch() : from;
  PENSTOCK_TRY_VOID(shape.kind == row::Kind::datum ? slot_datum(step, base, to)
                                                   : slot_value(step, shape.kind, base, to));
  steps.push_back(step);
  return {};
}

Result<void> EncodePlan::Program::slot_datum(Step& step, const Node& from, const Node& to) {
  auto resolver = Resolver::compile(from, to);
  if (!resolver) {
    Error error = std::move(resolver).error();
    error.message = fmt::format("field \"{}\" of the output: {}",
                                output->root().fields[step.field].name, error.message);
    return std::unexpected(std::move(error));
  }
  step.put = resolver->keeps_bytes() ? Put::raw_datum : Put::datum;
  step.c = static_cast<uint32_t>(resolvers.size());
  if (step.put == Put::datum) resolvers.push_back(std::move(*resolver).take_program());
  return {};
}

Result<void> EncodePlan::Program::slot_value(Step& step, row::Kind kind, const Node& from,
                                             const Node& to) {
  const Node* best = nullptr;
  uint32_t best_rank = kNoSymbol;
  if (to.type != Type::union_) {
    best_rank = slot_rank(kind, from, to);
    best = &to;
  }
  for (uint32_t branch = 0; branch < to.branches.size(); ++branch) {
    const uint32_t rank = slot_rank(kind, from, *to.branches[branch]);
    if (rank >= best_rank) continue;
    best_rank = rank;
    best = to.branches[branch];
    step.value_prefix = prefix(branch);
  }
  if (best_rank == kNoSymbol) {
    return fail("A022"_code,
                fmt::format("field \"{}\" of the output: {} cannot become {}",
                            output->root().fields[step.field].name, describe(from), describe(to)));
  }
  step.put = *conversion(kind, best->type);
  step.c = best->size_bytes;
  if (step.put == Put::symbol) {
    step.c = static_cast<uint32_t>(enums.size());
    enums.push_back(sorted_symbols(*best));
  }
  return {};
}

void EncodePlan::Program::order_cuts() {
  const auto is_cut = [](uint32_t field) { return field < kEnd; };
  const auto takes_input = [](const Step& step) { return step.put <= Put::resolved; };
  for (const Step& step : steps) {
    if (!takes_input(step)) continue;
    if (is_cut(step.a)) cuts.push_back(step.a);
    if (is_cut(step.b)) cuts.push_back(step.b);
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  const auto number = [&](uint32_t field) {
    return static_cast<uint32_t>(std::lower_bound(cuts.begin(), cuts.end(), field) - cuts.begin());
  };
  for (Step& step : steps) {
    if (!takes_input(step)) continue;
    if (is_cut(step.a)) step.a = number(step.a);
    if (is_cut(step.b)) step.b = number(step.b);
  }
  bind(cuts);
}

Result<EncodePlan> EncodePlan::compile(SchemaPtr input, SchemaPtr output,
                                       std::vector<Origin> origins) {
  if (input->root().type != Type::record || output->root().type != Type::record) {
    return fail("A021"_code, "a topic's schema must be a record");
  }
  PENSTOCK_CHECK(origins.size() == output->root().fields.size());
  auto program = std::make_unique<Program>();
  program->input = std::move(input);
  program->output = std::move(output);
  for (uint32_t target = 0; target < origins.size(); ++target) {
    const Origin& origin = origins[target];
    PENSTOCK_TRY_VOID(origin.from == Origin::From::slot ? program->add_slot(target, origin)
                                                        : program->add_input(target, origin.index));
  }
  program->build_resolvers(origins);
  program->order_cuts();
  return EncodePlan(std::move(program));
}

const std::vector<uint32_t>& EncodePlan::cuts() const { return program_->cuts; }

void EncodePlan::Program::bind(std::span<const uint32_t> recorded) {
  const auto place = [&](uint32_t cut) {
    if (cut >= kEnd) return cut;
    const auto found = std::find(recorded.begin(), recorded.end(), cuts[cut]);
    PENSTOCK_CHECK(found != recorded.end());
    return static_cast<uint32_t>(found - recorded.begin());
  };
  for (Step& step : steps) {
    if (step.put > Put::resolved) continue;
    step.begin = place(step.a);
    step.end = place(step.b);
  }
}

void EncodePlan::bind_cuts(std::span<const uint32_t> recorded) { program_->bind(recorded); }

}  // namespace penstock::avro
