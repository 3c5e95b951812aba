// producing.h — what a KafkaLog writes with: it makes sinks, appenders and the schemas' store.
//
// Thread      open_sink(), open_appender() and schemas() from any thread; what they made is as its
//             contract says.
// Lifetime    outlives everything it made; the Admin outlives it. Topics <pipeline>.schemas and
//             <pipeline>.positions are there before open() is called; <group>.state is made at
//             claim.
// Errors      L004 no such topic; L1xx as kafka_error() has them.
//
//     PENSTOCK_TRY(producing, Producing::open(*admin, {}));
//     PENSTOCK_TRY(sink, producing->open_sink(spec, waker));
#pragma once

#include "flow/log.h"
#include "log/kafka/admin.h"
#include "log/kafka/sink_world.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::log::kafka {

class KafkaSchemas;

class Producing {
 public:
  Producing(const Producing&) = delete;
  struct Options {
    // Members are slots that only one process holds at a time: a successor fences its predecessor
    // at once.
    bool stable_members = false;
    // A call into the client that does not return for so long ends the process (CommitEnd::fatal).
    int64_t watchdog_millis = 60'000;
  };
  // Reads all schemas; may block as long as an unreachable cluster may be waited for.
  static Result<std::unique_ptr<Producing>> open(Admin& admin, const Options& options);
  ~Producing();

  Result<std::unique_ptr<flow::LogSink>> open_sink(const flow::SinkSpec& spec, flow::Waker& waker);
  Result<std::unique_ptr<flow::Appender>> open_appender(const std::vector<std::string>& topics,
                                                        flow::Waker& waker);
  flow::SchemaSource& schemas();

  // Tests: the next commit of any sink ends `unknown`; `written` says whether it happened.
  void lose_next_answer_for_test(bool written) {
    world_.lose_next_answer = written ? LoseAt::after_commit : LoseAt::before_commit;
  }
  // Clients given up by the rule of retirement.h since the start.
  uint64_t retired() const { return world_.retired; }
  SinkWorld& world_for_test() { return world_; }

 private:
  Producing() = default;  // by open()
  SinkWorld world_;
  std::unique_ptr<KafkaSchemas> schemas_;
};

}  // namespace penstock::log::kafka
