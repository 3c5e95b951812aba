#include "engine/chain.h"

#include "base/check.h"
#include "base/json_write.h"
#include "engine/chain_memory.h"
#include "engine/intake.h"
#include "engine/outlet.h"
#include "engine/row_gatherer.h"
#include "flow/dead_letter.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

namespace penstock::engine {
namespace {

constexpr uint32_t kRouteStep = UINT32_MAX - 2;

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

// Which of the main outlet's outputs a record goes to.
struct Route {
  std::optional<uint32_t> slot;  // of the field; none: always the first
  std::unordered_map<std::string, uint32_t, NameHash, std::equal_to<>> which;
  std::string field;
};

struct Built {
  ChainSpec spec;
  plan::MadeSteps made;
  std::vector<std::string> outputs;
  std::vector<avro::SchemaPtr> schemas;
  uint32_t dead_output = 0;
  std::optional<Outlet> main;           // of a stage that ends in topics
  std::vector<Outlet> copies;           // per side of the steps
  std::optional<RowGatherer> gatherer;  // of a stage that ends in a store
  Route route;
  std::optional<Intake> intake;
  struct SpecialSlot {
    flow::Special special;
    uint32_t slot;
  };
  std::vector<SpecialSlot> specials;
};

class RealChain final : public Chain {
 public:
  explicit RealChain(Built built)
      : b_(std::move(built)),
        memory_(ChainMemory::make(b_.made.steps)),
        sides_(b_.made.sides.size()),
        routed_(b_.spec.stage->to_topics.size()) {}

  const std::vector<std::string>& outputs() const override { return b_.outputs; }
  const std::vector<avro::SchemaPtr>& output_schemas() const override { return b_.schemas; }

  flow::Memory* memory() override { return memory_.get(); }

  void begin(Epoch& epoch) override {
    epoch.tables.clear();
    for (const std::string& name : b_.made.tables)
      epoch.tables.push_back(b_.spec.table(name)->current());
  }

  const Error* waits_for() const override { return b_.intake->why(); }

  Processed process(row::RawBatch& raw, Epoch& epoch) override {
    if (!b_.intake->ready(raw)) return Processed::blocked;
    start_batch(raw, epoch);
    b_.intake->decode(raw, batch_);
    fill_specials();
    flow::Fates& fates = epoch.fates(raw.partition);
    fates.in += raw.records.size();
    run_steps(epoch, fates);
    if (b_.gatherer) {
      gather_rows(epoch, fates);
    } else {
      encode_main(epoch, fates);
    }
    fates.dead += batch_.rejects.size();
    for (const row::Reject& reject : batch_.rejects) bury(reject, epoch);
    if (b_.gatherer) epoch.hold(std::move(raw));
    return Processed::done;
  }

  void make_dead(const flow::RejectedRow& rejected, Epoch& epoch) override {
    const row::RawRecord* record = epoch.original(rejected.row);
    if (record == nullptr) return;
    write_letter(rejected.row.partition, *record, "store", rejected.reason, rejected.detail, epoch);
  }

 private:
  // Rows of a store outlive the turn, so their columns live in the epoch's arena.
  void start_batch(const row::RawBatch& raw, Epoch& epoch) {
    turn_.reset();
    batch_.arena = b_.gatherer ? &epoch.arena : &turn_;
    batch_.partition = raw.partition;
    batch_.records = raw.records;
    batch_.datums = {};
    batch_.cuts = {};
    batch_.cut_count = 0;
    batch_.columns.assign(b_.made.shape.slot_count(), row::Column{});
    batch_.live.clear();
    batch_.rejects.clear();
  }

  void fill_specials() {
    for (const auto& [special, slot] : b_.specials) batch_.columns[slot] = special_column(special);
  }

  row::Column special_column(flow::Special special) {
    const std::string& topic = b_.spec.stage->from[batch_.partition.topic];
    switch (special) {
      case flow::Special::key: {
        row::Column column = batch_.make_column(row::Kind::bytes, true);
        for (const uint32_t row : batch_.live) {
          const row::RawRecord& record = batch_.records[row];
          column.views[row] = record.has_key ? record.key : ByteView();
          column.nulls[row] = record.has_key ? 0 : 1;
        }
        return column;
      }
      case flow::Special::topic: {
        const row::Column column = batch_.make_column(row::Kind::string, false);
        for (const uint32_t row : batch_.live) column.views[row] = topic;
        return column;
      }
      case flow::Special::partition:
        return number_column([&](const row::RawRecord&) { return batch_.partition.index; });
      case flow::Special::offset:
        return number_column([](const row::RawRecord& record) { return record.offset.value; });
      case flow::Special::timestamp:
        break;
    }
    return number_column([](const row::RawRecord& record) { return record.timestamp.value; });
  }

  template <class F>
  row::Column number_column(F value) {
    const row::Column column = batch_.make_column(row::Kind::int64, false);
    for (const uint32_t row : batch_.live) column.int64s[row] = value(batch_.records[row]);
    return column;
  }

  void run_steps(Epoch& epoch, flow::Fates& fates) {
    flow::StepContext context{epoch.tables, sides_, 0};
    for (size_t i = 0; i < b_.made.steps.size(); ++i) {
      const size_t live = batch_.live.size();
      const size_t rejects = batch_.rejects.size();
      context.absorbed = 0;
      b_.made.steps[i]->apply(batch_, context);
      const size_t dropped =
          live - batch_.live.size() - (batch_.rejects.size() - rejects) - context.absorbed;
      fates.absorbed += context.absorbed;
      if (dropped > 0) fates.dropped.add(b_.spec.stage->steps[i].label, dropped);
      send_copies(epoch, fates);
    }
  }

  // What the step just made sent aside; a copy that can not be encoded makes its record a dead
  // letter.
  void send_copies(Epoch& epoch, flow::Fates& fates) {
    for (size_t i = 0; i < sides_.size(); ++i) {
      if (sides_[i].rows.empty()) continue;
      const size_t sent =
          encode_rows(sides_[i].rows, b_.copies[i], epoch, [](uint32_t) { return 0u; });
      if (sent > 0) fates.copied.add(b_.made.sides[i].topic, sent);
      sides_[i].rows.clear();
    }
  }

  // Encodes rows through an outlet; those that fail are rejected and leave `live`. Returns how many
  // went.
  template <class Which>
  size_t encode_rows(std::span<const uint32_t> rows, Outlet& outlet, Epoch& epoch, Which which) {
    failed_.clear();
    for (const uint32_t row : rows) {
      const Encoded outcome = outlet.encode(batch_, row, which(row), epoch, why_);
      if (outcome == Encoded::done) continue;
      batch_.reject(row, row::kEncodeStep,
                    outcome == Encoded::misfit ? "encode" : "record.too_large", why_);
      failed_.push_back(row);
    }
    flow::remove_live(batch_.live, failed_);
    return rows.size() - failed_.size();
  }

  void gather_rows(Epoch& epoch, flow::Fates& fates) {
    if (b_.route.slot) resolve_routes();
    if (batch_.live.empty()) return;
    fates.out.add(b_.spec.stage->to_store, batch_.live.size());
    if (!b_.route.slot) {
      epoch.rows.push_back(b_.gatherer->gather(batch_, batch_.live, epoch.arena));
      return;
    }
    for (uint32_t table = 0; table < b_.route.which.size(); ++table) {
      of_table_.clear();
      for (const uint32_t row : batch_.live) {
        if (which_[row] == table) of_table_.push_back(row);
      }
      if (of_table_.empty()) continue;
      epoch.rows.push_back(b_.gatherer->gather(batch_, of_table_, epoch.arena));
      epoch.rows.back().table = table;
    }
  }

  void encode_main(Epoch& epoch, flow::Fates& fates) {
    std::ranges::fill(routed_, 0);
    if (!b_.route.slot) {
      routed_[0] = encode_rows(batch_.live, *b_.main, epoch, [](uint32_t) { return 0u; });
    } else {
      resolve_routes();
      encode_rows(batch_.live, *b_.main, epoch, [&](uint32_t row) { return which_[row]; });
      for (const uint32_t row : batch_.live) ++routed_[which_[row]];
    }
    for (size_t i = 0; i < routed_.size(); ++i) {
      if (routed_[i] > 0) fates.out.add(b_.spec.stage->to_topics[i], routed_[i]);
    }
  }

  // A value that is not declared is a dead letter: no surprise topics, no surprise tables.
  void resolve_routes() {
    const row::Column& column = batch_.columns[*b_.route.slot];
    which_.resize(batch_.rows());
    failed_.clear();
    for (const uint32_t row : batch_.live) {
      const auto found =
          column.is_null(row) ? b_.route.which.end() : b_.route.which.find(column.views[row]);
      if (found != b_.route.which.end()) {
        which_[row] = found->second;
        continue;
      }
      batch_.reject(row, kRouteStep, "route.unknown",
                    column.is_null(row) ? fmt::format("{} is null", b_.route.field)
                                        : fmt::format("{} {} is not declared", b_.route.field,
                                                      quoted(column.views[row])));
      failed_.push_back(row);
    }
    flow::remove_live(batch_.live, failed_);
  }

  std::string_view step_label(uint32_t step) const {
    if (step == row::kDecodeStep) return "decode";
    if (step == row::kEncodeStep) return "encode";
    if (step == kRouteStep) return "route";
    return b_.spec.stage->steps[step].label;
  }

  void bury(const row::Reject& reject, Epoch& epoch) {
    write_letter(batch_.partition, batch_.records[reject.row], step_label(reject.step),
                 reject.reason, reject.detail, epoch);
  }

  // A stage without a topic for dead letters reads what this process encoded itself.
  void write_letter(Partition partition, const row::RawRecord& record, std::string_view step,
                    std::string_view reason, std::string_view detail, Epoch& epoch) {
    if (b_.spec.stage->dead_topic.empty()) {
      PENSTOCK_CHECK(reason == "record.too_large");
      if (!epoch.stuck) epoch.stuck = no_way_on(partition, record, detail);
      return;
    }
    flow::DeadLetter letter;
    letter.stage = b_.spec.stage->id;
    letter.topic = b_.spec.stage->from[partition.topic];
    letter.lineage = b_.spec.lineages[partition.topic];
    letter.partition = partition.index;
    letter.offset = record.offset;
    letter.step = step;
    letter.reason = reason;
    letter.detail = detail;
    letter.timestamp = record.timestamp;
    if (record.has_key) letter.key = record.key;
    if (record.has_value) letter.value = record.value;
    letter_.clear();
    flow::append_dead_letter(letter, letter_);
    // The letter has the record's key: where both are too much, its own goes without.
    const uint64_t most = epoch.record_bytes_max(b_.dead_output);
    const bool keyed = record.has_key && wire::lone_batch_bytes(record.key, true, letter_) <= most;
    const size_t bytes = wire::lone_batch_bytes({}, false, letter_);
    if (bytes > most) {
      if (!epoch.stuck) epoch.stuck = no_way_aside(partition, record, bytes, most);
      return;
    }
    const int32_t to = partition.index % epoch.partitions(b_.dead_output);
    epoch.records(b_.dead_output, to)
        .append({.key = keyed ? record.key : ByteView(),
                 .value = letter_,
                 .timestamp = record.timestamp.value,
                 .has_key = keyed});
  }

  // What a feed reads has no dead letters.
  Epoch::Stuck no_way_on(Partition partition, const row::RawRecord& record,
                         std::string_view detail) const {
    return {{partition, record.offset},
            fail("E005"_code, fmt::format("record {}: {}", record.offset.value, detail)).take(),
            true};
  }
  Epoch::Stuck no_way_aside(Partition partition, const row::RawRecord& record, uint64_t bytes,
                            uint64_t most) const {
    const std::string& dead = b_.spec.stage->dead_topic;
    return {
        {partition, record.offset},
        fail("E006"_code,
             fmt::format("{}, partition {}, offset {}: its dead letter has {} bytes, {} takes "
                         "{}",
                         b_.spec.stage->from[partition.topic], partition.index, record.offset.value,
                         bytes, dead, most))
            .cure(fmt::format("set max.message.bytes of {} to {} or more (kafka-configs --alter "
                              "--topic {} --add-config max.message.bytes={}); the stage goes on "
                              "by itself",
                              dead, bytes, dead, bytes))
            .take()};
  }

  Built b_;
  std::unique_ptr<ChainMemory> memory_;
  Arena turn_;
  row::Batch batch_;
  std::vector<flow::SideOutput> sides_;
  std::vector<uint64_t> routed_;  // per topic of the main outlet
  std::vector<uint32_t> which_;   // per row
  std::vector<uint32_t> failed_;
  std::vector<uint32_t> of_table_;  // rows of one of a store's tables
  std::string why_, letter_;
};

// ---- building
// ------------------------------------------------------------------------------------------------

uint32_t add_output(Built& built, const std::string& topic) {
  const auto found = std::ranges::find(built.outputs, topic);
  if (found != built.outputs.end()) return static_cast<uint32_t>(found - built.outputs.begin());
  built.outputs.push_back(topic);
  return static_cast<uint32_t>(built.outputs.size() - 1);
}

Result<void> build_route(Built& built) {
  const plan::Stage& stage = *built.spec.stage;
  if (stage.route_field.empty()) return {};
  built.route.field = stage.route_field;
  const flow::Shape::Field* field = built.made.shape.field(stage.route_field);
  if (field == nullptr || avro::slot_shape(*field->type).kind != row::Kind::string) {
    return fail("P301"_code, fmt::format("the records are routed by \"{}\", which is no text field",
                                         stage.route_field));
  }
  built.route.slot = built.made.shape.slot(stage.route_field);
  for (uint32_t i = 0; i < stage.route_values.size(); ++i)
    built.route.which.emplace(stage.route_values[i], i);
  return {};
}

Result<Outlet::Output> output_of(Built& built, const std::string& name) {
  const plan::Topic& topic = *built.spec.plan->topic(name);
  PENSTOCK_TRY(head, built.spec.schemas->head(name, topic.framing, *topic.schema));
  return Outlet::Output{add_output(built, name), name, std::move(head)};
}

Result<void> build_main(Built& built) {
  const plan::Stage& stage = *built.spec.stage;
  std::vector<Outlet::Output> outputs;
  for (const std::string& topic : stage.to_topics) {
    PENSTOCK_TRY(output, output_of(built, topic));
    outputs.push_back(std::move(output));
  }
  const plan::Topic& topic = *built.spec.plan->topic(stage.to_topics.front());
  PENSTOCK_TRY(outlet, Outlet::make(topic, built.made.shape, std::move(outputs)));
  built.main = std::move(outlet);
  built.schemas.push_back(topic.schema);
  return build_route(built);
}

Result<void> build_copies(Built& built) {
  for (plan::MadeSteps::Side& side : built.made.sides) {
    const plan::Topic& topic = *built.spec.plan->topic(side.topic);
    PENSTOCK_TRY(output, output_of(built, side.topic));
    PENSTOCK_TRY(outlet, Outlet::make(topic, side.shape, {std::move(output)}));
    built.copies.push_back(std::move(outlet));
    built.schemas.push_back(topic.schema);
  }
  return {};
}

std::vector<uint32_t> all_cuts(const Built& built) {
  std::vector<uint32_t> cuts;
  if (built.main) cuts = built.main->cuts();
  for (const Outlet& copy : built.copies)
    cuts.insert(cuts.end(), copy.cuts().begin(), copy.cuts().end());
  std::ranges::sort(cuts);
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

void build_intake(Built& built) {
  const plan::Stage& stage = *built.spec.stage;
  std::vector<uint32_t> cuts = all_cuts(built);
  if (built.main) built.main->bind_cuts(cuts);
  for (Outlet& copy : built.copies) copy.bind_cuts(cuts);
  Intake::Spec spec;
  spec.input = stage.input;
  for (const std::string& name : stage.from) {
    const plan::Topic& topic = *built.spec.plan->topic(name);
    spec.topics.push_back({topic.framing, topic.unframed_bare, topic.schema});
  }
  spec.wants = built.made.shape.wants();
  spec.cuts = std::move(cuts);
  spec.schemas = built.spec.schemas;
  built.intake.emplace(std::move(spec));
}

void build_specials(Built& built) {
  for (const auto special : {flow::Special::key, flow::Special::topic, flow::Special::partition,
                             flow::Special::offset, flow::Special::timestamp}) {
    if (const auto slot = built.made.shape.special_slot(special))
      built.specials.push_back({special, *slot});
  }
}

}  // namespace

Result<std::unique_ptr<Chain>> Chain::make(ChainSpec spec) {
  const plan::Stage& stage = *spec.stage;
  PENSTOCK_TRY(made, plan::make_steps(*spec.plan, stage));
  Built built{std::move(spec), std::move(made), {}, {}, 0, {}, {}, {}, {}, {}, {}};
  if (stage.to_store.empty()) {
    PENSTOCK_TRY_VOID(build_main(built));
  } else {
    PENSTOCK_TRY_VOID(build_route(built));
    built.gatherer =
        RowGatherer(*built.spec.plan->store(stage.to_store)->table.schema, built.made.shape);
  }
  PENSTOCK_TRY_VOID(build_copies(built));
  if (!stage.dead_topic.empty()) {
    built.dead_output = add_output(built, stage.dead_topic);
    built.schemas.push_back(flow::dead_letter_schema());
  }
  build_intake(built);
  build_specials(built);
  return std::make_unique<RealChain>(std::move(built));
}

}  // namespace penstock::engine
