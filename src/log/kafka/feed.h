// feed.h — one partition's queue of a librdkafka client, as batches of views with an own position.
//
// The position is what was handed out, and moves past markers when the client says that the end is
// reached: it is never "nothing known" and never goes beyond what was handed out.
//
// Thread      one.
// Lifetime    a batch keeps its messages and the client alive. Within the Waker's.
// Limits      a batch: PollLimits; messages beyond max_bytes are kept for the next one.
//
//     feed.begin(Offset{17});
//     row::RawBatch batch;
//     if (feed.take(limits, batch)) use(batch);       // feed.next(): after its last record
//     else if (feed.fault()) stop(*feed.fault());
#pragma once

#include "flow/log.h"
#include "flow/waker.h"
#include "log/kafka/handles.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::log::kafka {

inline constexpr size_t kMaxChunkMessages = 4096;

// A client that outlives its owner as long as batches of it are held; it does not leave its group
// when it ends (KafkaSource::close() does).
using SharedClient = std::shared_ptr<rd_kafka_t>;
SharedClient share_client(rd_kafka_t* client);
// Before rd_kafka_consume_start(): a client that has to find a topic's leaders itself looks once a
// second. Best effort.
void learn_leaders(rd_kafka_t* client, rd_kafka_topic_t* topic);

struct FeedFault {
  rd_kafka_resp_err_t code;
  std::string detail;  // librdkafka's words
};

class Feed {
 public:
  // The queue's forwarding is gone: what comes for the partition comes here. `waker`: may be null.
  Feed(SharedClient client, Queue queue, flow::Waker* waker);
  ~Feed();
  Feed(Feed&&) = delete;

  // Delivery begins at `next`; drops what was taken ahead. The client is told by the owner.
  void begin(Offset next);
  // False: nothing there, or a fault. Never waits.
  bool take(const flow::PollLimits& limits, row::RawBatch& batch);
  // Takes and drops what is there; true when there was anything: the client reads this partition.
  bool drain();

  Offset next() const { return next_; }
  // Handed out up to the end that the client saw last.
  bool at_end() const { return at_end_; }
  bool live() const { return live_; }  // something came since the feed was made
  // Reading stopped before something that is no record; begin() forgets it.
  const std::optional<FeedFault>& fault() const { return fault_; }

 private:
  struct Chunk;
  bool load(size_t most);
  void stop_at(const rd_kafka_message_t& message);

  SharedClient client_;
  Queue queue_;
  std::shared_ptr<Chunk> chunk_;
  size_t at_ = 0;  // next of chunk_
  Offset next_;
  bool at_end_ = false;
  bool live_ = false;
  std::optional<FeedFault> fault_;
};

}  // namespace penstock::log::kafka
