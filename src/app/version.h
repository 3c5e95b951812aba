// version.h — what this program calls itself.
#pragma once

#include <string_view>

namespace penstock::app {

inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kVersionText = "penstock 0.1.0";

}  // namespace penstock::app
