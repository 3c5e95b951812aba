// digest.h — SHA-256, which names a file by its content.
//
// Thread      free functions.
#pragma once

#include "base/units.h"

#include <string>

namespace penstock::file {

// 64 hexadecimal digits.
std::string sha256_hex(ByteView bytes);

}  // namespace penstock::file
