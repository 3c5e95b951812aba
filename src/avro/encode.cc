// EncodePlan: runs of input bytes and slots to an output datum.
#include "avro/builder.h"
#include "avro/output.h"
#include "avro/plan.h"
#include "avro/resolve.h"
#include "avro/write.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace penstock::avro {
namespace {

enum class Put : uint8_t {
  run,       // input bytes from cut a to cut b, as they are
  resolved,  // input bytes from cut a to cut b, through resolvers[c]
  boolean,   // slots from here on
  long_,
  int_,
  long_as_float,
  long_as_double,
  float_,
  double_,
  view,    // string and bytes
  text,    // bytes that must be UTF-8
  fixed,   // c bytes
  symbol,  // enums[c]
  raw_datum,
  datum,  // through resolvers[c]
};

inline constexpr uint32_t kStart = UINT32_MAX;    // not a cut: the datum's first byte
inline constexpr uint32_t kEnd = UINT32_MAX - 1;  // not a cut: the datum's end

// At most two bytes that go before a value: a union's branch.
struct Prefix {
  uint8_t size = 0;
  char bytes[3] = {};
  void append_to(Output& to) const {
    std::memcpy(to.room(sizeof bytes), bytes, sizeof bytes);
    to.advance(size);
  }
};

struct Step {
  Put put = Put::run;
  bool null_fits = false;
  Prefix null_bytes;  // all of a null's encoding
  Prefix value_prefix;
  uint32_t field = 0;   // of the output
  uint32_t fields = 1;  // run, resolved: so many neighbours
  uint32_t a = 0;       // run, resolved: a cut; else the slot
  uint32_t b = 0;
  uint32_t c = 0;
};

Prefix prefix(uint32_t branch) {
  std::string bytes;
  append_long(branch, bytes);
  PENSTOCK_CHECK(bytes.size() <= sizeof Prefix::bytes);
  Prefix made;
  made.size = static_cast<uint8_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), made.bytes);
  return made;
}

// An enum's symbols, sorted, with their indices.
using Symbols = std::vector<std::pair<std::string_view, uint32_t>>;

Symbols sorted_symbols(const Node& type) {
  Symbols symbols;
  for (uint32_t at = 0; at < type.symbols.size(); ++at) symbols.emplace_back(type.symbols[at], at);
  std::sort(symbols.begin(), symbols.end());
  return symbols;
}

// Symbols are short: a call of memcmp would cost more than the comparison.
bool same_text(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t at = 0; at < a.size(); ++at)
    if (a[at] != b[at]) return false;
  return true;
}

std::optional<uint32_t> find_symbol(const Symbols& symbols, std::string_view text) {
  if (symbols.size() <= 8) {
    for (const auto& [symbol, index] : symbols)
      if (same_text(symbol, text)) return index;
    return std::nullopt;
  }
  const auto at = std::lower_bound(
      symbols.begin(), symbols.end(), text,
      [](const auto& entry, std::string_view sought) { return entry.first < sought; });
  if (at == symbols.end() || at->first != text) return std::nullopt;
  return at->second;
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

struct EncodePlan::Program {
  SchemaPtr input;
  SchemaPtr output;
  std::vector<uint32_t> cuts;
  std::vector<uint32_t> bound;  // where Batch::cuts holds cuts[i]
  std::vector<Step> steps;
  std::vector<avro::Program> resolvers;
  std::vector<Symbols> enums;

  uint32_t cut(uint32_t field) const;
  Result<void> add_input(uint32_t target, uint32_t source);
  void build_resolvers(const std::vector<Origin>& origins);
  Result<void> add_slot(uint32_t target, const Origin& origin);
  Result<void> slot_datum(Step& step, const Node& from, const Node& to);
  Result<void> slot_value(Step& step, row::Kind kind, const Node& from, const Node& to);
  void order_cuts();
  uint32_t position(const row::Batch& batch, uint32_t row, uint32_t cut) const;
  bool put(const Step& step, const row::Batch& batch, uint32_t row, Output& to,
           std::string* why) const;
  bool put_slot(const Step& step, const row::Column& column, uint32_t row, Output& to,
                std::string* why) const;
  bool through(const Step& step, ByteView datum, size_t size_bytes, Output& to,
               std::string* why) const;
  bool refuse(const Step& step, std::string_view text, std::string* why) const;
};

// --- compiling

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
  for (uint32_t at = 0; at < cuts.size(); ++at) bound.push_back(at);
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

void EncodePlan::bind_cuts(std::span<const uint32_t> recorded) {
  for (size_t at = 0; at < program_->cuts.size(); ++at) {
    const auto found = std::find(recorded.begin(), recorded.end(), program_->cuts[at]);
    PENSTOCK_CHECK(found != recorded.end());
    program_->bound[at] = static_cast<uint32_t>(found - recorded.begin());
  }
}

// --- running

bool EncodePlan::Program::refuse(const Step& step, std::string_view text, std::string* why) const {
  if (why != nullptr)
    *why = fmt::format("{} for field \"{}\"", text, output->root().fields[step.field].name);
  return false;
}

uint32_t EncodePlan::Program::position(const row::Batch& batch, uint32_t row, uint32_t cut) const {
  if (cut == kStart) return 0;
  if (cut == kEnd) return static_cast<uint32_t>(batch.datums[row].size());
  return batch.cuts[size_t{row} * batch.cut_count + bound[cut]];
}

// `datum` may go on behind the value of `size_bytes`.
bool EncodePlan::Program::through(const Step& step, ByteView datum, size_t size_bytes, Output& to,
                                  std::string* why) const {
  Machine machine(resolvers[step.c]);
  if (machine.run_until(datum, datum.data() + size_bytes, &to)) [[likely]]
    return true;
  Step blamed = step;
  if (step.put == Put::resolved && machine.field() < step.fields) blamed.field += machine.field();
  return refuse(blamed, machine.explain(), why);
}

bool EncodePlan::Program::put(const Step& step, const row::Batch& batch, uint32_t row, Output& to,
                              std::string* why) const {
  if (step.put <= Put::resolved) {
    const uint32_t begin = position(batch, row, step.a);
    const ByteView bytes = batch.datums[row].substr(begin);
    const uint32_t size_bytes = position(batch, row, step.b) - begin;
    if (step.put == Put::resolved) return through(step, bytes, size_bytes, to, why);
    to.append(bytes.data(), size_bytes);
    return true;
  }
  const row::Column& column = batch.columns[step.a];
  if (column.is_null(row)) {
    if (!step.null_fits) return refuse(step, "null", why);
    step.null_bytes.append_to(to);
    return true;
  }
  if (step.value_prefix.size != 0) step.value_prefix.append_to(to);
  return put_slot(step, column, row, to, why);
}

bool EncodePlan::Program::put_slot(const Step& step, const row::Column& column, uint32_t row,
                                   Output& to, std::string* why) const {
  switch (step.put) {
    case Put::boolean:
      to.raw(static_cast<uint8_t>(column.booleans[row] != 0));
      return true;
    case Put::int_:
      if (column.int64s[row] != static_cast<int32_t>(column.int64s[row]))
        return refuse(step, fmt::format("{} does not fit an int,", column.int64s[row]), why);
      to.varint(zigzag(column.int64s[row]));
      return true;
    case Put::long_:
      to.varint(zigzag(column.int64s[row]));
      return true;
    case Put::long_as_float:
      to.raw(static_cast<float>(column.int64s[row]));
      return true;
    case Put::long_as_double:
      to.raw(static_cast<double>(column.int64s[row]));
      return true;
    case Put::float_:
      if (std::fabs(column.float64s[row]) > std::numeric_limits<float>::max() &&
          std::isfinite(column.float64s[row])) [[unlikely]]
        return refuse(step, fmt::format("{} does not fit a float,", column.float64s[row]), why);
      to.raw(static_cast<float>(column.float64s[row]));
      return true;
    case Put::double_:
      to.raw(column.float64s[row]);
      return true;
    case Put::text:
      if (!valid_utf8(column.views[row].data(), column.views[row].size()))
        return refuse(step, "bytes that are not UTF-8", why);
      [[fallthrough]];
    case Put::view:
      to.sized(column.views[row]);
      return true;
    case Put::fixed:
      if (column.views[row].size() != step.c)
        return refuse(step, fmt::format("{} bytes instead of {}", column.views[row].size(), step.c),
                      why);
      to.append(column.views[row]);
      return true;
    case Put::symbol: {
      const std::optional<uint32_t> index = find_symbol(enums[step.c], column.views[row]);
      if (!index) return refuse(step, fmt::format("unknown symbol \"{}\"", column.views[row]), why);
      to.varint(uint64_t{*index} << 1);
      return true;
    }
    case Put::raw_datum:
      to.append(column.views[row]);
      return true;
    case Put::datum:
      return through(step, column.views[row], column.views[row].size(), to, why);
    case Put::run:
    case Put::resolved:
      break;
  }
  PENSTOCK_CHECK(false);
  return false;
}

bool EncodePlan::encode(const row::Batch& batch, uint32_t row, std::string& out,
                        std::string* why) const {
  Output to(out);
  for (const Step& step : program_->steps) {
    if (!program_->put(step, batch, row, to, why)) [[unlikely]] {
      to.roll_back();
      return false;
    }
  }
  to.close();
  return true;
}

EncodePlan::EncodePlan(std::unique_ptr<Program> program) : program_(std::move(program)) {}
EncodePlan::EncodePlan(EncodePlan&&) noexcept = default;
EncodePlan& EncodePlan::operator=(EncodePlan&&) noexcept = default;
EncodePlan::~EncodePlan() = default;

}  // namespace penstock::avro
