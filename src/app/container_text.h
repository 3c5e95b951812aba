// container_text.h — Avro container files on standard input and output: `avro decode`, `avro
// encode` and `tail -o avro`.
//
// Thread      free functions.
// Errors      A005 … A009.
#pragma once

#include "avro/container.h"
#include "base/error.h"
#include "ops/output.h"

#include <string>
#include <string_view>

namespace penstock::app {

// A new file's writer, with a random sync. `codec`: a codec's name; "" is deflate, which every
// reader knows.
avro::ContainerWriter container_for(const avro::Schema& schema, std::string_view codec);
// Each datum as a line of Avro's JSON, under the schema `reader` where that is not empty.
Result<void> container_to_lines(ByteView file, std::string_view reader, ops::Output& output);
// Lines of Avro's JSON as a file.
Result<void> lines_to_container(std::string_view schema, std::string_view lines,
                                std::string_view codec, ops::Output& output);

}  // namespace penstock::app
