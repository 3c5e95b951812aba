// names.h — the topics that a pipeline on Kafka has beside its own; all are compacted.
//
// Thread      free functions.
//
//     admin.describe({names::schemas("meters")});   // "meters.schemas"
#pragma once

#include <string>

namespace penstock::log::kafka::names {

inline std::string schemas(const std::string& pipeline) { return pipeline + ".schemas"; }
inline std::string positions(const std::string& pipeline) { return pipeline + ".positions"; }
// What a stage remembers between records.
inline std::string state(const std::string& group) { return group + ".state"; }

}  // namespace penstock::log::kafka::names
