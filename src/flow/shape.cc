#include "flow/shape.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::flow {

Shape::Shape(avro::SchemaPtr input)
    : input_(std::move(input)), projection_(std::make_shared<Projection>()) {
  PENSTOCK_CHECK(input_->root().type == avro::Type::record);
  const auto& fields = input_->root().fields;
  projection_->by_input.resize(fields.size());
  for (uint32_t i = 0; i < fields.size(); ++i) {
    fields_.push_back({fields[i].name, input_, fields[i].type, fields[i].default_json, i, {}});
  }
}

const Shape::Field* Shape::field(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  return found == fields_.end() ? nullptr : &*found;
}

Result<avro::SchemaPtr> Shape::schema() const {
  if (!changed_) return input_;
  if (schema_) return schema_;
  std::vector<avro::NewField> fields;
  for (const Field& field : fields_) fields.push_back({field.name, field.type, field.default_json});
  PENSTOCK_TRY(made, avro::make_record(input_->root().name, fields));
  schema_ = std::move(made);
  return schema_;
}

uint32_t Shape::slot(std::string_view name) {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  PENSTOCK_CHECK(found != fields_.end());
  if (!found->input) return *found->slot;
  std::optional<uint32_t>& slot = projection_->by_input[*found->input];
  if (!slot) {
    slot = new_slot();
    projection_->wants.push_back({*found->input, *slot});
  }
  return *slot;
}

uint32_t Shape::special(Special special) {
  std::optional<uint32_t>& slot = projection_->specials[static_cast<size_t>(special)];
  if (!slot) slot = new_slot();
  return *slot;
}

void Shape::set(std::string_view name, avro::SchemaPtr owner, const avro::Node* type,
                uint32_t slot) {
  Field made{std::string(name), std::move(owner), type, {}, {}, slot};
  const auto found = std::ranges::find(fields_, name, &Field::name);
  if (found == fields_.end()) {
    fields_.push_back(std::move(made));
  } else {
    *found = std::move(made);
  }
  changed_ = true;
  schema_.reset();
}

bool Shape::unset(std::string_view name) {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  if (found == fields_.end()) return false;
  fields_.erase(found);
  changed_ = true;
  schema_.reset();
  return true;
}

std::optional<uint32_t> Shape::special_slot(Special special) const {
  return projection_->specials[static_cast<size_t>(special)];
}

Result<std::vector<avro::Origin>> Shape::origins(const avro::Schema& output) const {
  std::vector<avro::Origin> origins;
  for (const avro::Field& wanted : output.root().fields) {
    const Field* have = field(wanted.name);
    if (have == nullptr) {
      return fail(
          "P300"_code,
          fmt::format("the output has a field \"{}\" that the record does not have", wanted.name));
    }
    if (have->input) {
      origins.push_back({avro::Origin::From::input_field, *have->input, nullptr});
    } else {
      origins.push_back({avro::Origin::From::slot, *have->slot, have->type});
    }
  }
  return origins;
}

}  // namespace penstock::flow
