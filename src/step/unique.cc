#include "flow/config_values.h"
#include "step/bound_rule.h"
#include "step/key_hash.h"
#include "step/seen.h"
#include "step/seen_window.h"
#include "step/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::step {
namespace {

constexpr size_t kPrefetchAhead = 8;
constexpr size_t kNameBytesMax = 200;
constexpr int64_t kKeysMax = 500'000'000;
constexpr int64_t kWithinMaxMillis = 100LL * 366 * 86'400'000;
constexpr const char* kWithinMaxText = "36600 days";
constexpr std::string_view kDefaultKeys = "4000000";

// How a field's time becomes milliseconds.
struct TimeUnit {
  int64_t per_milli = 1;
  int64_t millis(int64_t time) const {
    const int64_t whole = time / per_milli;
    return time % per_milli < 0 ? whole - 1 : whole;
  }
};

class Unique final : public flow::Step {
 public:
  struct Fields {
    std::vector<uint32_t> by;
    uint32_t at;
    TimeUnit unit;
    std::string at_name;
  };
  Unique(Seen seen, Fields fields, uint32_t index)
      : seen_(std::move(seen)), fields_(std::move(fields)), index_(index) {}

  flow::Memory* memory() override { return &seen_; }

  void apply(row::Batch& batch, flow::StepContext& context) override {
    gone_.clear();
    leave_timeless(batch);
    hash_all(batch);
    SeenWindow& window = seen_.window(batch.partition);
    const row::Column& at = batch.columns[fields_.at];
    gone_.clear();
    for (size_t i = 0; i < batch.live.size(); ++i) {
      if (i + kPrefetchAhead < hashes_.size()) window.prefetch(hashes_[i + kPrefetchAhead]);
      const uint32_t row = batch.live[i];
      const int64_t time = fields_.unit.millis(at.int64s[row]);
      const uint64_t sender = sender_of(batch.records[row]);
      const Sight sight = window.see(sender, hashes_[i], time);
      if (sight == Sight::fresh) continue;
      gone_.push_back(row);
      if (sight == Sight::repeat) {
        ++context.absorbed;
      } else {
        reject_late(batch, row, time, window.clock().horizon(sender, seen_.within_millis()));
      }
    }
    flow::remove_live(batch.live, gone_);
  }

 private:
  void leave_timeless(row::Batch& batch) {
    const row::Column& at = batch.columns[fields_.at];
    if (at.nulls == nullptr) return;
    for (const uint32_t row : batch.live) {
      if (!at.is_null(row)) continue;
      gone_.push_back(row);
      batch.reject(row, index_, "unique.no_time", fmt::format("\"{}\" is null", fields_.at_name));
    }
    flow::remove_live(batch.live, gone_);
  }

  void hash_all(const row::Batch& batch) {
    hashes_.clear();
    for (const uint32_t row : batch.live) {
      key_.clear();
      for (const uint32_t slot : fields_.by) append_canonical(batch.columns[slot], row, key_);
      hashes_.push_back(hash_of(key_));
    }
  }

  static uint64_t sender_of(const row::RawRecord& record) {
    return record.has_key ? short_hash_of(record.key) : 0;
  }

  void reject_late(row::Batch& batch, uint32_t row, int64_t time, int64_t horizon) {
    batch.reject(row, index_, "unique.late",
                 fmt::format("\"{}\" is {} ms older than what is remembered", fields_.at_name,
                             static_cast<uint64_t>(horizon) - static_cast<uint64_t>(time)));
  }

  Seen seen_;
  Fields fields_;
  uint32_t index_;
  std::string key_;
  std::vector<Hash128> hashes_;  // of the live rows
  std::vector<uint32_t> gone_;
};

std::optional<TimeUnit> time_unit(const avro::Node& type) {
  const avro::Node* branch = type.nullable_branch();
  switch ((branch == nullptr ? type : *branch).logical) {
    case avro::Logical::timestamp_millis:
      return TimeUnit{1};
    case avro::Logical::timestamp_micros:
      return TimeUnit{1'000};
    case avro::Logical::timestamp_nanos:
      return TimeUnit{1'000'000};
    default:
      return std::nullopt;
  }
}

Result<Unique::Fields> find_fields(const flow::Config& config, flow::Shape& shape) {
  Unique::Fields fields;
  for (const yaml::Node* name : config.list("by")) {
    if (shape.field(name->text) == nullptr)
      return std::unexpected(no_such_field(config, *name, shape));
    fields.by.push_back(shape.slot(name->text));
  }
  const yaml::Node& at = *config.find("at");
  const flow::Shape::Field* time = shape.field(at.text);
  if (time == nullptr) return std::unexpected(no_such_field(config, at, shape));
  const auto unit = time_unit(*time->type);
  if (!unit) {
    return fail("P309"_code, fmt::format("\"{}\" is {}", at.text, avro::describe(*time->type)))
        .at(config.place(at));
  }
  fields.at = shape.slot(at.text);
  fields.unit = *unit;
  fields.at_name = at.text;
  return fields;
}

// The order of `by` does not matter for what is remembered, but for its bytes.
std::string name_of(const flow::Config& config) {
  std::string name = "unique";
  for (const yaml::Node* field : config.list("by")) name += ' ' + field->text;
  name += " at " + config.text("at");
  if (name.size() > kNameBytesMax) name = fmt::format("unique {:016x}", short_hash_of(name));
  return name;
}

// Checked to be a number already; here that it is more than nothing and not beyond reason.
Result<int64_t> number_of(const flow::Config& config, std::string_view field,
                          std::optional<int64_t> value) {
  const bool counts = field == "keys";
  if (value && *value > 0 && *value <= (counts ? kKeysMax : kWithinMaxMillis)) return *value;
  const std::string most = counts ? fmt::format("{}", kKeysMax) : kWithinMaxText;
  return fail("P026"_code, fmt::format("{}: {}, which is more than 0 and at most {}", field,
                                       config.text(field), most))
      .at(config.place(field));
}

Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext& context) {
  PENSTOCK_TRY(fields, find_fields(config, shape));
  SeenLimits limits;
  PENSTOCK_TRY(within, number_of(config, "within", flow::duration_millis(config.text("within"))));
  limits.within_millis = within;
  PENSTOCK_TRY(keys,
               number_of(config, "keys", flow::count_value(config.text("keys", kDefaultKeys))));
  limits.keys = static_cast<uint64_t>(keys);
  return std::make_unique<Unique>(Seen(name_of(config), limits), std::move(fields),
                                  context.step_index());
}

}  // namespace

flow::PartSpec unique() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "unique";
  spec.doc =
      "Lets the first record of each key pass and absorbs its repeats, within a stretch of event "
      "time.";
  spec.guarantee =
      "A repeat within the time that is remembered never passes, also after a crash or when "
      "another worker takes over: what was seen is committed with the records. Repeats are counted "
      "as absorbed in the fates of their partition; what is older than the time that is remembered "
      "becomes a dead letter unique.late, what has no time unique.no_time. Only in a stage that "
      "ends in a topic.";
  spec.fields = {{.name = "by",
                  .type = flow::FieldType::fields,
                  .required = true,
                  .doc = "What makes two records the same; at least the topic's key.",
                  .example = "[meter_id, at]"},
                 {.name = "at",
                  .type = flow::FieldType::field,
                  .required = true,
                  .doc = "The field that holds the event's time.",
                  .example = "at"},
                 {.name = "within",
                  .type = flow::FieldType::duration,
                  .required = true,
                  .unit = "ms",
                  .doc = "How long keys are remembered, in event time: behind the second newest "
                         "sender of the partition, so that one wrong clock harms nobody else.",
                  .example = "1d"},
                 {.name = "keys",
                  .type = flow::FieldType::count,
                  .fallback = kDefaultKeys,
                  .unit = "keys",
                  .doc = "How many keys are remembered of a partition at most, 40 to 80 bytes "
                         "each; then the oldest are forgotten before their time.",
                  .example = "4000000"}};
  spec.remembers = [](const flow::Config& config) {
    return fmt::format(
        "the keys of the last {} of event time, at most {}; {} bytes each in the log, 40 to 80 in "
        "memory",
        config.text("within"), config.text("keys", kDefaultKeys), kSeenEntryBytes);
  };
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
