// Any text as a pipeline file, with all parts of this program: errors with their places, or a plan
// that is the same a second time.
#include "app/parts.h"
#include "plan/plan.h"

#include <cstdlib>

using namespace penstock;  // NOLINT: a program of one page

namespace {

constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "string"}, {"name": "kwh", "type": "double"},
  {"name": "tenant", "type": "string"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}]})";

plan::Checked check(const std::string& text) {
  plan::CheckOptions options;
  options.env = [](std::string_view) { return std::nullopt; };
  options.read_file = [&](const std::string& path, size_t limit_bytes) -> Result<std::string> {
    if (path == "p.yaml" && text.size() <= limit_bytes) return text;
    if (path.ends_with("r.avsc")) return std::string(kSchema);
    return fail("P001"_code, "there is no file " + path);
  };
  return plan::check("p.yaml", app::parts(), options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const plan::Checked checked = check(text);
  if ((checked.plan == nullptr) == checked.errors.empty()) std::abort();
  for (const Error& error : checked.errors)
    if (render(error).empty()) std::abort();
  if (checked.plan == nullptr) return 0;
  if (plan::describe(*checked.plan).empty() || plan::to_json(*checked.plan).empty()) std::abort();
  const plan::Checked again = check(text);
  if (again.plan == nullptr || plan::hash(*again.plan) != plan::hash(*checked.plan)) std::abort();
  return 0;
}
