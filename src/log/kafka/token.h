// token.h — what OAUTHBEARER needs to know of a token besides its text.
//
// Thread      free functions.
// Limits      a token of at most 64 KiB.
//
//     const Token token = token_of(text, wall_millis(), "penstock");
#pragma once

#include "log/kafka/settings.h"

namespace penstock::log::kafka {

// The life (`exp`) and the principal (`sub`) are read from a JSON web token, unverified: the broker
// verifies it. Any other text is taken as good for five minutes.
Token token_of(std::string text, int64_t now_millis, std::string_view user);

}  // namespace penstock::log::kafka
