#include "step/bound_rule.h"
#include "step/steps.h"

namespace penstock::step {
namespace {

// Everything happens in the shape: the encoder leaves the field out.
class Unset final : public flow::Step {
 public:
  void apply(row::Batch&, flow::StepContext&) override {}
};

Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext&) {
  const bool bare = config.node().kind != yaml::NodeKind::mapping;
  std::vector<const yaml::Node*> names;
  if (!bare) {
    names = config.list("fields");
  } else if (config.node().kind == yaml::NodeKind::sequence) {
    for (const yaml::Node& item : config.node().items) names.push_back(&item);
  } else {
    names.push_back(&config.node());
  }
  for (const yaml::Node* name : names) {
    if (!shape.unset(name->text)) return std::unexpected(no_such_field(config, *name, shape));
  }
  return std::make_unique<Unset>();
}

}  // namespace

flow::PartSpec unset() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "unset";
  spec.doc = "Removes fields from the record.";
  spec.guarantee = "Pure; nothing is lost but the named fields.";
  spec.fields = {{.name = "fields",
                  .type = flow::FieldType::fields,
                  .required = true,
                  .doc = "The fields to remove.",
                  .example = "[kvarh]"}};
  spec.bare = "fields";
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
