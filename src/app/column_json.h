// column_json.h — a slot of a column as plain JSON text.
//
// Thread      free functions.
#pragma once

#include "avro/schema.h"
#include "row/column.h"

#include <cstdint>
#include <string>

namespace penstock::app {

// `type` is the Avro type that the column was shaped for (avro::slot_shape).
std::string slot_json(const row::Column& column, uint32_t row, const avro::Node& type);

}  // namespace penstock::app
