// `schema check OLD NEW`: which of two versions of a schema reads the other.
#include "app/input_text.h"
#include "app/verbs.h"
#include "avro/compatibility.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace penstock::app {
namespace {

using Found = std::vector<avro::Disagreement>;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

std::string list_json(const Found& found) {
  std::vector<std::string> parts;
  for (const avro::Disagreement& each : found) {
    parts.push_back(fmt::format(R"({{"path":{},"what":{},"cure":{}}})", quoted(each.path),
                                quoted(each.what), quoted(each.cure)));
  }
  return fmt::format("[{}]", fmt::join(parts, ","));
}

std::string as_json(const avro::Compatibility& both) {
  const bool backward = both.backward.empty();
  const bool forward = both.forward.empty();
  return fmt::format(R"({{"backward":{},"forward":{},"full":{},"backward_disagreements":{},)"
                     R"("forward_disagreements":{}}})",
                     backward, forward, backward && forward, list_json(both.backward),
                     list_json(both.forward));
}

std::string direction_text(std::string_view name, std::string_view reader, std::string_view writer,
                           const Found& found) {
  std::string text =
      fmt::format("{:<9} {:<4} {} {} what {} wrote\n", name, found.empty() ? "yes" : "no", reader,
                  found.empty() ? "reads" : "does not read", writer);
  for (const avro::Disagreement& each : found) {
    text += fmt::format("  {}: {}\n    cure: {}\n", each.path.empty() ? "the type" : each.path,
                        each.what, each.cure);
  }
  return text;
}

std::string as_text(const avro::Compatibility& both) {
  const bool full = both.backward.empty() && both.forward.empty();
  return direction_text("backward", "NEW", "OLD", both.backward) +
         direction_text("forward", "OLD", "NEW", both.forward) +
         fmt::format("{:<9} {}\n", "full", full ? "yes" : "no");
}

Result<avro::SchemaPtr> schema_of(const std::string& file) {
  PENSTOCK_TRY(text, read_input(file));
  auto schema = avro::parse(text);
  if (!schema) schema.error().message = fmt::format("{}: {}", file, schema.error().message);
  return schema;
}

}  // namespace

Result<int> schema_check(const Options& options, ops::Output& output) {
  PENSTOCK_TRY(old, schema_of(options.inputs[0]));
  PENSTOCK_TRY(now, schema_of(options.inputs[1]));
  const avro::Compatibility both = avro::compare(old->root(), now->root());
  const bool tree = options.format == Format::json || options.format == Format::yaml;
  output.out(tree ? as_json(both) + "\n" : as_text(both));
  const bool both_ways = options.require == "full";
  Found broken;
  if (both_ways || options.require == "backward") broken = both.backward;
  if (both_ways || options.require == "forward")
    broken.insert(broken.end(), both.forward.begin(), both.forward.end());
  if (broken.empty()) return 0;
  return fail("A060"_code,
              fmt::format("{} compatibility was required: {}{}", options.require,
                          one_line(broken.front()),
                          broken.size() == 1 ? std::string()
                                             : fmt::format(", and {} more", broken.size() - 1)))
      .cure(broken.front().cure);
}

}  // namespace penstock::app
