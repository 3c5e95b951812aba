// part.h — what a pipeline file says of Redshift: the fields of a store's line and of a target's
// settings, read into StoreSettings.
//
// TLS is verified unless the file says otherwise: Redshift's certificate is signed by an authority
// of the system's list and names the endpoint.
//
// Thread      free functions.
// Errors      L115 (a secret), S021 (settings that do not go together), each with its place.
//
//     PENSTOCK_TRY(settings, redshift::settings_of(*config, target, clock));
#pragma once

#include "base/clock.h"
#include "file/secret/secret.h"
#include "flow/part_spec.h"
#include "store/redshift/session.h"

namespace penstock::store::redshift {

flow::PartSpec redshift_part();

// What the target says wins over the store's own line. `target` may be null. The clock
// outlives the settings.
Result<StoreSettings> settings_of(const flow::Config& config, const flow::Config* target,
                                  const Clock& clock,
                                  const file::SecretReader& secrets = file::read_secret);

}  // namespace penstock::store::redshift
