#include "aws/identity.h"

#include "aws/source.h"
#include "base/random.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace penstock::aws {
namespace {

constexpr int64_t kLatestMillis = 600'000;
constexpr int64_t kEarliestMillis = 900'000;
constexpr int64_t kFirstPauseMillis = 1'000;
constexpr int64_t kLongestPauseMillis = 60'000;
constexpr int64_t kDoubtMillis = 10'000;

}  // namespace

Millis refresh_time(Millis now, Millis expires, double draw) {
  if (expires == kNever) return kNever;
  const auto lead =
      kLatestMillis +
      static_cast<int64_t>(draw * static_cast<double>(kEarliestMillis - kLatestMillis));
  const int64_t left = std::max<int64_t>(expires.value - now.value, 0);
  return {std::max(expires.value - lead, now.value + left / 2)};
}

class Identity::Keeper {
 public:
  Keeper(Session& session, std::unique_ptr<Source> source)
      : session_(session), source_(std::move(source)), random_(std::random_device()()) {
    thread_ = std::thread([this] { run(); });
  }
  ~Keeper() {
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Result<SharedCredentials> obtain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return current_ != nullptr || trouble_.has_value(); });
    if (current_) return current_;
    return std::unexpected(*trouble_);
  }
  SharedCredentials current() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }
  std::optional<Error> trouble() const {
    const std::scoped_lock lock(mutex_);
    return trouble_;
  }
  std::string source() const { return source_->name(); }
  void doubt() {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (doubted_ && now - *doubted_ < std::chrono::milliseconds(kDoubtMillis)) return;
    doubted_ = now;
    doubt_ = true;
    changed_.notify_all();
  }

 private:
  void run() {
    int64_t pause = kFirstPauseMillis;
    while (true) {
      Result<Credentials> loaded = source_->load();
      std::unique_lock lock(mutex_);
      Millis next = session_.now();
      if (loaded) {
        next = refresh_time(next, loaded->expires, random_.unit());
        current_ = std::make_shared<const Credentials>(std::move(*loaded));
        trouble_.reset();
        pause = kFirstPauseMillis;
      } else {
        trouble_ = std::move(loaded).error();
        next = next + pause;
        pause = std::min(pause * 2, kLongestPauseMillis);
      }
      changed_.notify_all();
      doubt_ = false;
      while (!stop_ && !doubt_ && session_.now() < next) wait_until(lock, next);
      if (stop_) return;
    }
  }

  // A minute at most: wall time may be set.
  void wait_until(std::unique_lock<std::mutex>& lock, Millis next) {
    const int64_t left = std::min(next.value - session_.now().value, kLongestPauseMillis);
    changed_.wait_for(lock, std::chrono::milliseconds(std::max<int64_t>(left, 1)),
                      [&] { return stop_ || doubt_; });
  }

  Session& session_;
  const std::unique_ptr<Source> source_;
  Random random_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SharedCredentials current_;
  std::optional<Error> trouble_;
  std::optional<std::chrono::steady_clock::time_point> doubted_;
  bool doubt_ = false;
  bool stop_ = false;
  std::thread thread_;
};

Identity::Identity(std::shared_ptr<Session> session, std::unique_ptr<Keeper> keeper)
    : session_(std::move(session)), keeper_(std::move(keeper)) {}
Identity::~Identity() = default;

Result<std::unique_ptr<Identity>> Identity::make(std::shared_ptr<Session> session) {
  PENSTOCK_TRY(source, choose_source(*session));
  auto keeper = std::make_unique<Keeper>(*session, std::move(source));
  return std::unique_ptr<Identity>(new Identity(std::move(session), std::move(keeper)));
}

Result<SharedCredentials> Identity::obtain() { return keeper_->obtain(); }
SharedCredentials Identity::current() const { return keeper_->current(); }
void Identity::doubt() { keeper_->doubt(); }
std::optional<Error> Identity::trouble() const { return keeper_->trouble(); }
std::string Identity::source() const { return keeper_->source(); }

}  // namespace penstock::aws
