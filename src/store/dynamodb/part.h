// part.h — what a pipeline file says of a store in DynamoDB.
//
// Thread      free functions.
// Errors      settings_of: P021 with its place.
#pragma once

#include "flow/part_spec.h"
#include "store/dynamodb/dynamodb_store.h"

namespace penstock::store::dynamodb {

flow::PartSpec dynamodb_part();
// Of the store's line and of its settings in the target, which go before.
Result<StoreSettings> settings_of(const flow::Config& config, const flow::Config* target);

}  // namespace penstock::store::dynamodb
