#include "log/kafka/sink_session.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

namespace penstock::log::kafka {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kClaimPatience{10};
constexpr std::chrono::seconds kScanOfBroker{12};  // for transactions that nobody ends
constexpr std::chrono::seconds kBeginPatience{5};
constexpr int kOffsetsMillis = 1'000;
constexpr std::chrono::milliseconds kOffsetsAgain{20};

// The same for every sink of this member in this process, so that a successor fences it at once.
// Where no group with generations fences, members are slots: the same id everywhere.
std::string transactional_id(const SinkWorld& world, const flow::SinkSpec& spec, bool in_group) {
  std::string id = spec.group + "-" + spec.member;
  return world.stable_members || !in_group ? id : id + "-" + world.process;
}

std::vector<std::string> topics_of(const SinkWorld& world, const flow::SinkSpec& spec) {
  std::vector<std::string> topics = spec.outputs;
  topics.push_back(world.positions_topic());
  if (spec.stateful) topics.push_back(state_topic(spec.group));
  return topics;
}

// A file, a simulated meter: no name of a topic has such characters.
bool may_be_topic(std::string_view name) {
  return !name.empty() && name.size() <= 249 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Result<std::vector<TopicInfo>> describe_inputs(Admin& admin,
                                               const std::vector<std::string>& names) {
  std::vector<std::string> topics;
  std::ranges::copy_if(names, std::back_inserter(topics), may_be_topic);
  PENSTOCK_TRY(found, admin.describe(topics));
  std::vector<TopicInfo> inputs;
  for (size_t i = 0, next = 0; i < names.size(); ++i) {
    if (may_be_topic(names[i])) {
      inputs.push_back(std::move(found[next++]));
    } else {
      inputs.emplace_back().name = names[i];
    }
  }
  return inputs;
}

List offsets_of(const flow::Commit& commit, const flow::SinkSpec& spec,
                const std::vector<TopicInfo>& inputs) {
  List list(rd_kafka_topic_partition_list_new(static_cast<int>(commit.partitions.size())));
  for (const flow::PartitionCommit& moved : commit.partitions) {
    rd_kafka_topic_partition_t* at = rd_kafka_topic_partition_list_add(
        list.get(), spec.inputs[moved.partition.topic].c_str(), moved.partition.index);
    const std::string text =
        metadata_text(moved.fates, inputs[moved.partition.topic].lineage, moved.term);
    at->offset = moved.next.value;
    at->metadata = strndup(text.data(), text.size());  // the list frees it
    at->metadata_size = text.size();
  }
  return list;
}

}  // namespace

void PendingEpoch::clear() {
  batches.clear();
  changes.clear();
  records = bytes = 0;
  offered = positioned = followed = false;
}

SinkSession::SinkSession(SinkWorld& world, flow::SinkSpec spec,
                         std::vector<uint64_t> record_bytes_max)
    : world_(world),
      spec_(std::move(spec)),
      vital_(std::make_shared<Vital>()),
      client_(make_epoch_client(world, topics_of(world, spec_), *vital_)) {
  client_->know_limits(std::move(record_bytes_max));
}

// ---- claim

struct SinkSession::Found {
  Partition partition;
  std::optional<Offset> next;
  std::optional<OffsetText> text;  // null also when the offset was set by somebody else
  flow::Start start = flow::Start::resumed;
  flow::StateRows state;
};

flow::SinkEvent SinkSession::prepare() {
  const Patience patience{steady_clock::now() + kClaimPatience, &vital_->stop};
  if (look_at_inputs()) client_->ready(patience);  // NOLINT(bugprone-unused-return-value)
  return flow::Waiting{};
}

Result<void> SinkSession::look_at_inputs() {
  vital_->beat();
  PENSTOCK_TRY(inputs, describe_inputs(*world_.admin, spec_.inputs));
  inputs_ = std::move(inputs);
  const bool in_group =
      std::ranges::any_of(inputs_, [](const TopicInfo& input) { return !input.lineage.empty(); });
  client_->call_it(transactional_id(world_, spec_, in_group));
  if (!spec_.stateful) return {};
  return ensure_state_topic(*world_.admin, spec_.group, inputs_);
}

flow::ClaimFailed SinkSession::claim_failed(Error error) const {
  const bool waits = error.code == "L120"_code || error.code == "L124"_code ||
                     error.code == "L104"_code || error.code == "L105"_code;
  return {std::move(error), !waits};
}

flow::SinkEvent SinkSession::claim(const flow::PartitionSet& partitions,
                                   const flow::Membership& membership) {
  const auto* member = dynamic_cast<const KafkaMembership*>(membership.get());
  if (auto looked = look_at_inputs(); !looked) return claim_failed(std::move(looked).error());
  const bool in_group = std::ranges::any_of(
      partitions, [&](Partition p) { return !inputs_[p.topic].lineage.empty(); });
  if (in_group && (member == nullptr || member->generation < 0)) {
    return flow::ClaimFailed{
        fail("L123"_code, "claiming for " + spec_.group + " without a member of the group").take(),
        true};
  }
  auto found = find(partitions, in_group);
  if (!found) return claim_failed(std::move(found).error());
  return flow::Claimed{std::move(*found)};
}

Result<std::vector<flow::Owned>> SinkSession::find(const flow::PartitionSet& partitions,
                                                   bool in_group) {
  const Patience patience{steady_clock::now() + kClaimPatience, &vital_->stop};
  // In front of a changelog's end a dead owner's transaction may stand until the broker ends it.
  const Patience long_patience{steady_clock::now() +
                                   std::chrono::milliseconds(world_.settings().transaction_millis) +
                                   kScanOfBroker,
                               &vital_->stop};
  PENSTOCK_TRY_VOID(client_->ready(patience));
  if (!client_->open()) PENSTOCK_TRY_VOID(client_->look_at_topics());
  std::vector<Found> found;
  for (const Partition partition : partitions) found.emplace_back().partition = partition;
  if (in_group) PENSTOCK_TRY_VOID(ask_group(found, patience));
  PENSTOCK_TRY_VOID(ask_positions(found, long_patience));
  if (spec_.stateful) PENSTOCK_TRY_VOID(read_states(found, long_patience));
  if (in_group) PENSTOCK_TRY_VOID(ask_earliest(found));
  std::vector<flow::Owned> all;
  for (Found& one : found) {
    all.push_back(owned(one));
    if (!in_group && all.back().start == flow::Start::restored) {
      all.back().start = flow::Start::resumed;
    }
  }
  return all;
}

Result<void> SinkSession::ask_group(std::vector<Found>& found, const Patience& patience) {
  std::vector<TopicPartition> wanted;
  for (const Found& one : found) {
    wanted.emplace_back(spec_.inputs[one.partition.topic], one.partition.index);
  }
  StableOffsets got;
  while (true) {
    vital_->beat();
    got = stable_offsets(world_.admin->client(), spec_.group, wanted, kOffsetsMillis);
    if (!got.error) break;
    if (!got.again || patience.over()) return std::unexpected(std::move(*got.error));
    std::this_thread::sleep_for(kOffsetsAgain);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    found[i].next = got.offsets[i].next;
    found[i].text = offset_from_text(got.offsets[i].metadata);
    if (!found[i].text) continue;
    PENSTOCK_TRY_VOID(same_topic(found[i].partition, found[i].text->lineage));
  }
  return {};
}

// The own copy: where the group knows nothing, and for fates that its metadata could not hold.
Result<void> SinkSession::ask_positions(std::vector<Found>& found, const Patience& patience) {
  std::vector<PositionName> names;
  std::vector<Found*> asking;
  for (Found& one : found) {
    if (one.next && one.text && !one.text->sums_only) continue;
    names.push_back({spec_.group, spec_.inputs[one.partition.topic], one.partition.index});
    asking.push_back(&one);
  }
  if (names.empty()) return {};
  vital_->beat();
  PENSTOCK_TRY(rows, read_positions(*world_.admin, names, patience));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]) continue;
    Found& one = *asking[i];
    if (!one.next) {
      PENSTOCK_TRY_VOID(same_topic(one.partition, rows[i]->text.lineage));
      one.next = rows[i]->next;
      one.start = flow::Start::restored;
      one.text = std::move(rows[i]->text);
    } else if (!one.text || rows[i]->next == *one.next) {
      one.text = std::move(rows[i]->text);  // an offset set by an operator: the counts go on
    }
  }
  return {};
}

Result<void> SinkSession::ask_earliest(std::vector<Found>& found) {
  std::vector<std::vector<flow::PartitionState>> bounds;
  for (Found& one : found) {
    if (one.next) continue;
    if (bounds.empty()) {
      vital_->beat();
      PENSTOCK_TRY(got, world_.admin->bounds(inputs_, false));
      bounds = std::move(got);
    }
    for (const flow::PartitionState& state : bounds[one.partition.topic]) {
      if (state.index == one.partition.index) one.next = state.start;
    }
    one.start = flow::Start::first;
    if (!one.next) {
      return fail("L004"_code, "no partition " + std::to_string(one.partition.index) + " of " +
                                   spec_.inputs[one.partition.topic]);
    }
  }
  return {};
}

Result<void> SinkSession::read_states(std::vector<Found>& found, const Patience& patience) {
  for (Found& one : found) {
    vital_->beat();
    PENSTOCK_TRY(rows, read_state(*world_.admin, spec_.group, spec_.inputs[one.partition.topic],
                                  one.partition.index, patience));
    one.state = std::move(rows);
    if (world_.settings().at_least_once) begin_where_the_state_stands(one);
  }
  return {};
}

// At least once, the state follows the position by a step of its own; a crash in between leaves it
// behind. Offsets that somebody else has set are left alone: the engine refuses what does not fit.
void SinkSession::begin_where_the_state_stands(Found& found) const {
  if (!found.next || !found.text) return;
  const auto at = std::ranges::find(found.state, flow::kStatePositionKey, &flow::StateRow::key);
  if (at == found.state.end()) {
    // Nothing of what was absorbed is remembered: from the topic's start, where the state began.
    if (found.text->fates.absorbed > 0) found.next.reset();
    if (found.text->fates.absorbed > 0) found.text.reset();
    return;
  }
  Offset stands;
  const auto [end, error] =
      std::from_chars(at->value.data(), at->value.data() + at->value.size(), stands.value);
  if (error == std::errc() && stands < *found.next) found.next = stands;
}

flow::Owned SinkSession::owned(Found& found) {
  flow::Owned own;
  own.partition = found.partition;
  own.next = found.next.value_or(Offset{0});
  own.start = found.next ? found.start : flow::Start::first;
  own.term = {1};
  if (found.text) {
    own.term = {found.text->term.value + 1};
    own.fates = std::move(found.text->fates);
  }
  own.state = std::move(found.state);
  return own;
}

Result<void> SinkSession::same_topic(Partition partition, const std::string& lineage) const {
  const std::string& now = inputs_[partition.topic].lineage;
  if (lineage == now) return {};
  return fail("L120"_code, "the group " + spec_.group + " has read another topic called " +
                               spec_.inputs[partition.topic] + " (" + lineage + ", now " + now +
                               ")");
}

// ---- commit

MaybeTrouble SinkSession::write_at_once(const flow::Commit& commit) {
  if (auto trouble = offer_batches()) return trouble;
  if (auto trouble = put_state()) return trouble;
  if (auto trouble = put_positions(commit)) return trouble;
  return send_offsets(commit);
}

// What a former owner wrote late can not follow a position that the group did not take from it.
MaybeTrouble SinkSession::write_in_turn(const flow::Commit& commit) {
  if (auto trouble = offer_batches()) return trouble;
  if (auto trouble = client_->settle()) return trouble;
  if (auto trouble = lost(LoseAt::after_records)) return trouble;
  if (!epoch_.positioned) {
    if (auto trouble = send_offsets(commit)) return trouble;
    epoch_.positioned = true;
  }
  if (auto trouble = lost(LoseAt::after_positions)) return trouble;
  if (epoch_.followed) return std::nullopt;
  if (auto trouble = put_state()) return trouble;
  if (auto trouble = put_positions(commit)) return trouble;
  epoch_.followed = true;
  return std::nullopt;
}

MaybeTrouble SinkSession::offer_batches() {
  if (epoch_.offered) return std::nullopt;
  for (const flow::EncodedBatch& batch : epoch_.batches) {
    if (auto trouble = client_->offer(batch)) return trouble;
  }
  epoch_.offered = true;
  return std::nullopt;
}

MaybeTrouble SinkSession::put_state() {
  for (const flow::StateChange& change : epoch_.changes) {
    auto value = change.gone ? std::nullopt : std::optional(change.value);
    const std::string key = state_key(spec_.inputs[change.input.topic], change.key);
    if (auto trouble = client_->put(positions_output() + 1, change.input.index, key, value)) {
      return trouble;
    }
  }
  return std::nullopt;
}

MaybeTrouble SinkSession::put_positions(const flow::Commit& commit) {
  for (const flow::PartitionCommit& moved : commit.partitions) {
    const std::string& input = spec_.inputs[moved.partition.topic];
    const std::string key = position_key(spec_.group, input, moved.partition.index);
    const std::string value =
        position_value(moved.next, moved.fates, inputs_[moved.partition.topic].lineage, moved.term);
    if (auto trouble = client_->put(positions_output(), 0, key, value)) return trouble;
  }
  return std::nullopt;
}

MaybeTrouble SinkSession::send_offsets(const flow::Commit& commit) {
  const auto* member = dynamic_cast<const KafkaMembership*>(commit.membership.get());
  if (member == nullptr) {
    if (inputs_[commit.partitions.front().partition.topic].lineage.empty()) return std::nullopt;
    return Trouble{flow::CommitEnd::abort,
                   fail("L123"_code, "an epoch of " + spec_.group + " without a member").take()};
  }
  const List offsets = offsets_of(commit, spec_, inputs_);
  return client_->send_offsets(*offsets, *member);
}

flow::SinkEvent SinkSession::commit(const flow::Commit& commit) {
  if (!client_->open()) {
    const Patience patience{steady_clock::now() + kBeginPatience, &vital_->stop};
    if (auto trouble = client_->begin(patience)) return ended(std::move(*trouble));
  }
  auto trouble = world_.settings().at_least_once ? write_in_turn(commit) : write_at_once(commit);
  if (!trouble) trouble = lost(LoseAt::before_commit);
  if (!trouble) trouble = client_->commit();
  if (!trouble) trouble = lost(LoseAt::after_commit);
  if (trouble) return ended(std::move(*trouble));
  flow::Ended done{flow::CommitEnd::done, {}, {}, {}};
  for (const auto& moved : commit.partitions) done.durable.set(moved.partition, moved.next);
  epoch_.clear();
  return done;
}

// Tests: the answer to what was done last is lost.
MaybeTrouble SinkSession::lost(LoseAt at) {
  LoseAt wanted = at;
  if (!world_.lose_next_answer.compare_exchange_strong(wanted, LoseAt::nowhere)) return {};
  if (at == LoseAt::before_commit) client_->abort();
  client_->drop();
  return Trouble{flow::CommitEnd::unknown, fail("L126"_code, "the answer was lost").take()};
}

flow::Ended SinkSession::ended(Trouble trouble) {
  if (trouble.end == flow::CommitEnd::abort) client_->try_abort();
  too_large_ = trouble.end == flow::CommitEnd::abort && is_too_large(trouble.error);
  return {trouble.end, {}, {}, std::move(trouble.error), too_large_};
}

// The topics take less than was known, or more: the client was told at its birth.
bool SinkSession::renew_client() {
  if (auto set = world_.admin->topic_settings(spec_.outputs, true)) {
    new_limits_.emplace();
    for (const TopicSettings& topic : *set) new_limits_->push_back(topic.record_bytes_max);
    client_->know_limits(*new_limits_);
  }
  return client_->renew();
}

flow::SinkEvent SinkSession::abort() {
  if (!client_->abort()) return flow::Waiting{};
  if (std::exchange(too_large_, false) && !renew_client()) return flow::Waiting{};
  epoch_.clear();
  return flow::Aborted{};
}

}  // namespace penstock::log::kafka
