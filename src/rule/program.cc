#include "rule/program.h"

#include "rule/checker.h"
#include "rule/program_parts.h"

#include <fmt/format.h>

#include <optional>

namespace penstock::rule {

namespace {

constexpr std::string_view kOtherNames[] = {"key", "topic", "partition", "offset", "timestamp"};

// The record's fields and the record's surroundings as names; notes which are used.
class RecordNames final : public Names {
 public:
  RecordNames(const avro::Node& record, Types& types, std::vector<Use>& uses)
      : record_(record), types_(types), uses_(uses) {}

  std::optional<Found> find(std::string_view name) override {
    if (const avro::Field* field = record_.field(name))
      return Found{types_.from_avro(*field->type), slot({Use::What::field, std::string(name)})};
    for (size_t i = 0; i < std::size(kOtherNames); i++) {
      if (kOtherNames[i] != name) continue;
      const auto what = static_cast<Use::What>(i + 1);
      return Found{type_of(what), slot({what, ""})};
    }
    return std::nullopt;
  }

  std::vector<std::string_view> all() const override {
    std::vector<std::string_view> names;
    for (const avro::Field& field : record_.fields) names.push_back(field.name);
    names.push_back("record");
    names.insert(names.end(), std::begin(kOtherNames), std::end(kOtherNames));
    return names;
  }

  const Type* whole_record() override {
    for (const avro::Field& field : record_.fields) slot({Use::What::field, field.name});
    return record_type();
  }
  const Type* record_type() const override { return types_.from_avro(record_); }

 private:
  const Type* type_of(Use::What what) {
    switch (what) {
      case Use::What::key:
        return types_.nullable(types_.of(TypeKind::bytes));
      case Use::What::topic:
        return types_.of(TypeKind::string);
      case Use::What::timestamp:
        return types_.of(TypeKind::timestamp);
      default:
        return types_.of(TypeKind::int_);
    }
  }

  uint32_t slot(Use use) {
    for (uint32_t i = 0; i < uses_.size(); i++)
      if (uses_[i] == use) return i;
    uses_.push_back(std::move(use));
    return static_cast<uint32_t>(uses_.size() - 1);
  }

  const avro::Node& record_;
  Types& types_;
  std::vector<Use>& uses_;
};

Reading reading_of_use(const Use& use, const avro::Node& record) {
  if (use.what == Use::What::field) return reading_of(*record.field(use.field)->type);
  Reading reading;
  if (use.what == Use::What::timestamp) {
    reading.how = Reading::How::time;
    reading.per_second = 1'000;
  }
  return reading;
}

std::string_view avro_name(TypeKind kind) {
  switch (kind) {
    case TypeKind::null_:
      return R"("null")";
    case TypeKind::bool_:
      return R"("boolean")";
    case TypeKind::int_:
    case TypeKind::uint_:
      return R"("long")";
    case TypeKind::double_:
      return R"("double")";
    case TypeKind::string:
      return R"("string")";
    case TypeKind::bytes:
      return R"("bytes")";
    case TypeKind::timestamp:
      return R"({"type":"long","logicalType":"timestamp-micros"})";
    default:
      return "";
  }
}

// The Avro type that holds values of this type, as JSON; "" when there is none.
std::string avro_text(const Type& type) {
  std::string text(avro_name(type.kind));
  const bool map = type.kind == TypeKind::map && type.key->kind == TypeKind::string;
  if (type.kind == TypeKind::list || map) {
    const std::string item = avro_text(*type.item);
    if (item.empty()) return "";
    text = fmt::format(R"({{"type":"{}","{}":{}}})", map ? "map" : "array",
                       map ? "values" : "items", item);
  } else if (type.kind == TypeKind::record) {
    const auto schema = avro::extract(*type.node);
    if (!schema) return "";
    text = (*schema)->json();
  }
  if (text.empty() || !type.nullable) return text;
  return R"(["null",)" + text + "]";
}

Result<avro::SchemaPtr> schema_of_result(const Program::Impl& program) {
  const Expr& root = *program.root;
  if (program.is_plain_field()) {
    const Use& use = program.uses[root.slot];
    return avro::extract(*program.schema->root().field(use.field)->type);
  }
  const std::string text = avro_text(*root.type);
  if (!text.empty()) return avro::parse(text);
  return fail("R008"_code, fmt::format("no Avro type holds a {}", describe(*root.type)))
      .at(place_in(program.text, root.start, root.end));
}

}  // namespace

bool Program::Impl::is_plain_field() const {
  return root->kind == ExprKind::name && root->ref == Ref::variable &&
         uses[root->slot].what == Use::What::field;
}

row::Kind kind_of(Use::What what) {
  switch (what) {
    case Use::What::key:
      return row::Kind::bytes;
    case Use::What::topic:
      return row::Kind::string;
    case Use::What::partition:
    case Use::What::offset:
    case Use::What::timestamp:
      return row::Kind::int64;
    case Use::What::field:
      break;
  }
  return row::Kind::datum;
}

Program::Program(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Result<Program> Program::compile(std::string_view text, avro::SchemaPtr record) {
  PENSTOCK_CHECK(record != nullptr && record->root().type == avro::Type::record);
  auto impl = std::make_unique<Impl>();
  impl->schema = std::move(record);
  impl->text = impl->arena.copy(text);
  const avro::Node& node = impl->schema->root();
  RecordNames names(node, impl->types, impl->uses);
  PENSTOCK_TRY(parsed, parse(impl->text, impl->arena));
  Checker checker(impl->text, impl->types, names, impl->arena, impl->patterns);
  PENSTOCK_TRY(root, checker.check(parsed));
  impl->root = root;
  for (const Use& use : impl->uses) impl->readings.push_back(reading_of_use(use, node));
  impl->plan = make_plan(*root, impl->readings, impl->arena);
  impl->result_schema = schema_of_result(*impl);
  return Program(std::move(impl));
}

const std::vector<Use>& Program::uses() const { return impl_->uses; }
Result<avro::SchemaPtr> Program::result_schema() const { return impl_->result_schema; }

bool Program::is_condition() const {
  const Type& type = *impl_->root->type;
  return type.kind == TypeKind::dyn || (type.kind == TypeKind::bool_ && !type.nullable);
}

std::string Program::result_type() const { return describe(*impl_->root->type); }

}  // namespace penstock::rule
