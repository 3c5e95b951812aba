// datum.h — a nested Avro value as maps, lists and scalars of DynamoDB.
//
// Thread      free function.
// Limits      32 levels, as DynamoDB has; an empty set does not arise, for there are only lists.
#pragma once

#include "avro/schema.h"
#include "base/units.h"
#include "store/dynamodb/attribute.h"

#include <string>

namespace penstock::store::dynamodb {

// A union's null at the top is "", so that the caller leaves the attribute out.
bool append_datum(const avro::Node& type, ByteView datum, std::string& out, size_t& size,
                  Refusal& refusal);

}  // namespace penstock::store::dynamodb
