// Evaluation: a program over the rows of a batch, by kernels where there is a plan, else row by
// row.

#include "rule/interpret.h"
#include "rule/program_parts.h"
#include "rule/time.h"

#include <algorithm>
#include <string>

namespace penstock::rule {

namespace {

constexpr std::string_view kNotBool = "the condition is not a bool";

bool is_dense(std::span<const uint32_t> rows) {
  return rows.back() - rows.front() == rows.size() - 1;
}

// The columns of one row as variables.
class RowVariables final : public Variables {
 public:
  RowVariables(const Program::Impl& program, std::span<const uint32_t> slots)
      : program_(program), slots_(slots) {}

  void set(const row::Batch& batch, uint32_t row) {
    batch_ = &batch;
    row_ = row;
  }
  Value load(uint32_t slot, Context& context) override {
    return value_of_slot(program_.readings[slot], batch_->columns[slots_[slot]], row_, context);
  }
  Value whole_record(Context& context) override {
    const auto& fields = program_.schema->root().fields;
    const std::span<Entry> entries = context.arena.array<Entry>(fields.size());
    for (size_t i = 0; i < fields.size(); i++) {
      entries[i].key = Value::of_string(fields[i].name);
      entries[i].value = load(slot_of(fields[i].name), context);
      if (entries[i].value.is_error()) return entries[i].value;
    }
    return make_map(entries, context);
  }

 private:
  uint32_t slot_of(std::string_view field) const {
    const auto found = std::ranges::find_if(program_.uses, [&](const Use& use) {
      return use.what == Use::What::field && use.field == field;
    });
    PENSTOCK_CHECK(found != program_.uses.end());
    return static_cast<uint32_t>(found - program_.uses.begin());
  }

  const Program::Impl& program_;
  std::span<const uint32_t> slots_;
  const row::Batch* batch_ = nullptr;
  uint32_t row_ = 0;
};

}  // namespace

struct Evaluation::Impl {
  Impl(const Program::Impl& parts, std::vector<uint32_t> given)
      : program(parts), slots(std::move(given)), variables(parts, slots) {
    PENSTOCK_CHECK(slots.size() == parts.uses.size());
    if (parts.plan) registers.emplace(*parts.plan);
  }

  const Program::Impl& program;
  std::vector<uint32_t> slots;
  RowVariables variables;
  std::optional<Registers> registers;  // absent: row by row
  Arena scratch;                       // what one chunk makes
  Arena row_arena;                     // what one row makes
  std::string datum;

  // The value stays until the next call.
  Value interpret(const Expr& expr, const row::Batch& batch, uint32_t row) {
    row_arena.reset();
    variables.set(batch, row);
    Context context{row_arena, kStepsPerEvaluation};
    return Interpreter(variables, context).run(expr);
  }

  // The value stays as long as `arena`: lists and maps are not for this.
  Value interpret_text(const Expr& expr, const row::Batch& batch, uint32_t row, Arena& arena) {
    Value value = interpret(expr, batch, row);
    if (value.kind == ValueKind::string || value.kind == ValueKind::bytes)
      value.chars = arena.copy(value.text()).data();
    return value;
  }

  void run_chunk(const row::Batch& batch, std::span<const uint32_t> rows, Arena& arena) {
    struct Self {
      Impl* impl;
      const row::Batch* batch;
    } self{this, &batch};
    const Chunk chunk{&batch,
                      rows,
                      is_dense(rows),
                      slots,
                      &arena,
                      [](void* to, const Expr& expr, uint32_t row, Arena& out) {
                        const Self& s = *static_cast<Self*>(to);
                        return s.impl->interpret_text(expr, *s.batch, row, out);
                      },
                      &self};
    run(*program.plan, *registers, chunk);
  }

  // The text of the error that a kernel has marked: the interpreter knows it.
  std::string error_text(const row::Batch& batch, uint32_t row) {
    const Value value = interpret(*program.root, batch, row);
    const bool not_bool = program.root->type->kind == TypeKind::dyn && !value.is_error() &&
                          value.kind != ValueKind::bool_;
    if (not_bool) return std::string(kNotBool);
    PENSTOCK_CHECK(value.is_error());
    return std::string(value.text());
  }

  void filter_chunk(const row::Batch& batch, std::span<const uint32_t> rows,
                    std::vector<uint32_t>& yes, std::vector<FailedRow>& failed) {
    run_chunk(batch, rows, scratch);
    const Register& result = registers->all[program.plan->result];
    const auto* values = result.values<uint8_t>();
    const size_t before = yes.size();
    yes.resize(before + rows.size());
    uint32_t* to = yes.data() + before;
    size_t kept = 0;
    for (size_t i = 0; i < rows.size(); i++) {
      to[kept] = rows[i];
      const bool bad = result.bad != nullptr && result.bad[i] != 0;
      kept += values[i] != 0 && !bad ? 1 : 0;
    }
    yes.resize(before + kept);
    fail_bad_lanes(batch, rows, failed);
    scratch.reset();
  }

  void fail_bad_lanes(const row::Batch& batch, std::span<const uint32_t> rows,
                      std::vector<FailedRow>& failed) {
    const Register& result = registers->all[program.plan->result];
    if (result.bad == nullptr) return;
    for (size_t i = 0; i < rows.size(); i++)
      if (result.bad[i] != 0) failed.push_back({rows[i], error_text(batch, rows[i])});
  }

  void filter_row(const row::Batch& batch, uint32_t row, std::vector<uint32_t>& yes,
                  std::vector<FailedRow>& failed) {
    const Value value = interpret(*program.root, batch, row);
    if (value.is_true())
      yes.push_back(row);
    else if (value.kind != ValueKind::bool_)
      failed.push_back({row, std::string(value.is_error() ? value.text() : kNotBool)});
  }

  // Puts one value into its slot; the error's text, or "".
  std::string store(const avro::Node& type, const Value& value, row::Column& column, uint32_t row,
                    Arena& arena);
  void store_lanes(std::span<const uint32_t> rows, row::Column& column,
                   std::vector<FailedRow>& failed);
};

namespace {

Value lane_value(const Register& reg, Lane lane, const Type& type, size_t i) {
  if (reg.nulls != nullptr && reg.nulls[i] != 0) return Value::of_null();
  switch (lane) {
    case Lane::boolean:
      return Value::of_bool(reg.values<uint8_t>()[i] != 0);
    case Lane::int64:
      return Value::of_int(reg.values<int64_t>()[i]);
    case Lane::uint64:
      return Value::of_uint(reg.values<uint64_t>()[i]);
    case Lane::float64:
      return Value::of_double(reg.values<double>()[i]);
    case Lane::time:
      return Value::of_time(reg.values<Time>()[i]);
    case Lane::text:
      break;
  }
  const ByteView view = reg.values<ByteView>()[i];
  return type.kind == TypeKind::string ? Value::of_string(view) : Value::of_bytes(view);
}

bool put(const Value& value, row::Column& column, uint32_t row) {
  switch (column.kind) {
    case row::Kind::boolean:
      column.booleans[row] = value.is_true() ? 1 : 0;
      return true;
    case row::Kind::float64:
      column.float64s[row] = value.float64;
      return true;
    case row::Kind::string:
    case row::Kind::bytes:
      column.views[row] = value.text();
      return true;
    case row::Kind::int64: {
      if (value.kind == ValueKind::uint_ && value.uint64 > INT64_MAX) return false;
      const bool time = value.kind == ValueKind::timestamp;
      column.int64s[row] = time ? units_of_time(value.time(), 1'000'000).value_or(0) : value.int64;
      return true;
    }
    case row::Kind::datum:
      break;
  }
  return false;
}

template <class T>
void scatter(const Register& from, std::span<const uint32_t> rows, row::Column& column) {
  T* to = static_cast<T*>(column.slots);
  for (size_t i = 0; i < rows.size(); i++) to[rows[i]] = from.values<T>()[i];
}

void put_null(row::Column& column, uint32_t row) {
  if (column.nulls != nullptr) column.nulls[row] = 1;
  if (column.kind == row::Kind::boolean)
    column.booleans[row] = 0;
  else if (column.kind == row::Kind::int64 || column.kind == row::Kind::float64)
    column.int64s[row] = 0;
  else
    column.views[row] = {};
}

}  // namespace

std::string Evaluation::Impl::store(const avro::Node& type, const Value& value, row::Column& column,
                                    uint32_t row, Arena& arena) {
  if (value.is_error()) return std::string(value.text());
  if (value.kind == ValueKind::null_ && column.nulls != nullptr) {
    put_null(column, row);
    return "";
  }
  if (column.kind != row::Kind::datum)
    return put(value, column, row) ? "" : show(value) + " does not fit an Avro long";
  datum.clear();
  std::string why;
  if (!write_datum(type, value, datum, &why)) return why;  // a nullable one with its union's index
  column.views[row] = arena.copy(datum);
  return "";
}

void Evaluation::Impl::store_lanes(std::span<const uint32_t> rows, row::Column& column,
                                   std::vector<FailedRow>& failed) {
  const Register& result = registers->all[program.plan->result];
  const Lane lane = program.plan->lanes[program.plan->result];
  if (result.bad == nullptr && result.nulls == nullptr) {
    if (lane == Lane::float64) return scatter<double>(result, rows, column);
    if (lane == Lane::int64) return scatter<int64_t>(result, rows, column);
    if (lane == Lane::text) return scatter<ByteView>(result, rows, column);
  }
  for (size_t i = 0; i < rows.size(); i++) {
    put_null(column, rows[i]);
    if (result.bad != nullptr && result.bad[i] != 0) continue;
    const Value value = lane_value(result, lane, *program.root->type, i);
    if (value.kind == ValueKind::null_) continue;
    if (column.nulls != nullptr) column.nulls[rows[i]] = 0;
    if (!put(value, column, rows[i]))
      failed.push_back({rows[i], show(value) + " does not fit an Avro long"});
  }
}

Evaluation::Evaluation(const Program& program, std::vector<uint32_t> slots)
    : impl_(std::make_unique<Impl>(*program.impl_, std::move(slots))) {}
Evaluation::~Evaluation() = default;
Evaluation::Evaluation(Evaluation&&) noexcept = default;
Evaluation& Evaluation::operator=(Evaluation&&) noexcept = default;

void Evaluation::use_kernels(bool on) {
  impl_->registers.reset();
  if (on && impl_->program.plan) impl_->registers.emplace(*impl_->program.plan);
}

void Evaluation::filter(const row::Batch& batch, std::span<const uint32_t> rows,
                        std::vector<uint32_t>& yes, std::vector<FailedRow>& failed) {
  if (!impl_->registers) {
    for (const uint32_t row : rows) impl_->filter_row(batch, row, yes, failed);
    return;
  }
  yes.reserve(yes.size() + rows.size());
  for (size_t at = 0; at < rows.size(); at += kLanes) {
    const size_t count = std::min<size_t>(kLanes, rows.size() - at);
    impl_->filter_chunk(batch, rows.subspan(at, count), yes, failed);
  }
}

row::Column Evaluation::compute(row::Batch& batch, std::span<const uint32_t> rows,
                                std::vector<FailedRow>& failed) {
  const Program::Impl& program = impl_->program;
  PENSTOCK_CHECK(program.result_schema.has_value());
  if (program.is_plain_field()) return batch.columns[impl_->slots[program.root->slot]];
  const avro::Node& type = (*program.result_schema)->root();
  const avro::SlotShape shape = avro::slot_shape(type);
  row::Column column = batch.make_column(shape.kind, shape.nullable);
  if (impl_->registers) {
    for (size_t at = 0; at < rows.size(); at += kLanes) {
      const auto chunk = rows.subspan(at, std::min<size_t>(kLanes, rows.size() - at));
      impl_->run_chunk(batch, chunk, *batch.arena);
      impl_->fail_bad_lanes(batch, chunk, failed);
      impl_->store_lanes(chunk, column, failed);
      impl_->scratch.reset();
    }
    return column;
  }
  for (const uint32_t row : rows) {
    put_null(column, row);
    if (column.nulls != nullptr) column.nulls[row] = 0;
    const Value value = impl_->interpret_text(*program.root, batch, row, *batch.arena);
    std::string why = impl_->store(type, value, column, row, *batch.arena);
    if (!why.empty()) failed.push_back({row, std::move(why)});
  }
  return column;
}

}  // namespace penstock::rule
