// zone.h — where named time zones come from.
//
// This room does not touch the world: the program that embeds it says once, before the first rule
// is evaluated, how a zone's file is read. Without that only UTC and offsets ("+01:00") are known,
// and a rule that names another zone ends in an error that says so.
//
// Thread      set once at start; any thread may evaluate afterwards. Zones are kept per thread.
// Limits      a name has at most 64 characters and no ".."; a file at most 1 MiB; 64 zones kept.
//
//     rule::set_zone_files(file::read_zone);
#pragma once

#include <string>
#include <string_view>

namespace penstock::rule {

// The bytes of the zone's TZif file (RFC 8536); "" when there is none. `name` is "Europe/Berlin".
using ZoneFiles = std::string (*)(std::string_view name);
void set_zone_files(ZoneFiles files);

}  // namespace penstock::rule
