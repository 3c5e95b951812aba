// json.h — members of an answer's JSON.
//
// Thread      free functions.
#pragma once

#include "avro/json_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::registry {

// The text of that member; "" when there is none.
std::string text_of(const avro::Json& json, std::string_view name);
std::optional<int64_t> number_of(const avro::Json& json, std::string_view name);
// {"name":"value",…} of pairs of texts.
std::string object_of(std::initializer_list<std::pair<std::string_view, std::string_view>> members);

}  // namespace penstock::registry
