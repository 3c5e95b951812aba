// references.h — a schema that uses names which other schemas define, as one that stands alone.
//
// Thread      free functions.
// Limits      those of avro/schema.h for the whole.
// Errors      A001 … A004.
//
//     PENSTOCK_TRY(whole, with_references(text, {{"common.Site", site_text}}));
#pragma once

#include "avro/schema.h"

#include <map>
#include <string>
#include <string_view>

namespace penstock::registry {

// `others`: by the full name of the type that each text defines.
using References = std::map<std::string, std::string, std::less<>>;

// The first use of each name is replaced by its definition (avro/library.h).
Result<avro::SchemaPtr> with_references(std::string_view text, const References& others);

}  // namespace penstock::registry
