// log.h — topics, partitions, consumer groups: what a log has to be able to do.
//
// Implementations: log/memory (tests, simulator), log/embedded (RocksDB), later log/kafka. All pass
// log_contract.h.
//
// Thread      a Log may be used from any thread; a Source, LogSink or Appender belongs to one
// worker.
// Lifetime    the Log outlives every Source, LogSink and Appender that it made.
//
//     PENSTOCK_TRY(source, log.open_source({"meters.processing", {"preprocessed"}, "worker-0"},
//     waker)); PENSTOCK_TRY(sink, log.open_sink({"meters.processing", {"preprocessed"},
//     {"usage.alpine"}}, waker));
#pragma once

#include "avro/framing.h"
#include "avro/schema.h"
#include "base/error.h"
#include "base/units.h"
#include "flow/positions.h"
#include "flow/sink.h"
#include "flow/waker.h"
#include "row/raw_batch.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace penstock::flow {

struct TopicSpec {
  std::string name;
  int32_t partitions = 1;
  int32_t replicas = 1;
  int64_t keep_millis = -1;  // retention; -1 = for ever
  // Of a topic of dead letters: the topics whose records become letters in it. Made so that it
  // takes the largest of them and kMaxLetterBytes around it.
  std::vector<std::string> letters_of = {};
};

// ---- reading
// -------------------------------------------------------------------------------------------------

struct SourceSpec {
  std::string group;                // "<pipeline>.<stage>" or "<pipeline>.<stage>.<store>"
  std::vector<std::string> topics;  // Partition::topic counts through these
  std::string member;               // for people
};

struct Idle {};  // nothing now; the Waker will call
struct Assigned {
  PartitionSet partitions;
  Membership membership;
};  // new here: claim them, start() them, then answer()
struct Revoked {
  PartitionSet partitions;
  Membership membership;
};  // still ours until answer(): commit or abort first
struct Lost {
  PartitionSet partitions;
};  // gone: never commit what stems from them; then answer()
struct SourceFault {
  Error error;
  bool retry;
  std::optional<Partition> partition = {};  // only this one stands still; the others go on
  bool refused = false;                     // for want of rights: waiting alone will hardly help
};  // an outage (retry) or the end
using SourceEvent = std::variant<Idle, row::RawBatch, Assigned, Revoked, Lost, SourceFault>;

struct PollLimits {
  uint32_t max_records = 4096;
  uint64_t max_bytes = 1 << 20;  // a single larger record still comes
};

class Source {
 public:
  virtual ~Source() = default;
  // Never blocks. After Assigned, Revoked or Lost nothing is delivered until answer().
  virtual SourceEvent poll(const PollLimits& limits) = 0;
  // Delivery of an assigned partition begins (again) at `next`; drops what was fetched ahead of it.
  virtual void start(Partition partition, Offset next) = 0;
  virtual void answer() = 0;
  // Next offset after everything that was handed out by poll() since start(); moves past what
  // nobody sees.
  virtual Offset position(Partition partition) const = 0;
  // Stops and resumes delivery; events still come.
  virtual void pause(bool paused) = 0;
  // The same for one partition; start() of it resumes. A source that has only one is paused
  // instead.
  virtual void hold(Partition /*partition*/, bool /*held*/) {}
  // True when every assigned partition was handed out up to its end as it is now; one that stands
  // still (SourceFault of a partition) counts as handed out.
  virtual bool at_end() const = 0;
  // The membership as of the last event served.
  virtual Membership membership() const = 0;
  // For stages that end in a store: tells the group how far the store is, as lag. Best effort;
  // fates travel along. A stale membership makes it a no-op.
  virtual void commit_group(const Commit& commit) = 0;
  // Leaves the group; assigned partitions are free at once.
  virtual void close() = 0;
};

// ---- writing
// -------------------------------------------------------------------------------------------------

// Records of one output partition in Kafka's record format v2 (the records only, without the batch
// header; offset deltas from 0, timestamp deltas from base_timestamp): wire/record_batch.h builds
// and walks it.
struct EncodedBatch {
  uint32_t output = 0;  // counts through SinkSpec::outputs
  int32_t partition = 0;
  uint32_t count = 0;
  Millis base_timestamp;
  Millis max_timestamp;
  ByteView records;  // in the epoch's arena
};

struct SinkSpec {
  std::string group;  // whose positions the commits move
  std::vector<std::string>
      inputs;  // Partition::topic counts through these; also sources that are no topics
  std::vector<std::string> outputs;  // topics, dead letters included
  std::string member;
  bool stateful = false;  // the group has state: claims hand it out, write_state() changes it
};

class LogSink : public Sink {
 public:
  virtual WriteAnswer write(const EncodedBatch& batch) = 0;
  // Changes state of claimed partitions within the epoch, in this order; only with
  // SinkSpec::stateful. `error` for changes beyond the limits of flow/state.h.
  virtual WriteAnswer write_state(std::span<const StateChange> changes) = 0;
  // Partitions of an output topic, known from the first Claimed on.
  virtual int32_t partitions(uint32_t output) const = 0;
  // The largest record that an output takes, as wire::lone_batch_bytes() counts it; known from the
  // first Claimed on, and may be another after a Claimed, Ended or Aborted. An epoch with a larger
  // one can only be aborted: write() answers `error`, or the commit ends `abort` and `refused`.
  virtual uint64_t record_bytes_max(uint32_t output) const = 0;
};

// Appends outside any epoch: dead letters of store stages, the simulated producers' first records.
// Not transactional; no repeats while one Appender lives.
class Appender {
 public:
  virtual ~Appender() = default;
  virtual int32_t partitions(uint32_t output) const = 0;
  // As a LogSink's; known from birth, may be another after an Ended.
  virtual uint64_t record_bytes_max(uint32_t output) const = 0;
  // One in flight; bytes stay valid until poll() is not Waiting.
  virtual void begin_append(std::vector<EncodedBatch> batches) = 0;
  // Waiting, Ended{done}, Ended{retry} (nothing happened) or Ended{unknown}.
  virtual SinkEvent poll() = 0;
};

// ---- schemas
// -------------------------------------------------------------------------------------------------

// The schemas of what lies in the log: by fingerprint, and by what a schema registry calls them
// (room registry).
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  struct Found {
    avro::SchemaPtr schema;                 // null: not known
    bool final = true;                      // false: not known *yet*; ask again when woken
    std::shared_ptr<const Error> why = {};  // why not, where there is more to say
  };
  // Any thread, cheap, cached.
  virtual Found find(uint64_t fingerprint) = 0;
  // By what any framing calls it. Logs know fingerprints alone.
  virtual Found find_id(const avro::SchemaId& id);
  // The bytes before each datum of this schema in that topic. At start: may wait, and register the
  // schema. L140 … L145.
  virtual Result<std::string> head(std::string_view topic, avro::Framing framing,
                                   const avro::Schema& schema);
  // Durable when it returns. Called at start and at claim, before the first record that uses it;
  // may block.
  virtual Result<void> add(const avro::SchemaPtr& schema) = 0;
  virtual std::vector<avro::SchemaPtr> all() = 0;
};

// ---- looking
// -------------------------------------------------------------------------------------------------

struct PartitionState {
  int32_t index = 0;
  Offset start;  // first offset still kept
  Offset end;    // next offset to be written
};
struct TopicState {
  std::string name;
  std::string lineage;  // changes when a topic is deleted and made again
  int64_t keep_millis = -1;
  std::vector<PartitionState> partitions;
};
struct GroupPosition {
  std::string topic;
  int32_t partition = 0;
  Offset next;
  Fates fates;
};
struct GroupState {
  std::string name;
  std::vector<GroupPosition> positions;
  uint32_t members = 0;  // of this process and, where the log knows, of others
};

class Log {
 public:
  virtual ~Log() = default;
  // Makes topics that are missing; never alters one. Returns the names made. An existing topic that
  // differs is told by topics().
  virtual Result<std::vector<std::string>> create_missing(const std::vector<TopicSpec>& topics) = 0;
  // Groups whose unread records retention must not delete.
  virtual void declare_groups(const std::vector<SourceSpec>& groups) = 0;

  virtual Result<std::unique_ptr<Source>> open_source(const SourceSpec& spec, Waker& waker) = 0;
  virtual Result<std::unique_ptr<LogSink>> open_sink(const SinkSpec& spec, Waker& waker) = 0;
  virtual Result<std::unique_ptr<Appender>> open_appender(const std::vector<std::string>& topics,
                                                          Waker& waker) = 0;
  virtual SchemaSource& schemas() = 0;

  virtual Result<std::vector<TopicState>> topics() = 0;
  virtual Result<std::vector<GroupState>> groups() = 0;
  // Records from `from` (or the first kept) on, at most to the end as it is now; empty at the end.
  // `next` gets the position after them.
  virtual Result<row::RawBatch> read(std::string_view topic, int32_t partition, Offset from,
                                     const PollLimits& limits, Offset* next) = 0;
};

}  // namespace penstock::flow
