// s3_text.h — small texts of S3's: checksums, keys as lists have them, numbers.
//
// Thread      free functions.
#pragma once

#include "aws/digest.h"
#include "aws/xml.h"
#include "wire/crc32c.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::aws {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

// The CRC-32C as x-amz-checksum-crc32c has it: base64 of its four bytes, the highest first.
std::string crc32c_text(std::string_view bytes);
// A key of a list in encoding-type=url: "a%2Fb+c"; nothing when it is none.
std::optional<std::string> decoded_key(std::string_view text);
// Digits only.
std::optional<uint64_t> number_of(std::string_view text);

}  // namespace penstock::aws
