#include "registry/registry.h"

#include "avro/compatibility.h"

#include <fmt/format.h>

#include <iterator>

namespace penstock::registry {

Subjects subjects_of(std::string_view text) {
  if (text == "record") return Subjects::record;
  return text == "topic_record" ? Subjects::topic_record : Subjects::topic;
}

std::optional<Error> objection(const Past& past, const std::string& subject,
                               const avro::Schema& schema) {
  const std::string_view level = past.compatibility;
  const bool full = level.starts_with("FULL");
  const bool backward = full || level.starts_with("BACKWARD");
  const bool forward = full || level.starts_with("FORWARD");
  for (const Past::Version& version : past.versions) {
    avro::Compatibility both = avro::compare(version.schema->root(), schema.root());
    std::vector<avro::Disagreement> found;
    if (backward) found = std::move(both.backward);
    if (forward) std::ranges::move(both.forward, std::back_inserter(found));
    if (found.empty()) continue;
    return fail("L142"_code,
                fmt::format("subject {} is {}, and version {} does not fit: {}{}", subject, level,
                            version.name, one_line(found.front()),
                            found.size() == 1 ? std::string()
                                              : fmt::format(", and {} more", found.size() - 1)))
        .cure(found.front().cure)
        .take();
  }
  return {};
}

}  // namespace penstock::registry
