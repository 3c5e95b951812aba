#include "plan/fields.h"

#include "base/check.h"
#include "base/suggest.h"
#include "plan/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace penstock::plan {
namespace {

using flow::FieldSpec;
using flow::FieldType;

FieldSpec entry(std::string_view name, FieldType type, std::string_view doc,
                std::string_view example = {}, std::string_view fallback = {}) {
  FieldSpec spec;
  spec.name = name;
  spec.type = type;
  spec.doc = doc;
  spec.example = example;
  spec.fallback = fallback;
  return spec;
}

FieldSpec required(FieldSpec spec) {
  spec.required = true;
  return spec;
}

FieldSpec one_of(FieldSpec spec, std::vector<std::string_view> choices) {
  spec.choices = std::move(choices);
  return spec;
}

std::vector<FieldSpec> file_fields() {
  using enum FieldType;
  return {
      required(
          entry("pipeline", text, "The pipeline's name; groups and topics carry it.", "meters")),
      required(entry("version", count, "The version of this file's form.", "1")),
      entry("schemas", mapping, "Avro schemas: name and file.", "{reading: schemas/reading.avsc}"),
      required(entry("topics", mapping, "The topics of the log.")),
      entry("tenants", names, "The values that <tenant> stands for.", "[alpine, baltic]"),
      entry("tables", mapping, "Reference data that steps join."),
      entry("producers", mapping, "Simulated clients: produce and demo start them."),
      required(entry("stages", mapping, "What is done with the records.")),
      entry("stores", mapping, "Tables that stages end in."),
      entry("scale", mapping, "How many workers a stage has."),
      entry("epoch", mapping, "How much is committed at once."),
      entry("dead_letters", mapping, "Where bad records go."),
      entry("targets", mapping, "Where the pipeline runs."),
      entry("tests", mapping, "Records given and records expected."),
  };
}

std::vector<FieldSpec> topic_fields() {
  using enum FieldType;
  return {
      entry("schema", text, "The schema of its records; else what its writer makes.", "reading"),
      entry("key", fields, "The fields whose value chooses the partition.", "meter_id"),
      entry("partitions", count, "How many parts it has.", "5", "1"),
      entry("replicas", count, "How many brokers keep each part.", "3", "1"),
      entry("keep", duration, "How long records are kept; without it for ever.", "24h"),
      one_of(entry("framing", FieldType::choice,
                   "The bytes before each datum that is written; all but bare are read.",
                   "confluent", "single_object"),
             {"single_object", "bare", "confluent", "confluent_guid", "glue"}),
      one_of(entry("unframed", FieldType::choice,
                   "What a value is that begins like no framing: a dead letter, or a bare datum.",
                   "bare", "reject"),
             {"reject", "bare"}),
      one_of(entry("partition", FieldType::choice,
                   "How records find their part: by their key, or as in the topic they came from.",
                   "same", "key"),
             {"key", "same"}),
      entry("values", names, "The values that name.<field> stands for.", "[red, green]"),
  };
}

std::vector<FieldSpec> stage_fields() {
  using enum FieldType;
  return {
      required(entry("from", names, "The topic that it reads, or a pattern: usage.*", "ingest")),
      entry("steps", mapping, "What is done, in order."),
      required(entry("to", names, "The topic or the stores that it ends in.", "preprocessed")),
      entry("group", text, "The consumer group, instead of <pipeline>.<stage>.", "my-group"),
      entry("epoch", mapping, "How much is committed at once."),
      entry("scale", mapping, "How many workers it has."),
  };
}

std::vector<FieldSpec> scale_fields() {
  using enum FieldType;
  return {
      entry("min", count, "The fewest workers.", "0", "0"),
      entry("max", text, "The most workers: a number, or the word partitions.", "5", "partitions"),
      entry("lag_threshold", count, "Unread records for each worker.", "100", "100"),
      entry("poll", duration, "How often the lag is looked at.", "30s", "30s"),
      entry("cooldown", duration, "How long nothing must come before the last worker ends.", "300s",
            "300s"),
  };
}

std::vector<FieldSpec> epoch_fields() {
  using enum FieldType;
  return {entry("rows", count, "At most so many records.", "10000", "10000"),
          entry("size", size, "At most so many bytes.", "8MiB", "8MiB"),
          entry("every", duration, "At most so long.", "100ms", "100ms")};
}

std::vector<Section> make_sections() {
  using enum FieldType;
  return {
      {"file", "The pipeline file.", false, file_fields()},
      {"topics", "A topic of the log.", true, topic_fields()},
      {"stages", "Reads topics, does steps, ends in topics or a store.", true, stage_fields()},
      {"scale", "How many workers a stage has.", false, scale_fields()},
      {"epoch", "What is committed in one atomic act.", false, epoch_fields()},
      {"tables",
       "Reference data. One field names the kind: csv: FILE.",
       true,
       {required(entry("key", fields, "The columns that find a row.", "meter_id")),
        entry("refresh", duration, "How often the file is read again.", "1m")}},
      {"stores",
       "A table that rows end in. One field names the kind: dynamodb: TABLE.",
       true,
       {entry("key", fields, "Rows of one key replace each other.", "meter_id"),
        entry("newest_by", FieldType::field, "The row with the greatest value stays.", "at"),
        entry("upsert_on", fields, "Rows of one key replace each other; the last stays.",
              "[meter_id, at]")}},
      {"producers",
       "A simulated client. One field names the kind.",
       true,
       {required(entry("to", topic, "The topic that it writes.", "ingest"))}},
      {"dead_letters",
       "Where bad records go.",
       false,
       {entry("topic", text, "The topic of each stage.", "dead.<stage>", "dead.<stage>"),
        entry("keep", duration, "How long they are kept.", "14d", "14d"),
        entry("stop_above", share, "The stage pauses when more are bad.", "20% over 1m")}},
      {"targets",
       "A place to run.",
       true,
       {entry("log", mapping, "The log: embedded, or kafka or msk with settings.", "embedded"),
        entry("registry", mapping, "The schema registry, or a list of them.",
              "{confluent: \"https://registry:8081\"}"),
        entry("stores", mapping, "Settings for each store, or another kind.", "{latest: sqlite}"),
        entry("topics", mapping, "Settings for all topics.", "{replicas: 1}"),
        entry("epoch", mapping, "How much is committed at once."),
        entry("scale", mapping, "How many workers a stage has.")}},
      {"tests",
       "Records given, records expected.",
       false,
       {required(entry("name", text, "What it shows.", "an unknown meter is set aside")),
        required(entry("stage", text, "The stage that is tried.", "processing")),
        required(entry("given", mapping, "Topic: records.")),
        entry("tables", mapping, "Table: rows."),
        required(entry("expect", mapping, "Topic, store or dead letters: records."))}},
  };
}

constexpr int64_t kCountMax = 2'000'000'000;

bool wrong(const yaml::Document& document, const yaml::Node& node, Code code, std::string message,
           const Report& report) {
  report(fail(code, std::move(message)).at(document.place(node)).take());
  return false;
}

// "5 minutes" and "7 d" of a duration, as it is written here; "" when nobody knows what was meant.
std::string meant_duration(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string unit(text.substr(digits));
  std::erase(unit, ' ');
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::tolower(c); });
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kWords = {
      {{"milliseconds", "ms"}, {"seconds", "s"}, {"minutes", "m"}, {"hours", "h"}, {"days", "d"}}};
  const std::string_view word = unit;
  if (digits == 0 || digits > 18 || word.empty()) return {};
  for (const auto& [whole, letter] : kWords) {
    const bool short_form = word.size() >= 3 && whole.starts_with(word);  // min, sec, hour, day
    if (word == letter || short_form) return fmt::format("{}{}", text.substr(0, digits), letter);
  }
  return word == "hrs" ? fmt::format("{}h", text.substr(0, digits)) : std::string();
}

// "10MB" and "64 k" of a size.
std::string meant_size(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string unit(text.substr(digits));
  std::erase(unit, ' ');
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::toupper(c); });
  if (digits == 0 || digits > 18 || unit.empty()) return {};
  const char letter = unit.front();
  const std::string rest = unit.substr(1);
  if (letter != 'K' && letter != 'M' && letter != 'G') return {};
  if (!rest.empty() && rest != "B" && rest != "IB" && rest != "I") return {};
  std::string meant = fmt::format("{}{}iB", text.substr(0, digits), letter);
  return parse_size_bytes(meant) && meant != text ? meant : std::string();
}

bool scalar_fits(const yaml::Document& document, const yaml::Node& node, const FieldSpec& field,
                 const Report& report) {
  const std::string& text = node.text;
  const auto no = [&](Code code, std::string_view meant = {}) {
    Failure failure = fail(code, fmt::format("\"{}\" in \"{}\"", text, field.name))
                          .at(document.place(node))
                          .hint(meant.empty() ? "" : fmt::format("did you mean \"{}\"?", meant));
    report(std::move(failure).take());
    return false;
  };
  const auto out_of_range = [&] {
    return wrong(
        document, node, "P026"_code,
        fmt::format("\"{}\" in \"{}\", which is from 0 to {}", text, field.name, kCountMax),
        report);
  };
  if (text.starts_with("${")) return true;  // resolved when the target needs it
  switch (field.type) {
    case FieldType::duration:
      return parse_duration_millis(text) ? true : no("P023"_code, meant_duration(text));
    case FieldType::size:
      return parse_size_bytes(text) ? true : no("P024"_code, meant_size(text));
    case FieldType::share:
      return parse_share(text) ? true : no("P027"_code);
    case FieldType::count: {
      const std::string_view digits = std::string_view(text).substr(text.starts_with('-') ? 1 : 0);
      if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) {
        report(fail("P025"_code, fmt::format("\"{}\" in \"{}\"", text, field.name))
                   .at(document.place(node))
                   .because("a whole number is needed here")
                   .take());
        return false;
      }
      const auto count = parse_count(text);
      return count && *count <= kCountMax ? true : out_of_range();
    }
    case FieldType::number: {
      char* end = nullptr;
      std::strtod(text.c_str(), &end);
      return !text.empty() && *end == '\0' ? true : no("P025"_code);
    }
    case FieldType::boolean:
      return text == "true" || text == "false" ? true : no("P028"_code);
    case FieldType::choice:
      if (std::ranges::find(field.choices, text) != field.choices.end()) return true;
      report(fail("P029"_code, fmt::format("\"{}\" in \"{}\"", text, field.name))
                 .at(document.place(node))
                 .hint(did_you_mean(text, field.choices))
                 .cure(fmt::format("write one of: {}", fmt::join(field.choices, ", ")))
                 .take());
      return false;
    default:
      return true;
  }
}

bool takes_list(FieldType type) { return type == FieldType::fields || type == FieldType::names; }

}  // namespace

std::span<const Section> sections() {
  static const std::vector<Section> all = make_sections();
  return all;
}

const std::vector<FieldSpec>& section_fields(std::string_view name) {
  const auto found = std::ranges::find(sections(), name, &Section::name);
  PENSTOCK_CHECK(found != sections().end());
  return found->fields;
}

std::string_view type_text(FieldType type) {
  switch (type) {
    case FieldType::text:
      return "text";
    case FieldType::rule:
      return "a rule";
    case FieldType::condition:
      return "a rule that is true or false";
    case FieldType::rules:
      return "a mapping of names to rules";
    case FieldType::field:
      return "a field's name";
    case FieldType::fields:
      return "a field's name, or a list of them";
    case FieldType::names:
      return "a name, or a list of names";
    case FieldType::number:
      return "a number";
    case FieldType::count:
      return "a whole number";
    case FieldType::boolean:
      return "true or false";
    case FieldType::duration:
      return "a duration";
    case FieldType::size:
      return "a size";
    case FieldType::share:
      return "a share over a time";
    case FieldType::file:
      return "a file's path";
    case FieldType::topic:
      return "a topic";
    case FieldType::store:
      return "a store";
    case FieldType::table:
      return "a table";
    case FieldType::choice:
      return "one of a few words";
    case FieldType::mapping:
      return "a mapping";
  }
  return "a value";
}

// A list names each thing once.
bool check_repeats(const yaml::Document& document, const yaml::Node& list, const FieldSpec& field,
                   const Report& report) {
  for (auto item = list.items.begin(); item != list.items.end(); ++item) {
    if (std::find_if(list.items.begin(), item,
                     [&](const yaml::Node& other) { return other.text == item->text; }) == item) {
      continue;
    }
    report(fail("P009"_code, fmt::format("\"{}\" stands twice in \"{}\"", item->text, field.name))
               .at(document.place(*item))
               .because("a list names each thing once")
               .cure("remove one of the two")
               .take());
    return false;
  }
  return true;
}

bool check_value(const yaml::Document& document, const yaml::Node& node, const FieldSpec& field,
                 const Report& report) {
  if (field.type == FieldType::mapping) return true;  // read by its own section
  const auto form = [&](const yaml::Node& at) {
    Failure wrong =
        fail("P021"_code, fmt::format("\"{}\" takes {}", field.name, type_text(field.type)))
            .at(document.place(at));
    if (field.example.empty()) {
      report(std::move(wrong).take());
    } else {
      report(std::move(wrong).cure(fmt::format("write it like {}", field.example)).take());
    }
    return false;
  };
  if (field.type == FieldType::rules) {
    return node.kind == yaml::NodeKind::mapping && !node.entries.empty() ? true : form(node);
  }
  if (node.kind == yaml::NodeKind::sequence && takes_list(field.type)) {
    if (node.items.empty()) return form(node);
    for (const yaml::Node& item : node.items) {
      if (item.kind != yaml::NodeKind::scalar || item.text.empty()) return form(item);
    }
    return check_repeats(document, node, field, report);
  }
  if (node.kind != yaml::NodeKind::scalar || node.text.empty()) return form(node);
  return scalar_fits(document, node, field, report);
}

namespace {

// `types`, `properties`, `generate`: names of the user's own, and a value or a list of values each.
bool check_free_values(const yaml::Document& document, const yaml::Node& node,
                       const FieldSpec& field, const Report& report) {
  using enum yaml::NodeKind;
  const auto refuse = [&](const yaml::Node& at, std::string message) {
    report(fail("P021"_code, std::move(message))
               .at(document.place(at))
               .cure(fmt::format("write it like {}", field.example))
               .take());
    return false;
  };
  if (node.kind != mapping)
    return refuse(node, fmt::format("\"{}\" takes {}", field.name, type_text(field.type)));
  for (const auto& [name, value] : node.entries) {
    const bool list =
        value.kind == sequence &&
        std::ranges::all_of(value.items, [](const auto& item) { return item.kind == scalar; });
    if (value.kind == scalar || list) continue;
    return refuse(value.kind == null ? name : value,
                  fmt::format("\"{}\" in \"{}\" takes a value", name.text, field.name));
  }
  return true;
}

}  // namespace

bool check_mapping(const yaml::Document& document, const yaml::Node& node, const yaml::Node& anchor,
                   const Expected& expected, const Report& report) {
  if (node.kind != yaml::NodeKind::mapping) {
    return wrong(document, node.kind == yaml::NodeKind::null ? anchor : node, "P021"_code,
                 fmt::format("{} takes a mapping of fields", expected.what), report);
  }
  bool good = true;
  std::vector<std::string_view> known;
  for (const FieldSpec& field : expected.fields) known.push_back(field.name);
  for (const auto& [key, value] : node.entries) {
    const auto field = std::ranges::find(expected.fields, key.text, &FieldSpec::name);
    if (field == expected.fields.end()) {
      good = false;
      report(fail("P012"_code, fmt::format("unknown field \"{}\" in {}", key.text, expected.what))
                 .at(document.place(key))
                 .hint(key.text.find(':') == std::string::npos
                           ? did_you_mean(key.text, known)
                           : "a blank is missing behind the colon")
                 .because(fmt::format("{} has: {}", expected.what, fmt::join(known, ", ")))
                 .take());
    } else if (expected.of_part && field->type == FieldType::mapping) {
      good = check_free_values(document, value, *field, report) && good;
    } else if (!check_value(document, value, *field, report)) {
      good = false;
    }
  }
  for (const FieldSpec& field : expected.fields) {
    if (!field.required || node.find(field.name) != nullptr) continue;
    // The unknown field beside it is the cause: one error for one slip.
    const bool slip = std::ranges::any_of(node.entries, [&](const auto& entry) {
      return std::ranges::find(known, entry.key.text) == known.end() &&
             nearest(entry.key.text, known) == field.name;
    });
    if (slip) continue;
    good = wrong(document, anchor, "P020"_code,
                 fmt::format("{} lacks \"{}\": {}", expected.what, field.name, field.doc), report);
  }
  return good;
}

}  // namespace penstock::plan
