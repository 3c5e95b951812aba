// The schema under which a stage's result stays in a topic or a store.
#include "plan/draft.h"

#include <algorithm>

namespace penstock::plan {

Result<avro::SchemaPtr> lasting_schema(const flow::Shape& shape,
                                       const std::vector<std::string>& whole) {
  std::vector<avro::SchemaPtr> owners;
  std::vector<avro::NewField> fields;
  for (const flow::Shape::Field& field : shape.fields()) {
    avro::NewField made{field.name, field.type, field.default_json};
    const bool added = !field.input && shape.input()->root().field(field.name) == nullptr &&
                       std::ranges::find(whole, field.name) == whole.end();
    if (added) {
      const avro::Node* branch = field.type->nullable_branch();
      PENSTOCK_TRY(type, avro::nullable(branch == nullptr ? *field.type : *branch));
      made.type = &type->root();
      const bool null_first =
          made.type->branches.empty() || made.type->branches.front()->type == avro::Type::null_;
      made.default_json = null_first ? "null" : field.default_json;
      owners.push_back(std::move(type));
    }
    fields.push_back(std::move(made));
  }
  if (owners.empty()) return shape.schema();
  return avro::make_record(shape.input()->root().name, fields);
}

}  // namespace penstock::plan
