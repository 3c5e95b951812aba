#include "log/kafka/retirement.h"

#include "base/check.h"

#include <librdkafka/rdkafka.h>

#include <string_view>

namespace penstock::log::kafka {
namespace {

// ApiKeys of Kafka's protocol.
constexpr int kInitProducerId = 22;
constexpr int kAddPartitionsToTxn = 24;
constexpr int kAddOffsetsToTxn = 25;
constexpr int kEndTxn = 26;
constexpr int kTxnOffsetCommit = 28;
constexpr const char* kName = "penstock.retirement";

bool of_transactions(int api) {
  return api == kAddPartitionsToTxn || api == kAddOffsetsToTxn || api == kEndTxn ||
         api == kTxnOffsetCommit || api == kInitProducerId;
}

rd_kafka_resp_err_t request_sent(rd_kafka_t*, int, const char*, int32_t, int16_t api, int16_t,
                                 int32_t, size_t, void* traffic) {
  static_cast<TransactionTraffic*>(traffic)->on_sent(api);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t response_received(rd_kafka_t*, int, const char*, int32_t, int16_t api, int16_t,
                                      int32_t, size_t, int64_t, rd_kafka_resp_err_t error,
                                      void* traffic) {
  static_cast<TransactionTraffic*>(traffic)->on_answered(api, error == RD_KAFKA_RESP_ERR_NO_ERROR);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t broker_state(rd_kafka_t*, int32_t, const char*, const char*, int,
                                 const char* state, void* traffic) {
  if (std::string_view(state) == "DOWN") {
    static_cast<TransactionTraffic*>(traffic)->on_connection_lost();
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t*, void* traffic, char*,
                           size_t) {
  rd_kafka_interceptor_add_on_request_sent(client, kName, request_sent, traffic);
  rd_kafka_interceptor_add_on_response_received(client, kName, response_received, traffic);
  rd_kafka_interceptor_add_on_broker_state_change(client, kName, broker_state, traffic);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

void TransactionTraffic::watch(rd_kafka_conf_s* conf) {
  const auto error = rd_kafka_conf_interceptor_add_on_new(conf, kName, on_new, this);
  PENSTOCK_CHECK(error == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void TransactionTraffic::begin() {
  sent_ = told_ = failed_ = broken_ = 0;
  ends_sent_ = ends_told_ = 0;
}

bool TransactionTraffic::must_retire() const {
  return failed_ != 0 || broken_ != 0 || told_ != kTold * sent_;
}

bool TransactionTraffic::end_is_ambiguous() const {
  return ends_sent_ > 1 || ends_told_ != kTold * ends_sent_;
}

void TransactionTraffic::on_sent(int api) {
  if (!of_transactions(api)) return;
  ++sent_;
  if (api == kEndTxn) ++ends_sent_;
}

void TransactionTraffic::on_answered(int api, bool well) {
  if (!of_transactions(api)) return;
  ++told_;
  if (!well) ++failed_;
  if (api == kEndTxn && well) ++ends_told_;
}

}  // namespace penstock::log::kafka
