// Every operator and function with arguments of every kind: the check refuses a call just where its
// evaluation, of values whose types it was not told, fails for a type.

#include "base/random.h"
#include "rule/interpret.h"
#include "rule/verdict_fixture.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

namespace penstock::rule {
namespace {

// A value of each kind, as names whose types are told or not.
class Samples final : public Names, public Variables {
 public:
  Samples() {
    static const Value kOne[] = {Value::of_int(1)};
    static const Value kText[] = {Value::of_string("a")};
    static const Entry kEntry[] = {{Value::of_string("a"), Value::of_int(1)}};
    static const MapData kMap{kEntry, {}};
    values_ = {Value::of_null(),      Value::of_bool(true),           Value::of_int(1),
               Value::of_uint(1),     Value::of_double(1.5),          Value::of_string("a"),
               Value::of_bytes("b"),  Value::of_time({1'000'000, 0}), Value::of_duration(5),
               Value::of_list(kOne),  Value::of_list(kText),          Value::of_map(&kMap),
               Value::of_type("int"), Value::of_optional(kOne)};
  }

  std::optional<Found> find(std::string_view name) override {
    if (!name.starts_with("x") || name.size() > 3) return std::nullopt;
    const auto slot = static_cast<uint32_t>(std::stoul(std::string(name.substr(1))));
    return Found{told ? types.of_value(values_[slot]) : types.of(TypeKind::dyn), slot};
  }
  std::vector<std::string_view> all() const override { return {}; }
  const Type* whole_record() override { return nullptr; }
  const Type* record_type() const override { return nullptr; }
  Value load(uint32_t slot, Context&) override { return values_[slot]; }
  Value whole_record(Context& context) override { return context.error("there is no record"); }
  size_t size() const { return values_.size(); }
  std::string kinds(const std::vector<size_t>& slots) const {
    std::string text;
    for (const size_t slot : slots) text += fmt::format(" {}", type_name(values_[slot].kind));
    return text;
  }

  Types types;
  bool told = true;

 private:
  std::vector<Value> values_;
};

// A call with {} for each argument. The check refuses by intent what CEL lets be compared (values
// of two types, keys of another type), what || absorbs, and a second argument that is not looked
// at.
struct Form {
  std::string text;
  size_t arguments;
  bool refused_by_intent = false;
};

std::string listed(size_t count, std::string_view behind) {
  std::string text;
  for (size_t i = 0; i < count; i++) text += i == 0 ? "{}" : ", {}";
  return text + std::string(behind);
}

void add_extensions(std::span<const Extension> table, std::vector<Form>& forms) {
  for (const Extension& each : table) {
    if (each.name == kOfNullable) continue;
    const size_t most = std::min<size_t>(each.most, 4);
    for (size_t count = each.least; count <= most; count++) {
      const bool lenient = each.lazy;  // the second argument is not looked at
      if (each.member)
        forms.push_back(
            {fmt::format("{{}}.{}({})", each.name, listed(count - 1, "")), count, lenient});
      else
        forms.push_back({fmt::format("{}({})", each.name, listed(count, "")), count, lenient});
    }
  }
}

std::vector<Form> all_forms() {
  std::vector<Form> forms = {{"-{}", 1},
                             {"!{}", 1},
                             {"{} == {}", 2, true},
                             {"{} in {}", 2, true},
                             {"{}[{}]", 2, true},
                             {"{}[?{}]", 2, true},
                             {"{}.?a", 1},
                             {"{} && {}", 2},
                             {"{} || {}", 2, true},
                             {"{} ? 1 : 2", 1},
                             {"[?{}]", 1},
                             {"{}.map(v, v)", 1},
                             {"{}.exists(v, v == v)", 1},
                             {"{}.filter(v, true)", 1},
                             {"{}.transformMap(k, v, v)", 1},
                             {"{}.transformMapEntry(k, v, {})", 2},
                             {"[1].sortBy(v, {})", 1},
                             {"{}.optMap(v, v)", 1},
                             {"{}.optFlatMap(v, {})", 2}};
  for (const std::string_view sign : {"+", "-", "*", "/", "%", "<", "<=", ">", ">="})
    forms.push_back({fmt::format("{{}} {} {{}}", sign), 2});
  for (const FunctionName& each : function_names()) {
    for (size_t count = 1; count <= 2; count++) {
      if (each.as_method)
        forms.push_back({fmt::format("{{}}.{}({})", each.name, listed(count - 1, "")), count});
      if (each.as_function)
        forms.push_back({fmt::format("{}({})", each.name, listed(count, "")), count});
    }
  }
  for (const auto& table : {text_extensions(), number_extensions(), list_extensions(),
                            optional_extensions(), energy_extensions()})
    add_extensions(table, forms);
  return forms;
}

std::string filled(std::string_view form, const std::vector<size_t>& slots) {
  std::string text;
  size_t next = 0;
  for (size_t i = 0; i < form.size(); i++) {
    if (!form.substr(i).starts_with("{}")) {
      text += form[i];
      continue;
    }
    text += fmt::format("x{}", slots[next++]);
    i++;
  }
  return text;
}

struct Counts {
  size_t passed = 0, refused = 0;
};

void compare(const Form& form, const std::vector<size_t>& slots, Samples& samples, Counts& counts) {
  const std::string text = filled(form.text, slots);
  INFO(text << samples.kinds(slots));
  samples.told = true;
  const bool passed = tree_of(text, samples.types, samples)->root != nullptr;
  (passed ? counts.passed : counts.refused)++;
  samples.told = false;
  const auto open = tree_of(text, samples.types, samples);
  if (open->root == nullptr) {  // the count of arguments does not fit, whatever they are
    CHECK(!passed);
    return;
  }
  Arena arena;
  Context context{arena, kStepsPerEvaluation};
  const Value value = Interpreter(samples, context).run(*open->root);
  INFO("evaluated: " << (value.is_error() ? std::string(value.text()) : show(value)));
  const bool type_error = value.is_error() && !is_of_values(value.text());
  if (passed) CHECK(!type_error);
  if (!passed && !form.refused_by_intent) CHECK(type_error);
}

// All of them up to two arguments; a sample beyond.
TEST_CASE("calls of every kind: refused just where evaluation fails for a type") {
  Samples samples;
  Random random(3);
  Counts counts;
  for (const Form& form : all_forms()) {
    size_t combinations = 1;
    for (size_t i = 0; i < form.arguments; i++) combinations *= samples.size();
    const bool all = form.arguments <= 2;
    for (size_t i = 0; i < (all ? combinations : 600); i++) {
      size_t number = all ? i : random.below(combinations);
      std::vector<size_t> slots;
      for (size_t k = 0; k < form.arguments; k++, number /= samples.size())
        slots.push_back(number % samples.size());
      compare(form, slots, samples, counts);
    }
  }
  MESSAGE("passed " << counts.passed << ", refused " << counts.refused);
  CHECK(counts.passed > 300);
  CHECK(counts.refused > 5'000);
}

}  // namespace
}  // namespace penstock::rule
