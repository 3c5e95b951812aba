// faulty_sink.h — sinks and appenders through which faults reach a worker.
//
// Thread      one. Lifetime: within the world's.
#pragma once

#include "flow/log.h"
#include "flow/store.h"
#include "world.h"

#include <memory>

namespace penstock::sim {

std::unique_ptr<flow::LogSink> faulty(World& world, Slot& slot,
                                      std::unique_ptr<flow::LogSink> sink);
std::unique_ptr<flow::StoreSink> faulty(World& world, Slot& slot,
                                        std::unique_ptr<flow::StoreSink> sink);
std::unique_ptr<flow::Appender> faulty(World& world, Slot& slot,
                                       std::unique_ptr<flow::Appender> appender);

}  // namespace penstock::sim
