// refusal.h — what is told of a command line that cannot be read: which word is wrong, what was
// meant, and whose help to read.
//
// Thread      one.
#pragma once

#include "app/completion.h"
#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::app {

// `says`: the parser's own words. `words`: the command line behind the program's name. U001 with
// message and cure.
Error refusal(std::string says, const std::vector<std::string>& words,
              const std::vector<VerbWords>& verbs);

}  // namespace penstock::app
