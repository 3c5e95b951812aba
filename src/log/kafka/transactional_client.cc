#include "log/kafka/transactional_client.h"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace penstock::log::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kAbortSteps = 2;  // then another client is quicker
constexpr milliseconds kAgain{50};

Error error_of(const rd_kafka_error_t& error, std::string_view what) {
  return kafka_error(rd_kafka_error_code(&error), what, rd_kafka_error_string(&error));
}

}  // namespace

Result<void> TransactionalClient::configure(rd_kafka_conf_t* conf) {
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(conf, "transactional.id", id_.c_str(), text.data(), text.size()) !=
      RD_KAFKA_CONF_OK) {
    return fail("L107"_code, std::string("transactional.id: ") + text.data());
  }
  traffic_.watch(conf);
  traffic_.begin();
  return {};
}

// Waits for a connection, for a moment: init_transactions asks for its coordinator at once, and
// where nothing is connected yet, again only half a second later.
void TransactionalClient::meet_broker() {
  vital_.beat();
  const struct rd_kafka_metadata* got = nullptr;
  rd_kafka_metadata(client_.get(), 0, nullptr, &got, kStepMillis);
  const MetadataHandle unused(got);
}

Result<void> TransactionalClient::init(const Patience& patience) {
  if (!initialised_) meet_broker();
  while (!initialised_) {
    vital_.beat();
    const ErrorHandle error(rd_kafka_init_transactions(client_.get(), kStepMillis));
    if (error == nullptr) break;
    const bool retriable = rd_kafka_error_is_retriable(error.get()) != 0;
    if (retriable && !patience.over()) continue;
    const std::string what = "beginning transactions as " + id_;
    Error cause = troubles_.any() ? troubles_.explain(what) : error_of(*error, what);
    if (!retriable) drop();
    return std::unexpected(std::move(cause));
  }
  traffic_.begin();
  initialised_ = true;
  retire_ = false;
  return {};
}

// Of a call before commit: nothing was committed, whatever it says.
Trouble TransactionalClient::trouble(const rd_kafka_error_t& error, std::string_view what) const {
  Trouble trouble{flow::CommitEnd::abort, error_of(error, what)};
  if (rd_kafka_error_is_fatal(&error) == 0) return trouble;
  const bool fenced = is_fenced(rd_kafka_error_code(&error)) ||
                      is_fenced(rd_kafka_fatal_error(client_.get(), nullptr, 0));
  trouble.end = fenced ? flow::CommitEnd::fenced : flow::CommitEnd::unknown;
  return trouble;
}

MaybeTrouble TransactionalClient::begin(const Patience& patience) {
  if (retire_ && !world_.never_retire) {
    ++world_.retired;
    drop();
  }
  if (auto prepared = ready(patience); !prepared) {
    return Trouble{flow::CommitEnd::retry, std::move(prepared).error()};
  }
  traffic_.begin();
  const ErrorHandle error(rd_kafka_begin_transaction(client_.get()));
  if (error != nullptr) return trouble(*error, "beginning a transaction as " + id_);
  open_ = true;
  return std::nullopt;
}

MaybeTrouble TransactionalClient::send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                                               const KafkaMembership& member) {
  const auto began = steady_clock::now();
  const auto deadline = began + milliseconds(world_.settings().transaction_millis);
  while (true) {
    vital_.beat();
    const ErrorHandle error(rd_kafka_send_offsets_to_transaction(
        client_.get(), &offsets, member.metadata.get(), kStepMillis));
    if (error == nullptr) return std::nullopt;
    Trouble refusal = trouble(*error, "sending the positions as " + id_);
    const bool again = rd_kafka_error_is_retriable(error.get()) != 0 &&
                       rd_kafka_error_txn_requires_abort(error.get()) == 0;
    if (!again || vital_.stop || steady_clock::now() >= deadline) return refusal;
    tell_wait(began, std::move(refusal.error));
    std::this_thread::sleep_for(kAgain);
  }
}

// What EndTxn requests were sent and answered decides whether "not committed" is known.
MaybeTrouble TransactionalClient::commit() {
  const auto began = steady_clock::now();
  while (true) {
    vital_.beat();
    const ErrorHandle error(rd_kafka_commit_transaction(client_.get(), kStepMillis));
    if (error == nullptr) {
      open_ = false;
      retire_ = traffic_.must_retire();
      return std::nullopt;
    }
    const bool again = rd_kafka_error_is_retriable(error.get()) != 0 &&
                       rd_kafka_error_txn_requires_abort(error.get()) == 0;
    Trouble end = trouble(*error, "committing as " + id_);
    if (again && !vital_.stop) {
      tell_wait(began, std::move(end.error));
      continue;
    }
    const bool told =
        rd_kafka_error_txn_requires_abort(error.get()) != 0 || end.end == flow::CommitEnd::fenced;
    if (traffic_.end_was_sent() && (!told || traffic_.end_is_ambiguous())) {
      end.end = flow::CommitEnd::unknown;
    } else if (!told) {
      end.end = flow::CommitEnd::unknown;
    }
    if (deliveries_.failed != 0 && end.end == flow::CommitEnd::abort) {
      end.error = kafka_error(deliveries_.error, "writing as " + id_);
    }
    return end;
  }
}

void TransactionalClient::try_abort() {
  bool again = true;
  if (open_) step_to_abort(again);
}

bool TransactionalClient::step_to_abort(bool& again) {
  vital_.beat();
  const ErrorHandle error(rd_kafka_abort_transaction(client_.get(), kStepMillis));
  if (error != nullptr) {
    again = rd_kafka_error_is_retriable(error.get()) != 0;
    return false;
  }
  open_ = false;
  retire_ = traffic_.must_retire();
  deliveries_ = {};
  return true;
}

bool TransactionalClient::abort() {
  bool again = true;
  for (int step = 0; open_ && again && step < kAbortSteps && !vital_.stop; ++step) {
    if (step_to_abort(again)) return true;
  }
  // Fenced, broken, or the broker is away: the client goes, and the next one of this id ends what
  // is open before it can begin.
  if (open_ || (client_ && rd_kafka_fatal_error(client_.get(), nullptr, 0) != 0)) drop();
  return ready_at_last();
}

}  // namespace penstock::log::kafka
