// forward.h — a processor that looks at nothing: keys and values go on as they are.
//
// Thread      one worker.
#pragma once

#include "engine/processor.h"

#include <memory>
#include <string>

namespace penstock::engine {

// Every record goes to output 0, counted as `topic`; partition by key, without a key in turns.
std::unique_ptr<Processor> make_forward(std::string topic);

}  // namespace penstock::engine
