// Any text as a pipeline file and, behind a zero byte, as the schema x.avsc, with all parts of this
// program: errors with their places, or a plan that is the same a second time, with steps that can
// be made.
#include "app/parts.h"
#include "plan/plan.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace penstock;  // NOLINT: a program of one page

namespace {

constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "string"}, {"name": "kwh", "type": "double"},
  {"name": "tenant", "type": "string"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}]})";

constexpr std::string_view kTableSchema = R"({"type": "record", "name": "T", "fields": [
  {"name": "id", "type": "string"}, {"name": "site", "type": ["null", "string"]},
  {"name": "rated", "type": "double"}]})";

struct Files {
  std::string pipeline, schema;
};

plan::Checked check(const Files& files, const std::string& target = {}) {
  plan::CheckOptions options;
  options.target = target;
  options.env = [](std::string_view name) -> std::optional<std::string> {
    if (!name.starts_with("SET")) return std::nullopt;
    return "out";
  };
  options.table_shape = [](const flow::PartSpec&, const flow::Config&, const std::string&) {
    static const auto kTable = avro::parse(kTableSchema);
    return Result<flow::MakeContext::TableShape>({*kTable, {"id"}, true});
  };
  options.read_file = [&](const std::string& path, size_t limit_bytes) -> Result<std::string> {
    if (path == "p.yaml" && files.pipeline.size() <= limit_bytes) return files.pipeline;
    if (path.ends_with("r.avsc")) return std::string(kSchema);
    if (path.ends_with("x.avsc")) return files.schema;
    return fail("P001"_code, "there is no file " + path);
  };
  return plan::check("p.yaml", app::parts(), options);
}

// A plan or errors, and all that is said has words.
void sound(const plan::Checked& checked) {
  if ((checked.plan == nullptr) == checked.errors.empty()) std::abort();
  for (const Error& error : checked.errors)
    if (render(error).empty()) std::abort();
  for (const Error& warning : checked.warnings)
    if (render(warning).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), size);
  const Files files = {std::string(input.substr(0, end)),
                       std::string(input.substr(std::min(end + 1, size)))};
  const plan::Checked checked = check(files);
  sound(checked);
  if (checked.plan == nullptr) return 0;
  for (size_t at = 0; at < std::min<size_t>(2, checked.plan->targets.size()); ++at)
    if (checked.plan->targets[at] != checked.plan->target)
      sound(check(files, checked.plan->targets[at]));
  if (plan::describe(*checked.plan).empty() || plan::to_json(*checked.plan).empty()) std::abort();
  const plan::Checked again = check(files);
  if (again.plan == nullptr || plan::hash(*again.plan) != plan::hash(*checked.plan)) std::abort();
  if (plan::to_json(*again.plan) != plan::to_json(*checked.plan)) std::abort();
  if (!checked.plan->secrets.empty()) return 0;  // nobody has opened them
  for (const plan::Stage& stage : checked.plan->stages)
    if (!plan::make_steps(*checked.plan, stage)) std::abort();
  return 0;
}
