// chain.h — the real processor: decode, steps, encode, for one stage of a plan.
//
// Built from the plan's own steps by the code that `check` uses. Pure: what it adds to an epoch
// depends on the batch, the epoch's tables and the schemas alone.
//
// Thread      one worker.
// Lifetime    keeps the plan alive; the SchemaSource and the tables outlive it.
// Limits      those of avro/bounds.h per datum; one batch of columns at a time.
// Errors      at build: P…, R…, A…. At run time a record that can not be handled becomes a dead
// letter:
//             value.null, avro.framing, avro.unknown_schema, avro.unresolvable, avro.… (damaged
//             datum), rule.error, join.no_match, route.unknown, encode, record.too_large, store.…
//
//     PENSTOCK_TRY(chain, engine::Chain::make({plan, stage, log.schemas(), tables, lineages}));
//     for (auto& schema : chain->output_schemas()) log.schemas().add(schema);
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "engine/processor.h"
#include "flow/log.h"
#include "flow/table.h"
#include "plan/plan.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace penstock::engine {

struct ChainSpec {
  std::shared_ptr<const plan::Plan> plan;
  const plan::Stage* stage = nullptr;
  flow::SchemaSource* schemas = nullptr;
  std::function<flow::Table*(const std::string& name)>
      table;                          // opened; never null for a declared one
  std::vector<std::string> lineages;  // of stage->from
};

class Chain : public Processor {
 public:
  static Result<std::unique_ptr<Chain>> make(ChainSpec spec);
  // Topics in the order of Epoch's outputs: where records go, copies aside, dead letters.
  virtual const std::vector<std::string>& outputs() const = 0;
  // What has to be in the log before the first record that uses it.
  virtual const std::vector<avro::SchemaPtr>& output_schemas() const = 0;
};

}  // namespace penstock::engine
