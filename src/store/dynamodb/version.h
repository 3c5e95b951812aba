// version.h — which of two rows of one key wins, as bytes that DynamoDB compares.
//
// newest_by: (its value, the topic's lineage, the offset). upsert: (lineage, offset), and another
// lineage always gives way: a topic that was made anew starts its offsets again. The owner is no
// part
// of it: a new owner that repeats offset 100 must not overwrite 110.
//
// Thread      free functions.
#pragma once

#include "avro/schema.h"
#include "row/column.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::store::dynamodb {

// Whether rows can be ordered by values of this type.
bool can_be_newest(const avro::Node& type);
// Appends the value of a slot that is not null; the order of the bytes is that of the values.
void append_ordered(const avro::Node& type, const row::Column& column, uint32_t row,
                    std::string& out);
void append_ordered_bytes(std::string_view bytes, std::string& out);
void append_ordered_whole(int64_t value, std::string& out);

}  // namespace penstock::store::dynamodb
