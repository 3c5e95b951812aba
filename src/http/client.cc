#include "http/client.h"

#include "http/loop.h"

#include <future>
#include <mutex>
#include <utility>

namespace penstock::http {

Client::Client(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(ClientOptions options) {
  PENSTOCK_TRY(tls, TlsContext::make(options.authorities, options.certificate, options.key));
  return std::unique_ptr<Client>(
      new Client(std::make_unique<Loop>(std::move(options), std::move(tls))));
}

void Client::begin(Request request, Done done) {
  loop_->begin(std::move(request), std::move(done));
}

Outcome Client::perform(Request request) {
  std::promise<Outcome> promise;
  std::future<Outcome> outcome = promise.get_future();
  begin(std::move(request), [&](Outcome got) { promise.set_value(std::move(got)); });
  return outcome.get();
}

struct Call::Slot {
  std::mutex mutex;
  std::optional<Outcome> outcome;
};

Call::Call(Client& client, Request request, std::function<void()> wake)
    : slot_(std::make_shared<Slot>()) {
  client.begin(std::move(request), [slot = slot_, wake = std::move(wake)](Outcome outcome) {
    {
      const std::scoped_lock lock(slot->mutex);
      slot->outcome = std::move(outcome);
    }
    wake();
  });
}

Call::~Call() = default;
Call::Call(Call&&) noexcept = default;
Call& Call::operator=(Call&&) noexcept = default;

std::optional<Outcome> Call::take() {
  const std::scoped_lock lock(slot_->mutex);
  return std::exchange(slot_->outcome, std::nullopt);
}

}  // namespace penstock::http
