// access.h — what each process of a pipeline may ask of the log and the stores, and no more.
//
// A stage reads its inputs, the schemas and its positions; it writes what it makes, its dead
// letters, and both again. `apply` makes what is missing. Rights in a cluster (Kafka's ACLs, AWS's
// IAM) are derived from this.
//
// Thread      free functions.
//
//     const Access rights = bundle::access_of(plan, stage);
#pragma once

#include "plan/plan.h"

#include <string>
#include <vector>

namespace penstock::bundle {

struct Access {
  std::vector<std::string> read, write, create;  // topics
  std::vector<std::string> groups;
  std::string transactional_id_prefix;  // "" = no transactions
  std::vector<std::string> stores;
};

Access access_of(const plan::Plan& plan, const plan::Stage& stage);
Access access_of(const plan::Plan& plan, const plan::Producer& producer);
Access access_of_apply(const plan::Plan& plan);
std::string to_json(const Access& access);

// Where a stage on Kafka keeps what it remembers; "" for one that remembers nothing.
std::string state_topic_of(const plan::Plan& plan, const plan::Stage& stage);
// What the log keeps for itself beside the pipeline's topics; Kafka only.
std::vector<std::string> inner_topics(const plan::Plan& plan);
// The tables of a store, those of tenants by name.
std::vector<std::string> tables_of(const plan::Store& store);

}  // namespace penstock::bundle
