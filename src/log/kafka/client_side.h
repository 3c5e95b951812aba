// client_side.h — what librdkafka's callbacks find by the client: its ClientTroubles, its tokens.
//
// A log callback is given nothing but the client, and the client's opaque is the caller's; so there
// is one table from clients to their sides, filled and emptied by interceptors.
//
// Thread      report_to() before the client is made; the callbacks come from librdkafka's threads.
// Lifetime    the conf, then the client, shares the side; a ClientTroubles may end before.
#pragma once

#include "log/kafka/settings.h"

#include <deque>
#include <mutex>

namespace penstock::log::kafka {

struct ClientTroubles::State {
  mutable std::mutex mutex;
  int code = 0;  // of the worst so far; 0 = nothing was said
  int weight = 0;
  std::string said;
  bool protocol_fits = false;  // it is known to
  std::deque<std::string> lines;
};

struct ClientSide {
  std::shared_ptr<ClientTroubles::State> troubles;  // null: lines are dropped
  TokenSource token;                                // empty: no OAUTHBEARER
};

// Sets log_cb, error_cb and, with a token source, the token refresh callback.
void report_to(rd_kafka_conf_s* conf, ClientSide side);
// The rd_kafka_resp_err_t that a log line of librdkafka tells of, 0 for chatter.
int code_of_line(std::string_view line);

}  // namespace penstock::log::kafka
