// zone.h — the machine's own time zone database.
//
// Thread      any.
// Limits      a file of at most 1 MiB; larger ones count as not there.
// Errors      none: "" for what cannot be read.
//
//     rule::set_zone_files(file::read_zone);
#pragma once

#include <string>
#include <string_view>

namespace penstock::file {

// The bytes of the zone's TZif file. `name` has no ".." (rule/zone.h sees to that).
std::string read_zone(std::string_view name);

}  // namespace penstock::file
