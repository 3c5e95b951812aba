// lookup.h — what the ids in records mean: asked of one registry by a thread of its own, and kept.
//
// find() never waits. An id that is not known is asked for once; the answer "there is none" holds
// for a minute, so a flood of strange ids costs a request a minute each at most. While the registry
// does not answer, what is known goes on, and the rest is "not yet", with the reason.
//
// Thread      find() from any thread.
// Lifetime    the registry outlives it; the destructor waits for the request on its way.
// Limits      kMaxIds ids at once, kMaxSchemas of them known; when all are strange and young, what
//             comes anew waits.
#pragma once

#include "flow/log.h"
#include "registry/registry.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace penstock::registry {

inline constexpr size_t kMaxIds = 65'536;
inline constexpr size_t kMaxSchemas = 8'192;
inline constexpr std::chrono::seconds kStrangeHolds{60};

class Lookup {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Options {
    std::function<Time()> now = std::chrono::steady_clock::now;
    std::chrono::milliseconds first_pause{200};  // after a failure; doubles …
    std::chrono::milliseconds last_pause{5'000};
    std::chrono::milliseconds refused_pause{10'000};  // after a refusal
    size_t ids_max = kMaxIds;
  };
  explicit Lookup(Registry& registry) : Lookup(registry, Options()) {}
  Lookup(Registry& registry, Options options);
  ~Lookup();
  Lookup(const Lookup&) = delete;

  flow::SchemaSource::Found find(const avro::SchemaId& id);

 private:
  enum class State : uint8_t { asked, known, strange };
  struct Entry {
    State state = State::asked;
    avro::SchemaPtr schema;
    std::shared_ptr<const Error> why;
    Time settled;
  };
  bool make_room();
  void ask(const avro::SchemaId& id);
  void work();
  std::chrono::milliseconds settle(const avro::SchemaId& id, Result<Registry::Fetched> answer);

  Registry& registry_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::map<avro::SchemaId, Entry> entries_;
  size_t known_ = 0;
  std::deque<avro::SchemaId> queue_;
  std::shared_ptr<const Error> trouble_;  // why the last request failed; null when it did not
  std::chrono::milliseconds pause_;
  std::thread thread_;
};

}  // namespace penstock::registry
