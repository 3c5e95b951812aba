#include "log/kafka/kafka_source.h"

#include "base/check.h"
#include "log/kafka/offset_text.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace penstock::log::kafka {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kTellOutagesEvery{5};

Result<void> set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
  char said[512];
  if (rd_kafka_conf_set(conf, name, value.c_str(), said, sizeof said) == RD_KAFKA_CONF_OK)
    return {};
  return std::unexpected(kafka_error(RD_KAFKA_RESP_ERR__INVALID_ARG, name, said));
}

// A share of 64 MiB for each partition that may come here, at least 1 MiB.
std::string read_ahead_kbytes(const std::vector<TopicInfo>& topics) {
  int64_t partitions = 0;
  for (const TopicInfo& topic : topics) partitions += topic.partitions;
  return std::to_string(std::max<int64_t>(1024, 65'536 / std::max<int64_t>(1, partitions)));
}

}  // namespace

// ---- birth and end

Result<std::unique_ptr<KafkaSource>> KafkaSource::open(Admin& admin, const flow::SourceSpec& spec,
                                                       flow::Waker& waker) {
  PENSTOCK_TRY(topics, admin.describe(spec.topics));
  for (const TopicInfo& topic : topics) {
    if (topic.lineage.empty()) return fail("L004"_code, "there is no topic " + topic.name);
  }
  std::unique_ptr<KafkaSource> source(new KafkaSource(admin, spec, std::move(topics), waker));
  PENSTOCK_TRY_VOID(source->connect());
  return source;
}

Result<void> KafkaSource::connect() {
  PENSTOCK_TRY(conf, make_conf(admin_.settings(), Role::consumer, &troubles_));
  PENSTOCK_TRY_VOID(set(conf.get(), "group.id", spec_.group));
  PENSTOCK_TRY_VOID(set(conf.get(), "enable.partition.eof", "true"));
  PENSTOCK_TRY_VOID(set(conf.get(), "auto.offset.reset", "error"));
  PENSTOCK_TRY_VOID(set(conf.get(), "queued.max.messages.kbytes", read_ahead_kbytes(topics_)));
  rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR);
  PENSTOCK_TRY(client, make_client(std::move(conf), Role::consumer));
  client_ = share_client(client.release());
  rd_kafka_poll_set_consumer(client_.get());
  events_.reset(rd_kafka_queue_get_consumer(client_.get()));
  lineages_.emplace(admin_.client(), topics_);
  const auto wake = [](rd_kafka_t*, void* to) { static_cast<flow::Waker*>(to)->wake(); };
  rd_kafka_queue_cb_event_enable(events_.get(), wake, &waker_);
  const List wanted(rd_kafka_topic_partition_list_new(static_cast<int>(spec_.topics.size())));
  for (const std::string& topic : spec_.topics) {
    rd_kafka_topic_partition_list_add(wanted.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  const auto code = rd_kafka_subscribe(client_.get(), wanted.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return std::unexpected(kafka_error(code, "joining the group " + spec_.group));
}

KafkaSource::~KafkaSource() { close(); }

// Leaves the group; a cluster that is away finds out by the end of the session.
void KafkaSource::close() {
  if (client_ == nullptr) return;
  reading_.clear();
  membership_ = nullptr;
  pending_ = Pending::nothing;
  waiting_.clear();
  rd_kafka_queue_cb_event_enable(events_.get(), nullptr, nullptr);
  events_.reset();
  lineages_.reset();
  const Queue last(rd_kafka_queue_new(client_.get()));
  const auto until = steady_clock::now() + std::chrono::milliseconds(kLeaveMillis);
  const ErrorHandle refused(rd_kafka_consumer_close_queue(client_.get(), last.get()));
  while (refused == nullptr && !rd_kafka_consumer_closed(client_.get()) &&
         steady_clock::now() < until) {
    const Event event(rd_kafka_queue_poll(last.get(), 20));
    if (event == nullptr || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_REBALANCE) continue;
    rd_kafka_assign(client_.get(),
                    nullptr);  // a closing consumer takes it whatever the protocol is
  }
  client_.reset();
}

// ---- polling

flow::SourceEvent KafkaSource::poll(const flow::PollLimits& limits) {
  if (client_ == nullptr) return flow::Idle{};
  if (auto event = next_event()) return std::move(*event);
  if (pending_ != Pending::nothing || paused_) return flow::Idle{};
  auto at = reading_.upper_bound(last_);
  for (size_t i = 0; i < reading_.size(); ++i, ++at) {
    if (at == reading_.end()) at = reading_.begin();
    if (at->second.feed == nullptr || at->second.held) continue;
    if (auto event = take(at->first, at->second, limits)) {
      last_ = at->first;
      return std::move(*event);
    }
  }
  return flow::Idle{};
}

std::optional<flow::SourceEvent> KafkaSource::take(Partition partition, Reading& reading,
                                                   const flow::PollLimits& limits) {
  if (reading.seek) {
    // Only a partition that the client reads can be sought; what it read before is not wanted.
    if (!reading.feed->drain()) return std::nullopt;
    seek(partition, *std::exchange(reading.seek, std::nullopt));
    return std::nullopt;
  }
  row::RawBatch batch;
  if (reading.feed->take(limits, batch)) {
    batch.partition = partition;
    return batch;
  }
  if (reading.feed->fault() && !reading.told) return tell_fault(partition, reading);
  return std::nullopt;
}

std::optional<flow::SourceEvent> KafkaSource::tell_fault(Partition partition, Reading& reading) {
  reading.told = true;
  const FeedFault fault = *reading.feed->fault();
  const std::string where = topic_of(partition) + "/" + std::to_string(partition.index);
  const std::string offset = std::to_string(reading.feed->next().value);
  if (fault.code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      fault.code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    reading.broken = true;
    return flow::SourceFault{
        {"L130"_code, where + " has no offset " + offset + ": " + fault.detail, {}, {}, {}, {}},
        false,
        partition};
  }
  if (fault.code == RD_KAFKA_RESP_ERR__BAD_MSG ||
      fault.code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
      fault.code == RD_KAFKA_RESP_ERR_INVALID_MSG) {
    return flow::SourceFault{
        {"L131"_code, where + " is damaged at " + offset + ": " + fault.detail, {}, {}, {}, {}},
        false,
        partition};
  }
  // Leaders on the move, rights: the client goes on by itself, and so does the feed.
  reading.told = false;
  const Offset next = reading.feed->next();
  reading.feed->begin(next);
  seek(partition, next);
  if (is_outage(fault.code)) return std::nullopt;
  return flow::SourceFault{kafka_error(fault.code, "reading " + where, fault.detail), true,
                           partition};
}

// ---- events

std::optional<flow::SourceEvent> KafkaSource::next_event() {
  while (pending_ == Pending::nothing && !waiting_.empty()) {
    const auto [event, lost] = std::move(waiting_.front());
    waiting_.pop_front();
    if (auto told = serve_rebalance(event.get(), lost)) return told;
  }
  while (Event event{rd_kafka_queue_poll(events_.get(), 0)}) {
    const auto type = rd_kafka_event_type(event.get());
    std::optional<flow::SourceEvent> told;
    if (type == RD_KAFKA_EVENT_ERROR) {
      told = serve_error(event.get());
    } else if (type == RD_KAFKA_EVENT_REBALANCE) {
      const bool lost = rd_kafka_assignment_lost(client_.get()) != 0;
      if (pending_ == Pending::nothing) {
        told = serve_rebalance(event.get(), lost);
      } else {
        waiting_.emplace_back(std::move(event), lost);
      }
    }
    if (told) return told;
  }
  if (pending_ != Pending::nothing) return std::nullopt;
  if (auto error = lineages_->check(steady_clock::now())) {
    return flow::SourceFault{std::move(*error), false};
  }
  return std::nullopt;
}

std::optional<flow::SourceEvent> KafkaSource::serve_rebalance(rd_kafka_event_t* event, bool lost) {
  const auto code = rd_kafka_event_error(event);
  flow::PartitionSet partitions = partitions_of(rd_kafka_event_topic_partition_list(event));
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return serve_assigned(std::move(partitions));
  if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
    return serve_revoked(std::move(partitions), lost);
  give({});
  return flow::SourceFault{kafka_error(code, "rebalancing " + spec_.group), true};
}

std::optional<flow::SourceEvent> KafkaSource::serve_assigned(flow::PartitionSet partitions) {
  membership_ = current_membership();
  if (membership_ ==
      nullptr) {  // evicted since: it is taken back at once, and nobody needs to know
    give({});
    return std::nullopt;
  }
  pending_ = Pending::assigned;
  for (const Partition partition : partitions) reading_[partition] = {};
  return flow::Assigned{std::move(partitions), membership_};
}

std::optional<flow::SourceEvent> KafkaSource::serve_revoked(flow::PartitionSet partitions,
                                                            bool lost) {
  std::erase_if(partitions, [&](Partition partition) { return !reading_.contains(partition); });
  membership_ = lost ? nullptr : current_membership();
  // A generation that ended between the event and its service: nothing can be committed any more.
  lost = lost || membership_ == nullptr;
  if (lost && partitions.empty()) {
    take_back({});
    return std::nullopt;
  }
  leaving_ = partitions;
  pending_ = lost ? Pending::lost : Pending::revoked;
  if (lost) return flow::Lost{std::move(partitions)};
  return flow::Revoked{std::move(partitions), membership_};
}

std::optional<flow::SourceEvent> KafkaSource::serve_error(rd_kafka_event_t* event) {
  const auto code = rd_kafka_event_error(event);
  const char* said = rd_kafka_event_error_string(event);
  troubles_.note(code, said == nullptr ? "" : said);
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    char text[512];
    const auto fatal = rd_kafka_fatal_error(client_.get(), text, sizeof text);
    return flow::SourceFault{kafka_error(fatal, "reading as " + spec_.group, text), false};
  }
  // Single brokers come and go; told is what stops all reading, and not with every attempt. The
  // way to the cluster was right when the log was opened: a closed connection is an outage and
  // nothing else.
  const bool refused = is_refused(code);
  const auto now = steady_clock::now();
  if ((!refused && code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) ||
      now < outage_told_ + kTellOutagesEvery) {
    return std::nullopt;
  }
  outage_told_ = now;
  const std::string what = "reading as " + spec_.group;
  Error told = refused ? troubles_.explain(what) : kafka_error(code, what);
  troubles_.clear();  // what is told next is what holds then
  return flow::SourceFault{std::move(told), true, {}, refused};
}

flow::Membership KafkaSource::current_membership() const {
  GroupMetadata metadata(rd_kafka_consumer_group_metadata(client_.get()));
  if (metadata == nullptr) return nullptr;
  const int32_t generation = rd_kafka_consumer_group_metadata_generation_id(metadata.get());
  if (generation < 0) return nullptr;
  std::string member = rd_kafka_consumer_group_metadata_member_id(metadata.get());
  return std::make_shared<KafkaMembership>(std::move(metadata), generation, std::move(member),
                                           client_);
}

flow::PartitionSet KafkaSource::partitions_of(const rd_kafka_topic_partition_list_t* list) const {
  flow::PartitionSet set;
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    const auto at = std::find(spec_.topics.begin(), spec_.topics.end(), list->elems[i].topic);
    if (at == spec_.topics.end()) continue;
    set.push_back({static_cast<uint32_t>(at - spec_.topics.begin()), list->elems[i].partition});
  }
  std::sort(set.begin(), set.end());
  return set;
}

// ---- answers

void KafkaSource::answer() {
  if (client_ == nullptr) return;
  const Pending pending = std::exchange(pending_, Pending::nothing);
  if (pending == Pending::assigned) {
    flow::PartitionSet started;
    for (const auto& [partition, reading] : reading_) {
      if (reading.feed != nullptr && !reading.given) started.push_back(partition);
    }
    give(started);
  } else if (pending != Pending::nothing) {
    take_back(leaving_);
    for (const Partition partition : leaving_) reading_.erase(partition);
    leaving_.clear();
  }
  waker_.wake();  // what came meanwhile woke nobody who could take it
}

void KafkaSource::give(const flow::PartitionSet& partitions) {
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const Partition partition : partitions) {
    Reading& reading = reading_.at(partition);
    reading.given = true;
    reading.broken = false;
    reading.seek.reset();
    rd_kafka_topic_partition_list_add(list.get(), topic_of(partition).c_str(), partition.index)
        ->offset = reading.feed->next().value;
  }
  const ErrorHandle refused(rd_kafka_incremental_assign(client_.get(), list.get()));
  // Fails only when the client is broken or its assignment is not what was told here.
  PENSTOCK_CHECK(refused == nullptr || rd_kafka_fatal_error(client_.get(), nullptr, 0) != 0);
}

void KafkaSource::take_back(const flow::PartitionSet& partitions) {
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const Partition partition : partitions) {
    const auto at = reading_.find(partition);
    if (at == reading_.end() || !at->second.given) continue;
    at->second.given = false;
    rd_kafka_topic_partition_list_add(list.get(), topic_of(partition).c_str(), partition.index);
  }
  const ErrorHandle refused(rd_kafka_incremental_unassign(client_.get(), list.get()));
  PENSTOCK_CHECK(refused == nullptr || rd_kafka_fatal_error(client_.get(), nullptr, 0) != 0);
}

// ---- positions

void KafkaSource::start(Partition partition, Offset next) {
  const auto at = reading_.find(partition);
  if (client_ == nullptr || at == reading_.end()) return;
  Reading& reading = at->second;
  if (reading.feed == nullptr) {
    Queue queue(
        rd_kafka_queue_get_partition(client_.get(), topic_of(partition).c_str(), partition.index));
    PENSTOCK_CHECK(queue != nullptr);
    reading.feed = std::make_unique<Feed>(client_, std::move(queue), &waker_);
  }
  reading.feed->begin(next);
  reading.told = reading.held = false;
  if (!reading.given) {
    if (pending_ != Pending::assigned) give({partition});
  } else if (reading.broken) {
    take_back({partition});
    give({partition});
  } else if (reading.feed->live()) {
    seek(partition, next);
  } else {
    reading.seek = next;
  }
}

void KafkaSource::hold(Partition partition, bool held) {
  const auto at = reading_.find(partition);
  if (at == reading_.end()) return;
  at->second.held = held;
  if (!held) waker_.wake();  // what came meanwhile was told before
}

// The client drops what it fetched before, at once.
void KafkaSource::seek(Partition partition, Offset next) {
  const List list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_of(partition).c_str(), partition.index)
      ->offset = next.value;
  const ErrorHandle refused(rd_kafka_seek_partitions(client_.get(), list.get(), 0));
  PENSTOCK_CHECK(refused == nullptr);
}

Offset KafkaSource::position(Partition partition) const {
  const auto at = reading_.find(partition);
  return at == reading_.end() || at->second.feed == nullptr ? Offset{} : at->second.feed->next();
}

bool KafkaSource::at_end() const {
  return std::all_of(reading_.begin(), reading_.end(), [](const auto& entry) {
    const Reading& reading = entry.second;
    const bool still = reading.told;  // it stands still, and that was told
    return reading.feed != nullptr && !reading.seek && (still || reading.feed->at_end());
  });
}

void KafkaSource::commit_group(const flow::Commit& commit) {
  const auto* member = dynamic_cast<const KafkaMembership*>(commit.membership.get());
  const auto* now = dynamic_cast<const KafkaMembership*>(membership_.get());
  if (client_ == nullptr || member == nullptr || now == nullptr || commit.partitions.empty() ||
      member->generation != now->generation || member->member_id != now->member_id) {
    return;
  }
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(commit.partitions.size())));
  for (const flow::PartitionCommit& moved : commit.partitions) {
    const TopicInfo& topic = topics_[moved.partition.topic];
    auto* row =
        rd_kafka_topic_partition_list_add(list.get(), topic.name.c_str(), moved.partition.index);
    row->offset = moved.next.value;
    const std::string text = metadata_text(moved.fates, topic.lineage, moved.term);
    row->metadata = std::malloc(text.size());  // NOLINT: librdkafka frees it
    PENSTOCK_CHECK(row->metadata != nullptr);
    std::memcpy(row->metadata, text.data(), text.size());
    row->metadata_size = text.size();
  }
  rd_kafka_commit(client_.get(), list.get(), 1);
}

}  // namespace penstock::log::kafka
