// registries.h — the target's schema registries: opened, and what a deploy will register there.
//
// Thread      one; describe_schemas() and schema_objections() wait for the registries.
// Errors      L140 … L146.
//
//     PENSTOCK_TRY(registries, open_registries(plan, clock));
#pragma once

#include "base/clock.h"
#include "plan/plan.h"
#include "registry/registry.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::app {

using Registries = std::vector<std::unique_ptr<registry::Registry>>;

// Nothing is asked yet.
Result<Registries> open_registries(const plan::Plan& plan, const Clock& clock);
// The topics that stages and producers write in a framing that names schemas as a registry does.
std::vector<const plan::Topic*> enrolled_topics(const plan::Plan& plan);
// For `plan`: each of these topics, its subject, and whether its schema is there already, will be
// registered, or will be refused. "" for a plan without.
std::string describe_schemas(const plan::Plan& plan, const Clock& clock);
// For `check --registry`: what the registries will refuse, and what they can not be asked.
std::vector<Error> schema_objections(const plan::Plan& plan, const Clock& clock);

}  // namespace penstock::app
