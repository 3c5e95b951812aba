#include "step/steps.h"

namespace penstock::step {
namespace {

class Send final : public flow::Step {
 public:
  explicit Send(uint32_t side) : side_(side) {}
  void apply(row::Batch& batch, flow::StepContext& context) override {
    context.sides[side_].rows = batch.live;
  }

 private:
  uint32_t side_;
};

Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext& context) {
  const yaml::Node* to = config.find("to");
  const yaml::Node& topic = to == nullptr ? config.node() : *to;
  PENSTOCK_TRY(side, context.use_side(topic.text, shape, config.place(topic)));
  return std::make_unique<Send>(side);
}

}  // namespace

flow::PartSpec send() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "send";
  spec.doc =
      "Sends a copy of the record, as it is at this point, to a topic. Not in a stage that ends in "
      "a store.";
  spec.guarantee =
      "The copy is part of the same epoch: it is there exactly when the record's own outcome is.";
  spec.fields = {{.name = "to",
                  .type = flow::FieldType::topic,
                  .required = true,
                  .doc = "The topic that gets the copy.",
                  .example = "audit"}};
  spec.bare = "to";
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
