// Logins, rights and outages against a real Kafka: each trouble is told by its own code, with a
// cure, and within 15 seconds; and each way to log in works.
#include "log/kafka/admin.h"
#include "log/kafka/part.h"
#include "log/kafka/test_broker.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdlib>

namespace penstock::log::kafka {
namespace {

using Steady = std::chrono::steady_clock;

// A line that `tools/kafka up --sasl --acl` printed.
std::string fact(const std::string& name) {
  const char* value = std::getenv(("PENSTOCK_TEST_KAFKA_" + name).c_str());  // NOLINT
  if (value == nullptr) {
    FAIL("PENSTOCK_TEST_KAFKA_", name,
         " is not set; cure: run this test by tools/with_kafka --sasl --acl -- COMMAND");
  }
  return value;
}

Result<Settings> settings_for(const std::string& brokers, const std::string& rest) {
  auto document = yaml::parse(fmt::format("log: {{kafka: '{}', {}}}\n", brokers, rest), "p.yaml");
  REQUIRE(document);
  const flow::Config config(&*document, document->root().find("log"));
  return settings_of(config, fresh_name());
}

std::string scram(const std::string& user, const std::string& password = "secret") {
  return fmt::format("auth: scram, user: {}, password: {}, ca: '{}'", user, password, fact("CA"));
}

// What opening the log says: "" or "L104".
struct Opened {
  std::string code;
  std::string told;
  std::string cure;
  double seconds = 0;
};

// Where nothing is refused, the whole of `patience_millis` is waited.
Opened open(const std::string& brokers, const std::string& rest, int64_t patience_millis = 3000) {
  auto settings = settings_for(brokers, rest);
  if (!settings) MESSAGE(render(settings.error()));
  REQUIRE(settings);
  settings->unreachable_millis = patience_millis;
  const auto begin = Steady::now();
  const auto admin = Admin::open(*settings);
  Opened opened;
  opened.seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  if (admin) return opened;
  const CatalogueEntry& entry = catalogue_entry(admin.error().code);
  opened.code = entry.name;
  opened.told = render(admin.error());
  opened.cure = admin.error().cure.empty() ? std::string(entry.cure) : admin.error().cure;
  MESSAGE(opened.told);
  CHECK(exit_code(admin.error()) == 69);
  return opened;
}

// A token that nobody signed: the broker of this test takes such.
std::string unsigned_token(int64_t expires_seconds) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const auto encode = [](std::string_view text) {
    std::string encoded;
    uint32_t bits = 0;
    int count = 0;
    for (const char byte : text) {
      bits = bits << 8 | static_cast<uint8_t>(byte);
      for (count += 8; count >= 6; count -= 6) encoded += kLetters[bits >> (count - 6) & 63];
    }
    if (count > 0) encoded += kLetters[bits << (6 - count) & 63];
    return encoded;
  };
  return encode(R"({"alg":"none"})") + "." +
         encode(fmt::format(R"({{"sub":"app","iat":{},"exp":{}}})", expires_seconds - 7200,
                            expires_seconds)) +
         ".";
}

int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TEST_CASE("every way to log in works") {
  const std::string ca = fact("CA");
  CHECK(open(test_brokers(), "auth: none").code.empty());
  CHECK(open(fact("TLS"), fmt::format("auth: tls, ca: '{}'", ca)).code.empty());
  CHECK(open(fact("MTLS"), fmt::format("auth: mtls, ca: '{}', certificate: '{}', key: '{}'", ca,
                                       fact("CERTIFICATE"), fact("KEY")))
            .code.empty());
  CHECK(open(fact("SASL"), scram("app")).code.empty());
  CHECK(open(fact("SASL"), scram("app") + ", properties: {sasl.mechanism: SCRAM-SHA-256}")
            .code.empty());
  CHECK(open(fact("SASL"), fmt::format("auth: plain, user: app, password: secret, ca: '{}'", ca))
            .code.empty());
  CHECK(open(fact("SASL"), fmt::format("auth: oauthbearer, token: {}, ca: '{}'",
                                       unsigned_token(now_seconds() + 3600), ca))
            .code.empty());
}

TEST_CASE("a refused login says so at once, and never the password") {
  const std::string ca = fact("CA");
  for (const std::string& rest :
       {scram("app", "wrong-word"), scram("stranger", "wrong-word"),
        fmt::format("auth: plain, user: app, password: wrong-word, ca: '{}'", ca),
        scram("app", "wrong-word") + ", properties: {sasl.mechanism: SCRAM-SHA-256}"}) {
    CAPTURE(rest);
    const Opened opened = open(fact("SASL"), rest);
    CHECK(opened.code == "L104");
    CHECK(opened.seconds < 5);
    CHECK(opened.told.find("wrong-word") == std::string::npos);
    CHECK(opened.cure.find("password") != std::string::npos);
  }
  const Opened late = open(fact("SASL"), fmt::format("auth: oauthbearer, token: {}, ca: '{}'",
                                                     unsigned_token(now_seconds() - 60), ca));
  CHECK(late.code == "L104");
  CHECK(late.seconds < 15);
}

TEST_CASE("a TLS handshake that fails says so") {
  const Opened other = open(fact("TLS"), fmt::format("auth: tls, ca: '{}'", fact("OTHER_CA")));
  CHECK(other.code == "L103");
  CHECK(other.seconds < 5);
  CHECK(other.cure.find("ca:") != std::string::npos);
  const Opened system = open(fact("TLS"), "auth: tls");  // the system's list does not know it
  CHECK(system.code == "L103");
  const Opened bare = open(fact("MTLS"), fmt::format("auth: tls, ca: '{}'", fact("CA")));
  CHECK(bare.code == "L103");  // a certificate of ours is wanted
  CHECK(bare.seconds < 15);
}

TEST_CASE("speaking plainly to a secured listener, and the other way round") {
  const Opened plain = open(fact("TLS"), "auth: none");
  CHECK(plain.code == "L116");
  CHECK(plain.seconds < 15);
  const Opened secured = open(test_brokers(), fmt::format("auth: tls, ca: '{}'", fact("CA")));
  CHECK(secured.code == "L116");
  CHECK(secured.seconds < 15);
}

TEST_CASE("hosts that do not answer") {
  const Opened unknown = open("no-such-host.invalid:9092", "auth: none");
  CHECK(unknown.code == "L102");
  CHECK(unknown.seconds < 15);
  CHECK(unknown.told.find("no-such-host.invalid") != std::string::npos);
  const Opened closed = open("127.0.0.1:1", "auth: none", Settings{}.unreachable_millis);
  CHECK(closed.code == "L101");
  CHECK(closed.seconds < 15);
  CHECK(closed.told.find("127.0.0.1:1") != std::string::npos);
}

// ---- rights: the user `nobody` may nothing

Client client_of_nobody(Role role, const std::string& name, const char* identity) {
  auto settings = settings_for(fact("SASL"), scram("nobody"));
  REQUIRE(settings);
  auto conf = make_conf(*settings, role);
  REQUIRE(conf);
  REQUIRE(rd_kafka_conf_set(conf->get(), identity, name.c_str(), nullptr, 0) == RD_KAFKA_CONF_OK);
  auto client = make_client(std::move(*conf), role);
  REQUIRE(client);
  return std::move(*client);
}

void check_missing_right(const Error& error, std::string_view option) {
  MESSAGE(render(error));
  CHECK(catalogue_entry(error.code).name == "L105");
  CHECK(exit_code(error) == 69);
  CHECK(error.cure.find(option) != std::string::npos);
}

TEST_CASE("a missing right on a topic") {
  auto settings = settings_for(fact("SASL"), scram("nobody"));
  REQUIRE(settings);
  auto admin = Admin::open(*settings);
  REQUIRE(admin);
  const auto made = (*admin)->create({{.name = fresh_name()}});
  REQUIRE(!made);
  check_missing_right(made.error(), "--topic");
}

TEST_CASE("a missing right on a transactional id") {
  const Client producer = client_of_nobody(Role::transactional_producer, "t-1", "transactional.id");
  const ErrorHandle error(rd_kafka_init_transactions(producer.get(), 10'000));
  REQUIRE(error);
  CHECK(is_refused(rd_kafka_error_code(error.get())));
  check_missing_right(kafka_error(rd_kafka_error_code(error.get()), "making a producer",
                                  rd_kafka_error_string(error.get())),
                      "--transactional-id");
}

TEST_CASE("a missing right on a group") {
  const Client consumer = client_of_nobody(Role::consumer, "g", "group.id");
  rd_kafka_poll_set_consumer(consumer.get());
  const List topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), "anything", RD_KAFKA_PARTITION_UA);
  REQUIRE(rd_kafka_subscribe(consumer.get(), topics.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
  ClientTroubles troubles;
  const auto until = Steady::now() + std::chrono::seconds(15);
  while (!troubles.refused() && Steady::now() < until) {
    const Message message(rd_kafka_consumer_poll(consumer.get(), 100));
    if (message) troubles.note(message->err, rd_kafka_message_errstr(message.get()));
  }
  CHECK(troubles.refused());
  rd_kafka_consumer_close(consumer.get());
  check_missing_right(troubles.explain("reading as g"), "--group");
}

TEST_CASE("more copies than brokers") {
  auto admin = Admin::open(test_settings(fresh_name()));
  REQUIRE(admin);
  const auto made = (*admin)->create({{.name = fresh_name(), .replicas = 3}});
  REQUIRE(!made);
  MESSAGE(render(made.error()));
  CHECK(catalogue_entry(made.error().code).name == "L106");
  CHECK(exit_code(made.error()) == 69);
}

}  // namespace
}  // namespace penstock::log::kafka
