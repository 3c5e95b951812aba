// part.h — what a pipeline file says of Kafka: the fields of `log: {kafka: …}`, read into Settings.
//
// Thread      free functions.
// Errors      settings_of: L107, L108 (properties), L109 (auth), L115 (a secret), P021, P029, each
//             with its place.
//
//     PENSTOCK_TRY(settings, settings_of(*plan.log.config, plan.pipeline));
#pragma once

#include "flow/part_spec.h"
#include "log/kafka/settings.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::log::kafka {

flow::PartSpec kafka_part();
// auth, its fields, delivery and properties: what every log that speaks Kafka's protocol takes.
std::vector<flow::FieldSpec> client_fields();

// What `${secret:NAME}` stands for.
using SecretReader = std::function<Result<std::string>(std::string_view name)>;
// The variable PENSTOCK_SECRET_<NAME> (capitals, - and . as _); else what PENSTOCK_SECRETS names:
// a file that is a flat mapping of names to texts, or a folder with a file for each (as Kubernetes
// mounts them; the end of the last line is cut off). A secret has at most 64 KiB. L115.
Result<std::string> read_secret(std::string_view name);

// Files are named relative to the pipeline file. Secrets are read now, the token for each login.
Result<Settings> settings_of(const flow::Config& config, std::string_view pipeline,
                             const SecretReader& secrets = read_secret);

}  // namespace penstock::log::kafka
