#include "log/kafka/settings.h"

#include "base/suggest.h"
#include "log/kafka/client_side.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

namespace penstock::log::kafka {
namespace {

struct Property {
  const char* name;
  const char* value;
};

constexpr std::array kEveryClient = {
    Property{"socket.nagle.disable", "true"},
    Property{"socket.keepalive.enable", "true"},
    Property{"socket.connection.setup.timeout.ms", "5000"},
    Property{"reconnect.backoff.max.ms", "1000"},
    // With "rebootstrap" a client that reaches no broker begins anew at once, again and again,
    // without a pause: a whole core each, for as long as the outage lasts.
    Property{"metadata.recovery.strategy", "none"},
    Property{"log.thread.name", "false"},
};
constexpr std::array kConsumers = {
    Property{"enable.auto.commit", "false"},
    Property{"enable.auto.offset.store", "false"},
    Property{"isolation.level", "read_committed"},
    Property{"auto.offset.reset", "error"},  // librdkafka's own default is the end: silent loss
    Property{"allow.auto.create.topics", "false"},
    Property{"check.crcs", "true"},
    Property{"fetch.wait.max.ms", "20"},
    Property{"fetch.error.backoff.ms", "50"},
    Property{"fetch.queue.backoff.ms", "10"},
};
// KIP-848 groups (group.protocol=consumer) refuse these: the broker decides.
constexpr std::array kClassicGroup = {
    Property{"partition.assignment.strategy", "cooperative-sticky"},
    Property{"heartbeat.interval.ms", "1000"},
};
constexpr std::array kReader = {Property{"enable.partition.eof", "true"}};
constexpr std::array kProducers = {
    Property{"enable.idempotence", "true"},
    Property{"acks", "all"},
    Property{"queue.buffering.max.messages", "2000000"},
    Property{"delivery.report.only.error", "true"},
};
constexpr std::array kTransactional = {
    Property{"linger.ms", "0"},
    Property{"retry.backoff.ms", "10"},
};
constexpr std::array kIdempotent = {Property{"linger.ms", "2"}};
// A request to a controller that is away would connect again without any pause otherwise, and take
// a core or two for as long as it waits. So this client, one per process, is the only one that
// sends such requests, and holds a connection to every broker.
constexpr std::array kAdmin = {Property{"enable.sparse.connections", "false"}};

// What exactly once, or the engine, stands on.
constexpr std::array<std::string_view, 20> kOurs = {"bootstrap.servers",
                                                    "metadata.broker.list",
                                                    "group.id",
                                                    "group.instance.id",
                                                    "transactional.id",
                                                    "enable.auto.commit",
                                                    "auto.commit.enable",
                                                    "enable.auto.offset.store",
                                                    "isolation.level",
                                                    "auto.offset.reset",
                                                    "enable.idempotence",
                                                    "acks",
                                                    "request.required.acks",
                                                    "partition.assignment.strategy",
                                                    "enable.partition.eof",
                                                    "delivery.report.only.error",
                                                    "log.queue",
                                                    "plugin.library.paths",
                                                    "message.timeout.ms",
                                                    "delivery.timeout.ms"};

bool is_secret(std::string_view name) {
  return std::ranges::any_of(
      std::array<std::string_view, 5>{"password", "secret", "token", "ssl.key.pem",
                                      "sasl.oauthbearer.config"},
      [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

// "  name | C/P | …" is a line of librdkafka's table of properties.
std::vector<std::string> every_property() {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* const file = open_memstream(&text, &size);
  if (file == nullptr) return {};
  rd_kafka_conf_properties_show(file);
  std::fclose(file);
  std::vector<std::string> names;
  std::string_view rest(text, size);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t end = line.find_first_of(" |");
    if (line.find('|') == std::string_view::npos || end == 0 || end == std::string_view::npos)
      continue;
    names.emplace_back(line.substr(0, end));
  }
  std::free(text);
  return names;
}

std::string near_property(const std::string& name) {
  const std::vector<std::string> all = every_property();
  const std::vector<std::string_view> views(all.begin(), all.end());
  return did_you_mean(name, views);
}

Result<void> set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> said{};
  const rd_kafka_conf_res_t outcome =
      rd_kafka_conf_set(conf, name.c_str(), value.c_str(), said.data(), said.size());
  if (outcome == RD_KAFKA_CONF_OK) return {};
  if (outcome == RD_KAFKA_CONF_UNKNOWN) {
    return fail("L107"_code, fmt::format("librdkafka has no property \"{}\"", name))
        .hint(near_property(name));
  }
  if (is_secret(name)) {
    return fail("L107"_code, fmt::format("the value of \"{}\" is refused (and not shown)", name));
  }
  return fail("L107"_code, fmt::format("property \"{}\": {}", name, said.data()));
}

Result<void> set_all(rd_kafka_conf_t* conf, std::span<const Property> properties) {
  for (const Property& property : properties) {
    PENSTOCK_TRY_VOID(set(conf, property.name, property.value));
  }
  return {};
}

bool is_broker_group(const Settings& settings) {
  const auto found = settings.properties.find("group.protocol");
  return found != settings.properties.end() && found->second == "consumer";
}

Result<void> set_consumer(rd_kafka_conf_t* conf, const Settings& settings) {
  PENSTOCK_TRY_VOID(set_all(conf, kConsumers));
  if (is_broker_group(settings)) return {};
  PENSTOCK_TRY_VOID(set_all(conf, kClassicGroup));
  return set(conf, "session.timeout.ms", fmt::to_string(settings.session_millis));
}

Result<void> set_role(rd_kafka_conf_t* conf, const Settings& settings, Role role) {
  switch (role) {
    case Role::consumer:
      return set_consumer(conf, settings);
    case Role::reader:
      PENSTOCK_TRY_VOID(set_all(conf, kConsumers));
      return set_all(conf, kReader);
    case Role::transactional_producer:
      PENSTOCK_TRY_VOID(set_all(conf, kProducers));
      PENSTOCK_TRY_VOID(set_all(conf, kTransactional));
      return set(conf, "transaction.timeout.ms", fmt::to_string(settings.transaction_millis));
    case Role::idempotent_producer:
      PENSTOCK_TRY_VOID(set_all(conf, kProducers));
      return set_all(conf, kIdempotent);
    case Role::admin:
      return set_all(conf, kAdmin);
  }
  return {};
}

std::string_view name_of(Role role) {
  static constexpr std::array<std::string_view, 5> kNames = {"consumer", "reader", "sink",
                                                             "producer", "admin"};
  return kNames[static_cast<size_t>(role)];
}

// Properties of the other kind of client are no error: `properties:` is one list for all clients,
// and librdkafka warns about them into the log callback only.
Result<void> set_given(rd_kafka_conf_t* conf, const Settings& settings) {
  for (const auto& [name, value] : settings.properties) {
    PENSTOCK_TRY_VOID(set(conf, name, value));
  }
  return {};
}

}  // namespace

void ConfDestroy::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }

void ClientDestroy::operator()(rd_kafka_s* client) const { rd_kafka_destroy(client); }

Result<void> check_property(const std::string& name, const std::string& value) {
  const std::string_view bare =
      name.starts_with("topic.") ? name.substr(6) : std::string_view(name);
  if (std::ranges::find(kOurs, bare) != kOurs.end() || name.ends_with("_cb") || name == "opaque") {
    return fail("L108"_code, fmt::format("\"{}\" is not for the file to set", name));
  }
  const Conf scratch(rd_kafka_conf_new());
  return set(scratch.get(), name, value);
}

Result<Conf> make_conf(const Settings& settings, Role role, ClientTroubles* troubles) {
  Conf conf(rd_kafka_conf_new());
  if (troubles != nullptr) troubles->know_protocol(settings.reached);
  report_to(conf.get(), {troubles == nullptr ? nullptr : troubles->state_, settings.token});
  PENSTOCK_TRY_VOID(set(conf.get(), "bootstrap.servers", settings.brokers));
  PENSTOCK_TRY_VOID(
      set(conf.get(), "client.id", fmt::format("{}.{}", settings.pipeline, name_of(role))));
  PENSTOCK_TRY_VOID(set_all(conf.get(), kEveryClient));
  PENSTOCK_TRY_VOID(set_role(conf.get(), settings, role));
  PENSTOCK_TRY_VOID(set_given(conf.get(), settings));
  return conf;
}

Result<Client> make_client(Conf conf, Role role) {
  const bool consumes = role == Role::consumer || role == Role::reader;
  // Tokens are renewed by librdkafka's background thread, so also while nobody polls.
  rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
  std::array<char, 512> said{};
  Client client(rd_kafka_new(consumes ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf.get(),
                             said.data(), said.size()));
  if (!client) return fail("L107"_code, fmt::format("librdkafka makes no client: {}", said.data()));
  (void)conf.release();  // the client's now
  if (rd_kafka_error_t* const none = rd_kafka_sasl_background_callbacks_enable(client.get())) {
    rd_kafka_error_destroy(none);  // no login that calls back
  }
  return client;
}

}  // namespace penstock::log::kafka
