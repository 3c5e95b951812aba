// profile.h — AWS's shared files, ~/.aws/credentials and ~/.aws/config.
//
// Thread      values, free functions.
// Errors      W002 with the line's number and never its text, which may be a secret.
//
//     PENSTOCK_TRY(profiles, load_profiles(here));
//     if (const Section* mine = profiles.find("default")) …
#pragma once

#include "aws/surroundings.h"

#include <map>
#include <string>
#include <string_view>

namespace penstock::aws {

// Keys in lower case. A nested value (an indented line below a key without one) is "key.nested".
using Section = std::map<std::string, std::string, std::less<>>;

struct Profiles {
  std::map<std::string, Section, std::less<>> profiles;
  std::map<std::string, Section, std::less<>> services;  // [services NAME]
  const Section* find(std::string_view profile) const;
};

// In the credentials file a section is a profile; in the config file it is [profile NAME], or
// [default]. What is there already is replaced key by key.
Result<void> parse_profiles(std::string_view text, std::string_view file, bool credentials,
                            Profiles& into);
// Both files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE); credentials win. Files that are not
// there are empty.
Result<Profiles> load_profiles(const Surroundings& here);
// AWS_PROFILE, AWS_DEFAULT_PROFILE, "default".
std::string profile_name(const Surroundings& here);

// The value of `key` in a section that may be missing; "" when it is not there.
std::string_view value_of(const Section* section, std::string_view key);

}  // namespace penstock::aws
