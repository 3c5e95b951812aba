// embedded_files.h — the files of examples/, inside the binary, so that `init` and `demo` need
// nothing else.
//
// Lifetime    static.
#pragma once

#include <span>
#include <string_view>

namespace penstock::app {

struct EmbeddedFile {
  std::string_view name;  // "meters/pipeline.yaml"
  std::string_view bytes;
};
std::span<const EmbeddedFile> embedded_files();

}  // namespace penstock::app
