// yaml_json.h — records written in YAML (the `tests:` of a pipeline file) as JSON text for the Avro
// reader.
//
// Thread      free functions.
#pragma once

#include "avro/schema.h"
#include "yaml/node.h"

#include <string>

namespace penstock::app {

// Plain-style JSON of the node. A scalar is a string where the type is text (or it stood in
// quotes), else whatever JSON it is (number, true, null), else a string: timestamps need no quotes.
std::string yaml_to_json(const yaml::Node& node, const avro::Node* type);

}  // namespace penstock::app
