// part.h — what a pipeline file says of PostgreSQL: the fields of a store's line and of a target's
// settings, read into StoreSettings.
//
// TLS is verified unless the file says otherwise: the server's certificate has to be signed by `ca`
// (or one of the system's list) and name the host. A host that is a folder is a socket of this
// machine, which needs none.
//
// Thread      free functions.
// Errors      L115 (a secret), S021 (settings that do not go together), each with its place.
//
//     PENSTOCK_TRY(settings, postgres::settings_of(*store.config, store.target_config.get()));
#pragma once

#include "file/secret/secret.h"
#include "flow/part_spec.h"
#include "store/postgres/session.h"

namespace penstock::store::postgres {

flow::PartSpec postgres_part();
// The table `postgres: "select …"` that steps join.
flow::PartSpec query_part();

// What the target says wins over the store's own line. `target` may be null.
Result<StoreSettings> settings_of(const flow::Config& config, const flow::Config* target,
                                  const file::SecretReader& secrets = file::read_secret);

}  // namespace penstock::store::postgres
