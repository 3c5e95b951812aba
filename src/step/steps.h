// steps.h — the steps of this room, for app/parts.cc. One file each; what a step promises stands in
// its PartSpec.
//
// Thread      static data.
#pragma once

#include "flow/part_spec.h"

namespace penstock::step {

flow::PartSpec drop();
flow::PartSpec reject();
flow::PartSpec set();
flow::PartSpec unset();
flow::PartSpec join();
flow::PartSpec send();
flow::PartSpec unique();
flow::PartSpec pseudonym();

}  // namespace penstock::step
