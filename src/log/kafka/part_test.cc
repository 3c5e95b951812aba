// What the file says of Kafka, read into Settings: no broker is needed here.
#include "log/kafka/part.h"

#include "log/kafka/client_side.h"
#include "log/kafka/token.h"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace penstock::log::kafka {
namespace {

Result<std::string> secret_of_test(std::string_view name) {
  if (name == "word") return "hush-hush";
  if (name == "pem") return "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
  return fail("L115"_code, "there is no secret \"" + std::string(name) + "\"");
}

Result<Settings> read(const std::string& log, const std::string& file = "pipeline.yaml") {
  auto document = yaml::parse("log: {kafka: 'b1:9092', " + log + "}\n", file);
  REQUIRE(document);
  const flow::Config config(&*document, document->root().find("log"));
  return settings_of(config, "meters", secret_of_test);
}

std::string code_of(const Result<Settings>& settings) {
  return settings ? "" : std::string(catalogue_entry(settings.error().code).name);
}

std::string property(const Conf& conf, const char* name) {
  std::string value(512, '\0');
  size_t size = value.size();
  if (rd_kafka_conf_get(conf.get(), name, value.data(), &size) != RD_KAFKA_CONF_OK) return "?";
  value.resize(size - 1);
  return value;
}

TEST_CASE("auth and its fields become librdkafka's properties") {
  using Expected = std::map<std::string, std::string>;
  const auto properties = [](const std::string& log) {
    auto settings = read(log);
    if (!settings) MESSAGE(render(settings.error()));
    REQUIRE(settings);
    return settings->properties;
  };
  CHECK(properties("auth: none") == Expected{});
  CHECK(properties("auth: tls") ==
        Expected{{"security.protocol", "ssl"}, {"ssl.ca.location", "probe"}});
  CHECK(properties("auth: tls, ca: '${secret:pem}'").at("ssl.ca.pem").starts_with("-----BEGIN"));
  CHECK(properties("auth: plain, user: u, password: '${secret:word}'") ==
        Expected{{"security.protocol", "sasl_ssl"},
                 {"sasl.mechanism", "PLAIN"},
                 {"ssl.ca.location", "probe"},
                 {"sasl.username", "u"},
                 {"sasl.password", "hush-hush"}});
  // Without auth: what is given says what is meant.
  CHECK(properties("user: u, password: '${secret:word}'").at("sasl.mechanism") == "SCRAM-SHA-512");
  CHECK(properties("certificate: '${secret:pem}', key: '${secret:pem}'").at("security.protocol") ==
        "ssl");
  // The file's own properties win over what auth stands for.
  CHECK(properties("user: u, password: p, properties: {sasl.mechanism: SCRAM-SHA-256}")
            .at("sasl.mechanism") == "SCRAM-SHA-256");
}

TEST_CASE("auth without what it needs, or with what it has no use for, is refused at its place") {
  for (const char* log :
       {"auth: scram, user: u", "auth: mtls", "auth: kerberos", "auth: oauthbearer",
        "auth: none, password: p", "auth: tls, user: u", "auth: tls, ca: nowhere.pem"}) {
    CAPTURE(log);
    const auto settings = read(log);
    REQUIRE(code_of(settings) == "L109");
    CHECK(settings.error().place.line == 1);
  }
  const auto secret = read("auth: scram, user: u, password: '${secret:lost}'");
  CHECK(code_of(secret) == "L115");
  CHECK(secret.error().place.column > 1);
}

TEST_CASE("certificates are looked for beside the pipeline file") {
  const auto folder = std::filesystem::temp_directory_path() / "penstock-part-test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "ca.pem") << "a certificate\n";
  const auto settings = read("auth: tls, ca: ca.pem", (folder / "pipeline.yaml").string());
  std::filesystem::remove_all(folder);
  REQUIRE(settings);
  CHECK(settings->properties.at("ssl.ca.location") == (folder / "ca.pem").string());
}

TEST_CASE("properties: any of librdkafka's, but not those that exactly once stands on") {
  const auto good = read(
      "properties: {compression.codec: zstd, session.timeout.ms: 9000, "
      "transaction.timeout.ms: 20000, topic.metadata.refresh.interval.ms: 500}");
  REQUIRE(good);
  CHECK(good->session_millis == 9000);
  CHECK(good->transaction_millis == 20'000);
  CHECK(good->properties.at("compression.codec") == "zstd");

  const auto unknown = read("properties: {lingger.ms: 5}");
  REQUIRE(code_of(unknown) == "L107");
  CHECK(unknown.error().note == "did you mean \"linger.ms\"?");
  const auto unset = read("properties: {sasl.usernam: x}");  // has no default, so no dump shows it
  CHECK(unset.error().note == "did you mean \"sasl.username\"?");

  const auto value = read("properties: {linger.ms: soon}");
  REQUIRE(code_of(value) == "L107");
  CHECK(value.error().message.find("linger.ms") != std::string::npos);
  CHECK(value.error().place.column > 20);

  for (const char* name : {"transactional.id", "group.id", "enable.auto.commit", "isolation.level",
                           "auto.offset.reset", "enable.idempotence", "acks", "group.instance.id",
                           "partition.assignment.strategy", "bootstrap.servers", "error_cb",
                           "plugin.library.paths", "topic.acks"}) {
    CAPTURE(name);
    CHECK(code_of(read("properties: {" + std::string(name) + ": x}")) == "L108");
  }
  CHECK(code_of(read("properties: {session.timeout.ms: 1}")) == "L107");
  CHECK(code_of(read("properties: {linger.ms: [1]}")) == "P021");
}

TEST_CASE("a secret never stands in an error") {
  const auto refused =
      read("properties: {ssl.key.password: '${secret:word}', ssl.key.pasword: '${secret:word}'}");
  REQUIRE(!refused);
  CHECK(render(refused.error()).find("hush") == std::string::npos);
  const auto bad = check_property("sasl.oauthbearer.config", std::string(70'000, 'h'));
  if (!bad) CHECK(bad.error().message.find("hhh") == std::string::npos);
}

TEST_CASE("delivery") {
  CHECK(read("auth: none")->at_least_once == false);
  CHECK(read("delivery: at_least_once")->at_least_once);
  CHECK(code_of(read("delivery: maybe")) == "P029");
  const auto promised = [](const char* text) {
    const auto document = yaml::parse(text, "p.yaml");
    REQUIRE(document);
    return kafka_part().promises(flow::Config(&*document, &document->root()));
  };
  CHECK(promised("{kafka: 'b:1'}") == kafka_part().guarantee);
  CHECK(promised("{kafka: 'b:1', delivery: at_least_once}").find("written again") !=
        std::string::npos);
}

TEST_CASE("each role has what exactly once stands on") {
  Settings settings{.brokers = "b:9092", .pipeline = "meters"};
  settings.session_millis = 7000;
  const auto conf = [&](Role role) {
    auto made = make_conf(settings, role);
    if (!made) MESSAGE(render(made.error()));
    REQUIRE(made);
    return std::move(*made);
  };
  const Conf consumer = conf(Role::consumer);
  CHECK(property(consumer, "enable.auto.commit") == "false");
  CHECK(property(consumer, "isolation.level") == "read_committed");
  CHECK(property(consumer, "auto.offset.reset") == "error");
  CHECK(property(consumer, "check.crcs") == "true");
  CHECK(property(consumer, "partition.assignment.strategy") == "cooperative-sticky");
  CHECK(property(consumer, "session.timeout.ms") == "7000");
  CHECK(property(consumer, "client.id") == "meters.consumer");
  CHECK(property(conf(Role::reader), "isolation.level") == "read_committed");
  const Conf sink = conf(Role::transactional_producer);
  CHECK(property(sink, "enable.idempotence") == "true");
  CHECK(property(sink, "transaction.timeout.ms") == "10000");
  CHECK(property(sink, "linger.ms") == "0");
  CHECK(property(conf(Role::idempotent_producer), "acks") == "-1");
  // KIP-848: the broker owns the session; librdkafka would refuse to be told.
  settings.properties["group.protocol"] = "consumer";
  Conf next = conf(Role::consumer);
  REQUIRE(rd_kafka_conf_set(next.get(), "group.id", "g", nullptr, 0) == RD_KAFKA_CONF_OK);
  CHECK(make_client(std::move(next), Role::consumer).has_value());
}

TEST_CASE("librdkafka's lines are understood") {
  const auto code = [](std::string_view line) { return code_of_line(line); };
  CHECK(code("sasl_ssl://b:1/bootstrap: SASL authentication error: Authentication failed during "
             "authentication due to invalid credentials") == RD_KAFKA_RESP_ERR__AUTHENTICATION);
  CHECK(code("ssl://b:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate "
             "verify failed") == RD_KAFKA_RESP_ERR__SSL);
  CHECK(code("no.such:9092/bootstrap: Failed to resolve 'no.such:9092': Name or service not "
             "known") == RD_KAFKA_RESP_ERR__RESOLVE);
  CHECK(code("b:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused") ==
        RD_KAFKA_RESP_ERR__TRANSPORT);
  // A broker that goes away in the middle of a handshake refuses nobody.
  CHECK(code("sasl_ssl://b:1/1: Disconnected (after 3ms in state SSL_HANDSHAKE)") ==
        RD_KAFKA_RESP_ERR__TRANSPORT);
  // A TLS listener hangs up on a plain client.
  CHECK(
      code("b:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after "
           "4ms in state APIVERSION_QUERY)") == RD_KAFKA_RESP_ERR_SECURITY_DISABLED);
  CHECK(code("ssl://b:1/bootstrap: Receive failed: error:0A000412:SSL routines::sslv3 alert bad "
             "certificate: SSL alert number 42 (after 0ms in state APIVERSION_QUERY)") ==
        RD_KAFKA_RESP_ERR__SSL);
  CHECK(code("Configuration property linger.ms is a producer property") == 0);
}

TEST_CASE("the worst trouble explains, whatever came after it") {
  ClientTroubles troubles;
  CHECK(!troubles.any());
  CHECK(catalogue_entry(troubles.explain("asking").code).name == "L101");
  troubles.note(RD_KAFKA_RESP_ERR__AUTHENTICATION, "wrong password");
  troubles.note(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
  CHECK(troubles.refused());
  CHECK(catalogue_entry(troubles.explain("asking").code).name == "L104");
  CHECK(troubles.explain("asking").message == "asking: wrong password");
  troubles.clear();
  CHECK(!troubles.refused());
  troubles.note(RD_KAFKA_RESP_ERR__RESOLVE, "no such host");
  CHECK(!troubles.refused());  // names may come a moment later
}

TEST_CASE("a token's life and principal") {
  // {"alg":"none"} . {"sub":"app", "exp":1900000000.5} .
  const Token token =
      token_of("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhcHAiLCAiZXhwIjoxOTAwMDAwMDAwLjV9.", 1000, "");
  CHECK(token.principal == "app");
  CHECK(token.expires_millis == 1'900'000'000'500);
  for (const char* text : {"", ".", "..", "a.b.c", "opaque", "eyJ.!!!.x", "a.eyJleHAiOi0x.c"}) {
    CHECK(token_of(text, 1000, "me").expires_millis == 301'000);
    CHECK(token_of(text, 1000, "me").principal == "me");
  }
}

TEST_CASE("secrets come from the environment, a file or a folder") {
  const auto folder = std::filesystem::temp_directory_path() / "penstock-secret-test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "kafka") << "from-a-folder\n";
  std::ofstream(folder / "all.yaml") << "kafka: from-a-file\nnested: {a: b}\n";
  std::ofstream(folder / "broken.yaml") << "kafka: \"s3cret\n";
  CHECK(!file::read_secret("kafka"));                           // nothing is set
  ::setenv("PENSTOCK_SECRET_DB_1", "from-the-environment", 1);  // NOLINT: one thread here
  CHECK(file::read_secret("db-1") == "from-the-environment");
  const auto read_by = [&](const std::filesystem::path& named, std::string_view name) {
    ::setenv("PENSTOCK_SECRETS", named.c_str(), 1);  // NOLINT
    return file::read_secret(name);
  };
  CHECK(read_by(folder, "kafka") == "from-a-folder");
  CHECK(read_by(folder, "db-1") == "from-the-environment");
  CHECK(read_by(folder / "all.yaml", "kafka") == "from-a-file");
  CHECK(!read_by(folder / "all.yaml", "nested"));
  CHECK(!read_by(folder / "all.yaml", "lost"));
  CHECK(!read_by(folder / "nowhere.yaml", "kafka"));
  const auto broken = read_by(folder / "broken.yaml", "kafka");
  REQUIRE(!broken);
  CHECK(render(broken.error()).find("s3cret") == std::string::npos);
  for (const char* name : {"", "../kafka", "a/b", ".kafka", "kafka\n"})
    CHECK(!read_by(folder, name));
  ::unsetenv("PENSTOCK_SECRETS");  // NOLINT
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace penstock::log::kafka
