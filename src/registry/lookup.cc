#include "registry/lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::registry {

Lookup::Lookup(Registry& registry, Options options)
    : registry_(registry),
      options_(std::move(options)),
      pause_(options_.first_pause),
      thread_([this] { work(); }) {}

Lookup::~Lookup() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

flow::SchemaSource::Found Lookup::find(const avro::SchemaId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    if (make_room()) ask(id);
    return {nullptr, false, trouble_};
  }
  Entry& entry = found->second;
  if (entry.state == State::known) return {entry.schema, true};
  if (entry.state == State::asked) return {nullptr, false, trouble_};
  if (options_.now() - entry.settled < kStrangeHolds) return {nullptr, true, entry.why};
  ask(id);
  return {nullptr, false, trouble_};
}

// Strange ids go whose minute is over, and all that is known when that is too much.
bool Lookup::make_room() {
  if (known_ > kMaxSchemas) {
    std::erase_if(entries_, [](const auto& each) { return each.second.state == State::known; });
    known_ = 0;
  }
  if (entries_.size() < options_.ids_max) return true;
  const Time now = options_.now();
  std::erase_if(entries_, [&](const auto& each) {
    return each.second.state == State::strange && now - each.second.settled >= kStrangeHolds;
  });
  return entries_.size() < options_.ids_max;
}

void Lookup::ask(const avro::SchemaId& id) {
  entries_[id] = {};
  queue_.push_back(id);
  changed_.notify_all();
}

void Lookup::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
    if (stop_) return;
    const avro::SchemaId id = queue_.front();
    queue_.pop_front();
    lock.unlock();
    Result<Registry::Fetched> answer = registry_.fetch(id);
    lock.lock();
    const std::chrono::milliseconds pause = settle(id, std::move(answer));
    if (pause.count() > 0) changed_.wait_for(lock, pause, [&] { return stop_; });
  }
}

// How long to leave the registry alone.
std::chrono::milliseconds Lookup::settle(const avro::SchemaId& id,
                                         Result<Registry::Fetched> answer) {
  if (!answer) {
    trouble_ = std::make_shared<const Error>(std::move(answer).error());
    queue_.push_back(id);
    if (trouble_->code != "L140"_code) return options_.refused_pause;
    return std::exchange(pause_, std::min(pause_ * 2, options_.last_pause));
  }
  trouble_ = nullptr;
  pause_ = options_.first_pause;
  Entry& entry = entries_[id];
  entry.settled = options_.now();
  entry.state = answer->schema ? State::known : State::strange;
  if (answer->schema) {
    entry.schema = std::move(answer->schema);
    ++known_;
  } else {
    entry.why = std::make_shared<const Error>(fail("L143"_code, std::move(answer->why)).take());
  }
  return std::chrono::milliseconds::zero();
}

}  // namespace penstock::registry
