#include "log/kafka/transaction_thread.h"

#include "flow/log_contract.h"
#include "log/kafka/retirement.h"

#include <doctest/doctest.h>

#include <future>
#include <memory>

namespace penstock::log::kafka {

TEST_CASE("a job's event is told once, a Waiting to nobody") {
  flow::ContractWaker waker;
  auto vital = std::make_shared<Vital>();
  TransactionThread thread(waker, vital);
  std::promise<void> ran;
  thread.post([&]() -> flow::SinkEvent {
    ran.set_value();
    return flow::Waiting{};
  });
  ran.get_future().wait();
  CHECK(!thread.take());
  thread.post([]() -> flow::SinkEvent { return flow::Aborted{}; });
  std::optional<flow::SinkEvent> event;
  flow::contract_wait(waker, "the event", [&] { return (event = thread.take()).has_value(); });
  CHECK(std::holds_alternative<flow::Aborted>(*event));
  CHECK(!thread.take());
}

TEST_CASE("a call that never returns is seen, and can be left behind") {
  flow::ContractWaker waker;
  auto vital = std::make_shared<Vital>();
  auto release = std::make_shared<std::promise<void>>();
  auto over = std::make_shared<std::promise<void>>();
  auto done = over->get_future();
  {
    TransactionThread thread(waker, vital);
    CHECK(thread.stuck_millis() == 0);
    thread.post([release, over]() -> flow::SinkEvent {
      release->get_future().wait();
      over->set_value();
      return flow::Aborted{};
    });
    flow::contract_wait(waker, "it is stuck", [&] { return thread.stuck_millis() > 20; });
    thread.abandon();
  }
  CHECK(vital->stop);
  release->set_value();
  done.wait();
}

TEST_CASE("what is unanswered, failed or cut off retires a client; what was answered does not") {
  TransactionTraffic traffic;
  const auto answer = [&](int api, bool well) {
    for (uint64_t i = 0; i < TransactionTraffic::kTold; ++i) traffic.on_answered(api, well);
  };
  const auto commit = [&](bool answered, bool well) {
    traffic.begin();
    traffic.on_sent(24);
    answer(24, true);
    traffic.on_sent(0);  // Produce is none of a transaction's
    traffic.on_sent(26);
    if (answered) answer(26, well);
  };
  commit(true, true);
  CHECK(!traffic.must_retire());
  CHECK(traffic.end_was_sent());
  CHECK(!traffic.end_is_ambiguous());
  commit(false, false);
  CHECK(traffic.must_retire());
  CHECK(traffic.end_is_ambiguous());
  commit(true, false);
  CHECK(traffic.must_retire());
  commit(true, true);
  traffic.on_connection_lost();
  CHECK(traffic.must_retire());
  // Sent twice and answered once: the other may still come.
  commit(true, false);
  traffic.on_sent(26);
  answer(26, true);
  CHECK(traffic.end_is_ambiguous());
}

}  // namespace penstock::log::kafka
