#include "step/bound_rule.h"
#include "step/steps.h"

#include <utility>

namespace penstock::step {
namespace {

class Drop final : public flow::Step {
 public:
  Drop(BoundRule when, uint32_t index) : when_(std::move(when)), index_(index) {}
  void apply(row::Batch& batch, flow::StepContext&) override {
    flow::remove_live(batch.live, when_.matches(batch, index_));
  }

 private:
  BoundRule when_;
  uint32_t index_;
};

Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext& context) {
  PENSTOCK_TRY(when, make_condition(config, "when", shape));
  return std::make_unique<Drop>(std::move(when), context.step_index());
}

}  // namespace

flow::PartSpec drop() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "drop";
  spec.doc = "Leaves out the records for which a rule is true; they are counted, not kept.";
  spec.guarantee =
      "Every dropped record is counted in the fates of its partition, under this step.";
  spec.fields = {{.name = "when",
                  .type = flow::FieldType::condition,
                  .required = true,
                  .doc = "Which records to leave out.",
                  .example = "meter_id.startsWith('TEST-')"}};
  spec.bare = "when";
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
