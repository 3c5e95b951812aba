// Takes the retirement rule out of penstock_planted, a binary that only tests run, where
// PENSTOCK_PLANTED=never_retire asks for it.
#include "log/kafka/sink_world.h"

#include <cstdlib>
#include <string_view>

namespace penstock {
namespace {

[[maybe_unused]] const bool planted = [] {
  const char* name = std::getenv("PENSTOCK_PLANTED");
  log::kafka::planted_never_retire = name != nullptr && std::string_view(name) == "never_retire";
  return true;
}();

}  // namespace
}  // namespace penstock
