// part.h — what a target says of its schema registries.
//
// Thread      free functions.
// Errors      L146, L115 (a secret), H001, H003, W…, with their place.
//
//     PENSTOCK_TRY(registry, open_registry("confluent", *use.config, clock));
#pragma once

#include "base/clock.h"
#include "flow/part_spec.h"
#include "registry/registry.h"

#include <memory>
#include <string_view>

namespace penstock::registry {

flow::PartSpec confluent_part();
flow::PartSpec glue_part();

// Whether the settings go together; without files and secrets.
Result<void> settings_fit(std::string_view part, const flow::Config& config);

// Nothing is asked yet.
Result<std::unique_ptr<Registry>> open_registry(std::string_view part, const flow::Config& config,
                                                const Clock& clock);

}  // namespace penstock::registry
