// DecodePlan: bytes to slots, cuts and datums.
#include "avro/builder.h"
#include "avro/plan.h"
#include "avro/resolve.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace penstock::avro {
namespace {

// Scratch of a resolved datum before it moves into the arena; what one huge datum left behind is
// given back.
constexpr size_t kScratchKeptBytes = 1u << 20;

Do load_of(const Node& type) {
  switch (type.type) {
    case Type::boolean:
      return Do::load_boolean;
    case Type::int_:
      return Do::load_int;
    case Type::long_:
      return Do::load_long;
    case Type::float_:
      return Do::load_float;
    case Type::double_:
      return Do::load_double;
    case Type::string:
      return Do::load_string;
    case Type::bytes:
      return Do::load_bytes;
    case Type::fixed:
      return Do::load_fixed;
    case Type::enum_:
      return Do::load_enum;
    default:
      return Do::open_datum;
  }
}

void load_value(Builder& to, const Node& type, uint16_t slot) {
  Op op{.what = load_of(type), .slot = slot};
  if (op.what == Do::load_fixed) op.a = type.size_bytes;
  if (op.what == Do::load_enum) {
    op.a = static_cast<uint32_t>(type.symbols.size());
    op.b = to.add_symbols(type);
  }
  to.add(op);
  if (op.what != Do::open_datum) return;
  to.walk(type);
  to.add({.what = Do::close_datum, .slot = slot});
}

void load(Builder& to, const Node& type, uint16_t slot) {
  const SlotShape shape = slot_shape(type);
  if (!shape.nullable) return load_value(to, type, slot);
  const Node* const branch = type.nullable_branch();
  const uint32_t start = to.next();
  to.add({.what = Do::load_null,
          .c = static_cast<uint8_t>(shape.kind),
          .slot = slot,
          .a = type.branches[0] == branch ? 1u : 0u});
  load_value(to, *branch, slot);
  to.op(start).b = to.label();
}

std::string place(const Node& record, const Machine& machine) {
  const uint16_t field = machine.field();
  if (field >= record.fields.size()) return machine.explain();
  return fmt::format("field \"{}\": {}", record.fields[field].name, machine.explain());
}

}  // namespace

struct DecodePlan::Program {
  SchemaPtr writer;
  SchemaPtr input;
  std::vector<Want> wants;                            // one per field
  std::vector<std::pair<uint32_t, uint32_t>> shared;  // (slot, slot whose column it shares)
  uint32_t cut_count = 0;
  std::optional<Resolver> resolver;  // when the writer's bytes are not the input's
  avro::Program walk;

  void build_walk(const std::vector<uint32_t>& cuts);
  void prepare(row::Batch& batch) const;
};

void DecodePlan::Program::build_walk(const std::vector<uint32_t>& cuts) {
  Builder to;
  const std::vector<Field>& fields = input->root().fields;
  size_t next_cut = 0;
  for (uint32_t field = 0; field <= fields.size(); ++field) {
    to.set_field(field < kNoField ? static_cast<uint16_t>(field) : kNoField);
    for (; next_cut < cuts.size() && cuts[next_cut] == field; ++next_cut)
      to.add({.what = Do::cut, .a = static_cast<uint32_t>(next_cut)});
    if (field == fields.size()) break;
    const auto want = std::find_if(wants.begin(), wants.end(),
                                   [&](const Want& each) { return each.field == field; });
    if (want == wants.end()) {
      to.walk(*fields[field].type);
    } else {
      load(to, *fields[field].type, static_cast<uint16_t>(want->slot));
    }
  }
  walk = to.finish();
}

// Columns, datums and cuts that are not there yet.
void DecodePlan::Program::prepare(row::Batch& batch) const {
  for (const Want& want : wants) {
    PENSTOCK_CHECK(want.slot < batch.columns.size());
    const SlotShape shape = slot_shape(*input->root().fields[want.field].type);
    row::Column& column = batch.columns[want.slot];
    if (column.slots == nullptr) column = batch.make_column(shape.kind, shape.nullable);
    PENSTOCK_CHECK(column.kind == shape.kind && (column.nulls != nullptr || !shape.nullable));
  }
  for (const auto& [slot, original] : shared) batch.columns[slot] = batch.columns[original];
  if (batch.datums.size() != batch.rows()) {
    batch.datums = batch.arena->array<ByteView>(batch.rows());
    std::fill(batch.datums.begin(), batch.datums.end(), ByteView{});
  }
  const size_t cut_slots = size_t{batch.rows()} * cut_count;
  if (batch.cut_count != cut_count || batch.cuts.size() != cut_slots) {
    batch.cuts = batch.arena->array<uint32_t>(cut_slots);
    batch.cut_count = cut_count;
  }
}

Result<DecodePlan> DecodePlan::compile(SchemaPtr writer, SchemaPtr input, std::vector<Want> wants,
                                       std::vector<uint32_t> cuts) {
  const Node& root = input->root();
  if (root.type != Type::record || writer->root().type != Type::record) {
    return fail("A021"_code,
                fmt::format("a topic's schema must be a record, not {}",
                            describe(root.type != Type::record ? root : writer->root())));
  }
  auto program = std::make_unique<Program>();
  PENSTOCK_TRY(resolver, Resolver::compile(writer->root(), root));
  if (!resolver.keeps_bytes()) program->resolver = std::move(resolver);
  PENSTOCK_CHECK(std::is_sorted(cuts.begin(), cuts.end()));
  PENSTOCK_CHECK(cuts.empty() || cuts.back() <= root.fields.size());
  for (const Want& want : wants) {
    PENSTOCK_CHECK(want.field < root.fields.size() && want.slot <= UINT16_MAX);
    const auto same = std::find_if(program->wants.begin(), program->wants.end(),
                                   [&](const Want& each) { return each.field == want.field; });
    if (same == program->wants.end()) {
      program->wants.push_back(want);
    } else {
      program->shared.emplace_back(want.slot, same->slot);
    }
  }
  program->writer = std::move(writer);
  program->input = std::move(input);
  program->cut_count = static_cast<uint32_t>(cuts.size());
  program->build_walk(cuts);
  return DecodePlan(std::move(program));
}

void DecodePlan::decode(std::span<const ByteView> payloads, row::Batch& batch) const {
  PENSTOCK_CHECK(payloads.size() == batch.live.size());
  const Program& plan = *program_;
  plan.prepare(batch);
  thread_local std::string scratch;
  const avro::Program nothing;
  Machine walk(plan.walk);
  Machine resolve(plan.resolver ? plan.resolver->program() : nothing);
  walk.set_columns(batch.columns.data());
  uint32_t* const cuts = batch.cuts.data();
  size_t kept = 0;
  for (size_t at = 0; at < payloads.size(); ++at) {
    const uint32_t row = batch.live[at];
    ByteView datum = payloads[at];
    Machine* refused = nullptr;
    if (plan.resolver) {
      scratch.clear();
      Output to(scratch);
      if (!resolve.run(datum, row, nullptr, &to)) refused = &resolve;
      to.close();
      if (refused == nullptr) datum = batch.arena->copy(scratch);
    }
    if (refused == nullptr && !walk.run(datum, row, cuts + size_t{row} * plan.cut_count, nullptr))
      refused = &walk;
    if (refused != nullptr) [[unlikely]] {
      batch.reject(row, row::kDecodeStep, std::string(fault_reason(refused->fault())),
                   place(plan.input->root(), *refused));
      continue;
    }
    batch.datums[row] = datum;
    batch.live[kept++] = row;
  }
  batch.live.resize(kept);
  if (scratch.capacity() > kScratchKeptBytes) std::string().swap(scratch);
}

bool DecodePlan::is_identity() const { return !program_->resolver.has_value(); }

DecodePlan::DecodePlan(std::unique_ptr<Program> program) : program_(std::move(program)) {}
DecodePlan::DecodePlan(DecodePlan&&) noexcept = default;
DecodePlan& DecodePlan::operator=(DecodePlan&&) noexcept = default;
DecodePlan::~DecodePlan() = default;

}  // namespace penstock::avro
