// sink_world.h — what all sinks of one KafkaLog share.
//
// Thread      made once; the atomics from any thread, the rest is only read.
// Lifetime    outlives every sink.
#pragma once

#include "log/kafka/admin.h"
#include "log/kafka/names.h"
#include "log/kafka/settings.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace penstock::log::kafka {

// Takes the retirement rule out of a test binary (PENSTOCK_PLANTED_BUGS): torn transactions then.
#ifdef PENSTOCK_PLANTED_BUGS
inline bool planted_never_retire = false;
#else
inline constexpr bool planted_never_retire = false;
#endif

// Where a test lets the next commit end `unknown`, and its client with it.
enum class LoseAt : uint8_t {
  nowhere,
  after_commit,     // it happened
  before_commit,    // exactly once: it did not
  after_records,    // at least once: written, but the group was not told
  after_positions,  // the group was told, but the own copy and the state are behind
};

struct SinkWorld {
  Admin* admin = nullptr;
  bool stable_members = false;
  int64_t watchdog_millis = 60'000;
  int64_t tell_wait_millis = 5'000;  // what is tried again for longer is told
  std::string process;  // random: in transactional ids of members that are no stable slots
  std::atomic<LoseAt> lose_next_answer = LoseAt::nowhere;    // tests
  std::function<void(rd_kafka_conf_s*)> configure_for_test;  // of every transactional client
  bool never_retire = planted_never_retire;                  // or set by a test
  std::atomic<uint64_t> retired = 0;

  const Settings& settings() const { return admin->settings(); }
  std::string positions_topic() const { return names::positions(settings().pipeline); }
  std::string schemas_topic() const { return names::schemas(settings().pipeline); }
};

}  // namespace penstock::log::kafka
