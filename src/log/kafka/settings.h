// settings.h — how this process speaks to Kafka: brokers, security, librdkafka's properties.
//
// Thread      values; make_conf() from any thread; ClientTroubles from any thread at any time.
// Lifetime    a Conf belongs to whoever made it until rd_kafka_new() or make_client() took it. A
//             ClientTroubles may end before or after the client that reports to it.
// Limits      ClientTroubles keeps the last 64 lines of librdkafka, each of at most 512 bytes.
// Errors      L1xx. Secrets never stand in an error or a log line.
//
//     ClientTroubles troubles;
//     PENSTOCK_TRY(conf, make_conf(settings, Role::transactional_producer, &troubles));
//     PENSTOCK_TRY(client, make_client(std::move(conf), Role::transactional_producer));
//     // … it answered nothing in time:
//     return std::unexpected(troubles.explain("making the producer of stage \"clean\""));
#pragma once

#include "base/error.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_conf_s;

namespace penstock::log::kafka {

// What OAUTHBEARER sends.
struct Token {
  std::string value;
  std::string principal;
  int64_t expires_millis = 0;  // since 1970; a new one is asked for after four fifths of its life
};
// Called by a thread of librdkafka (make_client) or by whoever polls; may read a file.
using TokenSource = std::function<Result<Token>()>;

// What a target's `log:` says, read and checked.
struct Settings {
  std::string brokers;   // "b1:9092,b2:9092"
  std::string pipeline;  // names <pipeline>.schemas and .positions, client.id begins with it
  // librdkafka's own properties: `properties:` of the file over what `auth:` stands for over ours.
  std::map<std::string, std::string> properties = {};
  TokenSource token = {};               // auth: oauthbearer
  bool at_least_once = false;           // delivery: at_least_once
  int64_t unreachable_millis = 12'000;  // at start: how long an unreachable cluster is waited for
  int64_t session_millis = 6'000;       // a worker that says nothing for so long is replaced
  int64_t transaction_millis = 10'000;  // an epoch that nobody ends is aborted by the broker
  // The cluster was reached with these: a broker that hangs up now is going away, and does not
  // speak another protocol.
  bool reached = false;
};

enum class Role : uint8_t {
  consumer,  // of a group: cooperative-sticky, read_committed; group.id by the caller
  reader,    // without a group (consume_start): read(), changelogs; tells a partition's end
  transactional_producer,  // one per worker; transactional.id is set by the caller
  idempotent_producer,     // schemas, dead letters of store stages, appenders
  admin,
};

struct ConfDestroy {
  void operator()(rd_kafka_conf_s* conf) const;
};
using Conf = std::unique_ptr<rd_kafka_conf_s, ConfDestroy>;

// Waits for librdkafka's threads; a consumer is closed by its owner before.
struct ClientDestroy {
  void operator()(rd_kafka_s* client) const;
};
using Client = std::unique_ptr<rd_kafka_s, ClientDestroy>;

// What librdkafka says beside its return values. A wrong password, an unknown host or a broken TLS
// handshake reach the caller of librdkafka as a time-out only; the reason stands here.
class ClientTroubles {
 public:
  ClientTroubles();
  // The worst trouble since the beginning or clear(), as an error about `what`; L101 when nothing
  // was said.
  Error explain(std::string_view what) const;
  // The login, the TLS handshake or a right was refused: waiting will hardly help.
  bool refused() const;
  // Was anything said at all?
  bool any() const;
  // The client works: what was said before is history.
  void clear();
  // An error event (rd_kafka_event_error and _error_string); code is an rd_kafka_resp_err_t.
  void note(int code, std::string_view said);
  // librdkafka's last lines, oldest first, for a report.
  std::vector<std::string> lines() const;

  // Of settings that have worked: who hangs up at once is going away.
  void know_protocol(bool fits);

  struct State;

 private:
  friend Result<Conf> make_conf(const Settings&, Role, ClientTroubles*);
  std::shared_ptr<State> state_;
};

// Everything that a client of this role needs, also callbacks that keep librdkafka's log lines off
// stderr and take them to `troubles`. The conf's opaque stays free for the caller. Unknown
// properties and bad values are L107 with librdkafka's own words.
Result<Conf> make_conf(const Settings& settings, Role role, ClientTroubles* troubles = nullptr);
// rd_kafka_new(), and token refresh by a thread of librdkafka's.
Result<Client> make_client(Conf conf, Role role);

// May the file set this property? Unknown: L107 with a did-you-mean; ours: L108; a bad value: L107.
Result<void> check_property(const std::string& name, const std::string& value);

// What librdkafka said about `what` ("claiming meters.processing"): outages (waited out),
// rights and settings (L1xx with a cure), everything else. `code` is an rd_kafka_resp_err_t.
Error kafka_error(int code, std::string_view what, std::string_view detail = {});
// Worth trying again by itself: connection, leader or coordinator on the move, time-outs.
bool is_outage(int code);
// Wrong password, CA, rights: trying again soon is pointless.
bool is_refused(int code);

}  // namespace penstock::log::kafka
