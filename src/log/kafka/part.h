// part.h — what a pipeline file says of Kafka: the fields of `log: {kafka: …}`, read into Settings.
//
// Thread      free functions.
// Errors      settings_of: L107, L108 (properties), L109 (auth), L115 (a secret), P021, P029, each
//             with its place.
//
//     PENSTOCK_TRY(settings, settings_of(*plan.log.config, plan.pipeline));
#pragma once

#include "file/secret/secret.h"
#include "flow/part_spec.h"
#include "log/kafka/settings.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::log::kafka {

flow::PartSpec kafka_part();
// auth, its fields, delivery and properties: what every log that speaks Kafka's protocol takes.
std::vector<flow::FieldSpec> client_fields();

// The kind of login: auth:, or what the other fields imply.
std::string auth_of(const flow::Config& config);

// Whether the settings go together, and properties are librdkafka's; without files and secrets.
Result<void> settings_fit(const flow::Config& config);

// Files are named relative to the pipeline file. Secrets are read now, the token for each login.
Result<Settings> settings_of(const flow::Config& config, std::string_view pipeline,
                             const file::SecretReader& secrets = file::read_secret);

}  // namespace penstock::log::kafka
