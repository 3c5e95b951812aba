#include "plan/draft.h"
#include "plan/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace penstock::plan {
namespace {

void read_dead_letters(Draft& draft) {
  DeadLetters& dead = draft.plan->dead_letters;
  for (const auto& [key, value] : draft.root().entries) {
    if (key.text != "dead_letters") continue;
    if (!draft.check(value, key, "dead_letters", "dead_letters")) return;
    if (const auto* topic = value.find("topic")) {
      dead.topic = topic->text;
      const size_t at = dead.topic.find("<stage>");
      const bool named = at != std::string::npos &&
                         is_name(dead.topic.substr(0, at) + "s" + dead.topic.substr(at + 7));
      if (at != 0 && at != std::string::npos && !named) {
        draft.report(fail("P047"_code, fmt::format("\"{}\" cannot name topics", dead.topic)),
                     *topic);
        dead.topic = DeadLetters().topic;
      } else if (!named || at == 0) {
        draft.report(fail("P040"_code, "the dead letters' topic needs a prefix and <stage>")
                         .cure("write dead.<stage>"),
                     *topic);
        dead.topic = DeadLetters().topic;
      }
    }
    if (const auto* keep = value.find("keep")) {
      dead.keep_millis = parse_duration_millis(keep->text).value_or(dead.keep_millis);
    }
    if (const auto* stop = value.find("stop_above")) {
      const auto share = parse_share(stop->text).value_or(Share{1.0, 60'000});
      dead.stop_share = share.share;
      dead.stop_window_millis = share.window_millis;
    }
  }
}

}  // namespace

bool check_settings(Draft& draft, const yaml::Node& in, const std::string& what) {
  const size_t before = draft.errors.size();
  for (const auto& [key, value] : in.entries) {
    if (key.text == "epoch" || key.text == "scale") {
      if (!draft.check(value, key, key.text, fmt::format("{} of {}", key.text, what))) continue;
    }
    if (key.text == "epoch") {
      for (const auto& [name, limit] : value.entries) {
        if (limit.text.starts_with('0')) {
          draft.report(fail("P026"_code, fmt::format("\"{}\" of an epoch is above 0", name.text)),
                       limit);
        }
      }
    }
    if (key.text != "scale") continue;
    const yaml::Node* max = value.find("max");
    if (max != nullptr && max->text != "partitions" && !parse_count(max->text)) {
      draft.report(fail(max->text.starts_with('-') ? "P026"_code : "P025"_code,
                        fmt::format("\"{}\" in \"max\"", max->text)),
                   *max);
    }
    if (max != nullptr && parse_count(max->text).value_or(1) == 0) {
      draft.report(fail("P026"_code, "\"max\" of a scale is at least 1")
                       .cure("to run no workers, leave the stage out"),
                   *max);
    }
    if (max != nullptr && parse_count(max->text).value_or(0) > 1'000'000) {
      draft.report(fail("P026"_code, "\"max\" of a scale is at most 1000000"), *max);
    }
    const yaml::Node* threshold = value.find("lag_threshold");
    if (threshold != nullptr && parse_count(threshold->text).value_or(1) == 0) {
      draft.report(fail("P026"_code, "\"lag_threshold\" of a scale is at least 1"), *threshold);
    }
    const yaml::Node* min = value.find("min");
    if (min == nullptr || max == nullptr) continue;
    if (parse_count(min->text).value_or(0) > parse_count(max->text).value_or(INT64_MAX)) {
      draft.report(fail("P026"_code, "\"min\" of a scale is above its \"max\""), *min);
    }
  }
  return draft.errors.size() == before;
}

void read_sections(Draft& draft) {
  const yaml::Node& root = draft.root();
  draft.check(root, root, "file", "the pipeline file");
  for (const auto& [key, value] : root.entries) {
    const auto known = std::ranges::find(section_fields("file"), key.text, &flow::FieldSpec::name);
    if (known == section_fields("file").end() || known->type != flow::FieldType::mapping) continue;
    if (key.text == "epoch" || key.text == "scale" || key.text == "dead_letters") continue;
    const bool list = key.text == "tests";
    const auto kind = list ? yaml::NodeKind::sequence : yaml::NodeKind::mapping;
    if (value.kind == kind ||
        (value.kind == yaml::NodeKind::null && key.text != "topics" && key.text != "stages")) {
      continue;
    }
    draft.report(fail("P021"_code, fmt::format("\"{}\" takes {}", key.text,
                                               list ? "a list" : "a mapping of names")),
                 value.kind == yaml::NodeKind::null ? key : value);
  }
  if (const yaml::Node* name = root.find("pipeline"); name != nullptr) {
    draft.plan->pipeline = name->text;
    if (name->kind == yaml::NodeKind::scalar && !is_name(name->text)) {
      draft.report(fail("P047"_code, fmt::format("\"{}\" cannot be a pipeline's name", name->text)),
                   *name);
    }
  }
  if (const yaml::Node* version = root.find("version");
      version != nullptr && version->kind == yaml::NodeKind::scalar && version->text != "1" &&
      parse_count(version->text)) {
    draft.report(fail("P022"_code, fmt::format("version {}", version->text)), *version);
  }
  draft.plan->tenants = texts_of(root.find("tenants"));
  check_settings(draft, root, "the pipeline");
  read_targets(draft);
  read_dead_letters(draft);
}

}  // namespace penstock::plan
