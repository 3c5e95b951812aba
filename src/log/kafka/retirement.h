// retirement.h — when a transactional client must be given up, so that no late request of it can
// end a later transaction.
//
// The client repeats EndTxn by itself. One that was sent and not answered may still be on its way
// when the next transaction of the same producer has begun, and ends *that* one: an epoch is then
// torn. So requests of transactions are counted as they are sent and answered. After any that is
// unanswered or failed, and after a broker connection that broke inside a transaction, the client
// is retired: destroy, create, init_transactions (whose new producer epoch fences everything late)
// before the next begin.
//
// Thread      watch() before the client is made; the counters are written by the client's threads;
//             must_retire() and begin() by the owner, between transactions.
// Lifetime    outlives the client.
//
//     traffic.watch(conf); … traffic.begin(); …commit… if (traffic.must_retire()) renew();
#pragma once

#include <atomic>
#include <cstdint>

struct rd_kafka_conf_s;

namespace penstock::log::kafka {

class TransactionTraffic {
 public:
  // Installs the interceptors in a configuration that makes a client of this owner.
  void watch(rd_kafka_conf_s* conf);
  // A new client has initialised its transactions, or a transaction begins.
  void begin();
  // Something of what was sent since begin() may still be on its way.
  bool must_retire() const;
  // EndTxn requests since begin(): more than one, or one without answer, and the end is not known.
  bool end_is_ambiguous() const;
  bool end_was_sent() const { return ends_sent_ > 0; }

  // What the interceptors tell; `api` is the request's ApiKey. Each answer is told kTold times.
  void on_sent(int api);
  void on_answered(int api, bool well);
  void on_connection_lost() { ++broken_; }
  // librdkafka 2.15 tells of an answer before and after it has changed threads, without a number
  // that would match it to its request. With another count every client would be retired: a test
  // looks.
  static constexpr uint64_t kTold = 2;

 private:
  std::atomic<uint64_t> sent_ = 0;
  std::atomic<uint64_t> told_ = 0;
  std::atomic<uint64_t> failed_ = 0;
  std::atomic<uint64_t> broken_ = 0;
  std::atomic<uint64_t> ends_sent_ = 0;
  std::atomic<uint64_t> ends_told_ = 0;
};

}  // namespace penstock::log::kafka
