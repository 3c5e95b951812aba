// The check and the evaluation agree about types: rules drawn at random over schemas and rows drawn
// at random. What passed the check never fails for a type, and every part of it gives what its type
// says; what has no mistake passes; and each call that is refused would have failed.
//
// PENSTOCK_GENERATED_RULES says how many rules (default: 1,000), PENSTOCK_GENERATED_SEED which.

#include "avro/plan.h"
#include "rule/datum.h"
#include "rule/interpret.h"
#include "rule/program.h"
#include "rule/rule_fixture.h"
#include "rule/verdict_fixture.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace penstock::rule {
namespace {

// A type that says nothing of what it is, or of what is in it.
bool is_open(const Type& type) {
  if (type.kind == TypeKind::dyn || type.kind == TypeKind::record) return true;
  return (type.item != nullptr && is_open(*type.item)) ||
         (type.key != nullptr && is_open(*type.key));
}

// Whether something in the rule works on a value whose type only the data know.
bool works_on_dyn(const Expr& expr) {
  for (const Expr* arg : expr.args) {
    const bool open =
        expr.extension != nullptr ? is_open(*arg->type) : arg->type->kind == TypeKind::dyn;
    if (open || works_on_dyn(*arg)) return true;
  }
  return false;
}

bool conforms(const Value& value, const Type& type);

bool record_conforms(const Value& value, const Type& type) {
  Types types;
  for (const Entry& entry : value.entries->entries) {
    const avro::Field* field = type.node->field(entry.key.text());
    if (field == nullptr || !conforms(entry.value, *types.from_avro(*field->type))) return false;
  }
  return true;
}

bool conforms(const Value& value, const Type& type) {
  if (type.kind == TypeKind::dyn) return true;
  if (value.kind == ValueKind::null_) return type.nullable || type.kind == TypeKind::null_;
  switch (type.kind) {
    case TypeKind::list:
      return value.kind == ValueKind::list &&
             std::ranges::all_of(value.list(),
                                 [&](const Value& item) { return conforms(item, *type.item); });
    case TypeKind::map:
      return value.kind == ValueKind::map &&
             std::ranges::all_of(value.entries->entries, [&](const Entry& entry) {
               return conforms(entry.key, *type.key) && conforms(entry.value, *type.item);
             });
    case TypeKind::record:
      return value.kind == ValueKind::map && record_conforms(value, type);
    case TypeKind::type:
      return value.kind == ValueKind::type;
    case TypeKind::optional:
      return value.kind == ValueKind::optional &&
             (value.content() == nullptr || conforms(*value.content(), *type.item));
    default:
      return static_cast<uint8_t>(value.kind) == static_cast<uint8_t>(type.kind);
  }
}

// Rows of a schema behind a decode plan of all fields, as names and as variables.
class Rows final : public Names, public Variables {
 public:
  Rows(avro::SchemaPtr schema, uint32_t count, Random& random)
      : schema_(std::move(schema)), datums_(count), records_(count) {
    std::vector<avro::Want> wants;
    for (uint32_t i = 0; i < fields().size(); i++) wants.push_back({i, i});
    const auto plan = avro::DecodePlan::compile(schema_, schema_, wants, {});
    REQUIRE(plan.has_value());
    for (std::string& datum : datums_) append_random(schema_->root(), random, datum);
    const std::vector<ByteView> payloads(datums_.begin(), datums_.end());
    batch.records = records_;
    batch.arena = &arena_;
    batch.columns.resize(wants.size());
    for (uint32_t i = 0; i < count; i++) batch.live.push_back(i);
    plan->decode(payloads, batch);
    REQUIRE(batch.live.size() == count);
  }

  std::optional<Found> find(std::string_view name) override {
    for (uint32_t i = 0; i < fields().size(); i++)
      if (fields()[i].name == name) return Found{types.from_avro(*fields()[i].type), i};
    return std::nullopt;
  }
  std::vector<std::string_view> all() const override { return {}; }
  const Type* whole_record() override { return nullptr; }
  const Type* record_type() const override { return nullptr; }
  Value load(uint32_t slot, Context& context) override {
    return value_of_slot(reading_of(*fields()[slot].type), batch.columns[slot], row, context);
  }
  Value whole_record(Context& context) override { return context.error("there is no record"); }

  std::vector<uint32_t> slots_of(const Program& program) {
    std::vector<uint32_t> slots;
    for (const Use& use : program.uses()) slots.push_back(find(use.field)->slot);
    return slots;
  }
  const avro::SchemaPtr& schema() const { return schema_; }

  Types types;
  row::Batch batch;
  uint32_t row = 0;

 private:
  const std::vector<avro::Field>& fields() const { return schema_->root().fields; }

  avro::SchemaPtr schema_;
  std::vector<std::string> datums_;
  std::vector<row::RawRecord> records_;
  Arena arena_;
};

struct Tally {
  size_t passed = 0, refused = 0, values = 0, errors = 0, dyn = 0;
};

// The parts that stand for themselves: without a macro's variables.
void each_closed_part(const Expr& expr, const std::function<void(const Expr&)>& see) {
  see(expr);
  const size_t outside = expr.kind == ExprKind::macro ? 1 : expr.args.size();
  for (size_t i = 0; i < outside; i++) each_closed_part(*expr.args[i], see);
}

// Every part of the rule gives what its type says, of each row on which it is asked.
void check_parts(const Tree& tree, Rows& rows, bool dyn, Tally& tally) {
  Arena arena;
  each_closed_part(*tree.root, [&](const Expr& part) {
    if (part.non_null) return;  // holds only behind its guard
    Context context{arena, kStepsPerEvaluation};
    const Value value = Interpreter(rows, context).run(part);
    if (&part == tree.root) ++(value.is_error() ? tally.errors : tally.values);
    INFO("row " << rows.row << ": " << (value.is_error() ? std::string(value.text()) : show(value))
                << " as " << describe(*part.type));
    if (!value.is_error()) CHECK(conforms(value, *part.type));
    const bool whole = &part == tree.root;
    if (whole && value.is_error() && !dyn) CHECK(is_of_values(value.text()));
  });
}

void check_product(const Program& program, Rows& rows, bool dyn) {
  std::vector<FailedRow> failed[2];
  std::vector<uint32_t> yes[2];
  for (const bool kernels : {false, true}) {
    Evaluation evaluation(program, rows.slots_of(program));
    evaluation.use_kernels(kernels);
    if (program.is_condition())
      evaluation.filter(rows.batch, rows.batch.live, yes[kernels], failed[kernels]);
    else if (program.result_schema())
      evaluation.compute(rows.batch, rows.batch.live, failed[kernels]);
  }
  CHECK(yes[0] == yes[1]);
  REQUIRE(failed[0].size() == failed[1].size());
  for (const FailedRow& each : failed[1]) {
    INFO(each.text);
    const bool fits = each.text.find("does not fit an Avro") == std::string::npos;
    if (fits && !dyn) CHECK(is_of_values(each.text));
  }
}

void check_rule(const std::string& text, Rows& rows, bool clean, Tally& tally) {
  INFO(rows.schema()->json() << '\n' << text);
  const auto program = Program::compile(text, rows.schema());
  if (!program) {
    const bool constant = program.error().code == "R007"_code;  // as duration('')
    if (clean && !constant) FAIL_CHECK(render(program.error()));
    ++tally.refused;
    return;
  }
  ++tally.passed;
  const auto tree = tree_of(text, rows.types, rows);
  REQUIRE(tree->root != nullptr);
  const bool dyn = works_on_dyn(*tree->root) || tree->root->type->kind == TypeKind::dyn;
  tally.dyn += dyn ? 1 : 0;
  for (rows.row = 0; rows.row < rows.batch.live.size(); rows.row++)
    check_parts(*tree, rows, dyn, tally);
  check_product(*program, rows, dyn);
}

uint64_t number_of(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

TEST_CASE("generated rules: what passed the check never fails for a type") {
  Random random(number_of("PENSTOCK_GENERATED_SEED", 1));
  const uint64_t count = number_of("PENSTOCK_GENERATED_RULES", 1'000);
  static constexpr uint64_t kRulesOfSchema = 25;
  static constexpr std::string_view kResults = "bbbiudsytrIDSN";
  Tally tally;
  for (uint64_t made = 0; made < count; made += kRulesOfSchema) {
    Rows rows(Schemas(random).record(14), 12, random);
    RuleWriter writer(rows.schema()->root(), random);
    for (uint64_t i = 0; i < kRulesOfSchema; i++) {
      const bool clean = i % 5 < 3;
      const char result = kResults[random.below(kResults.size())];
      const int depth = 1 + static_cast<int>(random.below(4));
      check_rule(writer.rule(result, depth, clean ? 0.0 : 0.08), rows, clean, tally);
    }
  }
  MESSAGE("passed " << tally.passed << ", refused " << tally.refused << ", of dyn " << tally.dyn
                    << ", values " << tally.values << ", errors " << tally.errors);
  CHECK(tally.passed > count / 2);
  CHECK(tally.refused > count / 20);
  CHECK(tally.values > count * 3);
  CHECK(tally.errors > count / 2);
  CHECK(tally.dyn < tally.passed / 4);
}

}  // namespace
}  // namespace penstock::rule
