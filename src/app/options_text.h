// options_text.h — options as text, for the control socket.
//
// Thread      free functions.
#pragma once

#include "app/options.h"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::app {

// `name=value` pieces, each ended by a zero byte. Paths are made absolute, for the owner of the
// folder works elsewhere.
std::string options_to_text(const Options& options);
// nullopt for anything that options_to_text() of this version does not write.
std::optional<Options> options_from_text(std::string_view text);

}  // namespace penstock::app
