#include "step/bound_rule.h"
#include "step/steps.h"

#include <string>
#include <utility>

namespace penstock::step {
namespace {

class Reject final : public flow::Step {
 public:
  Reject(BoundRule when, std::string reason, std::string rule, uint32_t index)
      : when_(std::move(when)), reason_(std::move(reason)), rule_(std::move(rule)), index_(index) {}

  void apply(row::Batch& batch, flow::StepContext&) override {
    const auto& rows = when_.matches(batch, index_);
    for (const uint32_t row : rows) batch.reject(row, index_, reason_, rule_);
    flow::remove_live(batch.live, rows);
  }

 private:
  BoundRule when_;
  std::string reason_;
  std::string rule_;
  uint32_t index_;
};

Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext& context) {
  PENSTOCK_TRY(when, make_condition(config, "when", shape));
  return std::make_unique<Reject>(std::move(when), config.text("reason", "rejected"),
                                  config.text("when"), context.step_index());
}

}  // namespace

flow::PartSpec reject() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "reject";
  spec.doc = "Makes the records for which a rule is true dead letters.";
  spec.guarantee =
      "A rejected record keeps its original bytes, position and reason in the dead letters.";
  spec.fields = {{.name = "when",
                  .type = flow::FieldType::condition,
                  .required = true,
                  .doc = "Which records are bad.",
                  .example = "kwh < 0.0 || kwh > 100.0"},
                 {.name = "reason",
                  .type = flow::FieldType::text,
                  .fallback = "rejected",
                  .doc = "A short stable name for the dead letter.",
                  .example = "implausible"}};
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
