// msk.h — Amazon MSK as a log: `log: {msk: ARN}`, its brokers looked up, its login by IAM.
//
// Thread      msk_settings_of() waits for AWS: at start only. The token source of the settings is
//             called by librdkafka's threads and keeps what it needs alive: an HTTP client and the
//             process's credentials, kept fresh (aws/identity.h).
// Errors      W001 … W008 and H…, at the place of `msk:`; else those of part.h.
//
//     PENSTOCK_TRY(settings, msk_settings_of(*plan.log.config, plan.pipeline, file::read_secret));
#pragma once

#include "file/secret/secret.h"
#include "flow/part_spec.h"
#include "log/kafka/settings.h"

#include <string_view>

namespace penstock::log::kafka {

flow::PartSpec msk_part();

Result<Settings> msk_settings_of(const flow::Config& config, std::string_view pipeline,
                                 const file::SecretReader& secrets);

}  // namespace penstock::log::kafka
