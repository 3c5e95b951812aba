#include "log/kafka/transactional_client.h"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace penstock::log::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMetadataMillis = 5'000;
constexpr int kAbortSteps = 2;  // then another client is quicker
constexpr milliseconds kAgain{50};

bool fences(int code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

Error error_of(const rd_kafka_error_t& error, std::string_view what) {
  return kafka_error(rd_kafka_error_code(&error), what, rd_kafka_error_string(&error));
}

}  // namespace

TransactionalClient::TransactionalClient(SinkWorld& world, std::vector<std::string> topics,
                                         Vital& vital)
    : world_(world), topics_(std::move(topics)), vital_(vital), partitions_(topics_.size(), 0) {}

Result<void> TransactionalClient::make() {
  PENSTOCK_TRY(conf, make_conf(world_.settings(), Role::transactional_producer, &troubles_));
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(conf.get(), "transactional.id", id_.c_str(), text.data(), text.size()) !=
      RD_KAFKA_CONF_OK) {
    return fail("L107"_code, std::string("transactional.id: ") + text.data());
  }
  traffic_.watch(conf.get());
  count_deliveries(conf.get());
  if (world_.configure_for_test) world_.configure_for_test(conf.get());
  deliveries_ = {};
  traffic_.begin();
  PENSTOCK_TRY(client, make_client(std::move(conf), Role::transactional_producer));
  client_ = std::move(client);
  for (const std::string& topic : topics_) {
    handles_.emplace_back(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  }
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
  meet_broker();
  while (true) {
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
  return {};
}

Result<void> TransactionalClient::ready(const Patience& patience) {
  if (initialised_) return {};
  if (client_ == nullptr) PENSTOCK_TRY_VOID(make());
  PENSTOCK_TRY_VOID(init(patience));
  retire_ = false;
  if (auto looked = look_at_topics(); !looked) {
    drop();
    return looked;
  }
  return {};
}

// Of the topics that this client has handles of: before anything is written to a partition, or the
// transaction is poisoned.
Result<void> TransactionalClient::look_at_topics() {
  vital_.beat();
  const struct rd_kafka_metadata* got = nullptr;
  const auto error = rd_kafka_metadata(client_.get(), 0, nullptr, &got, kMetadataMillis);
  vital_.beat();
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(kafka_error(error, "looking at the topics to write to"));
  }
  const MetadataHandle metadata(got);
  for (size_t i = 0; i < topics_.size(); ++i) {
    int32_t count = 0;
    for (int t = 0; t < metadata->topic_cnt; ++t) {
      const rd_kafka_metadata_topic& topic = metadata->topics[t];
      if (topics_[i] == topic.topic && topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = topic.partition_cnt;
      }
    }
    if (count == 0) return fail("L004"_code, "no topic " + topics_[i]);
    partitions_[i] = count;
  }
  return {};
}

Trouble TransactionalClient::refused(Error error) const {
  std::array<char, 256> text{};
  const auto fatal = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
  if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR) return {flow::CommitEnd::abort, std::move(error)};
  Error cause = kafka_error(fatal, "writing as " + id_, text.data());
  return {fences(fatal) ? flow::CommitEnd::fenced : flow::CommitEnd::unknown, std::move(cause)};
}

// Of a call before commit: nothing was committed, whatever it says.
Trouble TransactionalClient::trouble(const rd_kafka_error_t& error, std::string_view what) const {
  Trouble trouble{flow::CommitEnd::abort, error_of(error, what)};
  if (rd_kafka_error_is_fatal(&error) == 0) return trouble;
  const bool fenced = fences(rd_kafka_error_code(&error)) ||
                      fences(rd_kafka_fatal_error(client_.get(), nullptr, 0));
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

MaybeTrouble TransactionalClient::offer(const flow::EncodedBatch& batch) {
  vital_.beat();
  auto offered =
      outbox_.offer(client_.get(), handles_[batch.output].get(), batch, deliveries_, vital_);
  if (!offered) return refused(std::move(offered).error());
  return std::nullopt;
}

MaybeTrouble TransactionalClient::put(size_t topic, int32_t partition, ByteView key,
                                      std::optional<ByteView> value) {
  while (true) {
    const int result =
        rd_kafka_produce(handles_[topic].get(), partition, RD_KAFKA_MSG_F_COPY,
                         value ? const_cast<char*>(value->data()) : nullptr,
                         value ? value->size() : 0, key.data(), key.size(), &deliveries_);
    if (result == 0) return std::nullopt;
    const auto error = rd_kafka_last_error();
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || vital_.stop) {
      return refused(kafka_error(error, "writing " + topics_[topic]));
    }
    vital_.beat();
    rd_kafka_poll(client_.get(), 10);
  }
}

MaybeTrouble TransactionalClient::send_offsets(const rd_kafka_topic_partition_list_t& offsets,
                                               const rd_kafka_consumer_group_metadata_t& member) {
  const auto deadline = steady_clock::now() + milliseconds(world_.settings().transaction_millis);
  while (true) {
    vital_.beat();
    const ErrorHandle error(
        rd_kafka_send_offsets_to_transaction(client_.get(), &offsets, &member, kStepMillis));
    if (error == nullptr) return std::nullopt;
    Trouble refusal = trouble(*error, "sending the positions as " + id_);
    const bool again = rd_kafka_error_is_retriable(error.get()) != 0 &&
                       rd_kafka_error_txn_requires_abort(error.get()) == 0;
    if (!again || vital_.stop || steady_clock::now() >= deadline) return refusal;
    std::this_thread::sleep_for(kAgain);
  }
}

// What EndTxn requests were sent and answered decides whether "not committed" is known.
MaybeTrouble TransactionalClient::commit() {
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
    if (again && !vital_.stop) continue;
    Trouble end = trouble(*error, "committing as " + id_);
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
  while (!vital_.stop) {
    if (ready({steady_clock::now() + std::chrono::seconds(2), &vital_.stop})) return true;
    std::this_thread::sleep_for(kAgain);
  }
  return false;
}

void TransactionalClient::drop() {
  handles_.clear();
  vital_.beat();
  client_.reset();
  initialised_ = false;
  open_ = false;
  retire_ = false;
}

}  // namespace penstock::log::kafka
