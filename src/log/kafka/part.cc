#include "log/kafka/part.h"

#include "base/clock.h"
#include "file/secret/secret.h"
#include "flow/config_values.h"
#include "log/kafka/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace penstock::log::kafka {
namespace {

using flow::Config;
using flow::FieldSpec;
using flow::FieldType;

// Reads the fields of one `log:` mapping.
class Reader {
 public:
  Reader(const Config& config, const file::SecretReader& secrets)
      : config_(config), secrets_(secrets) {}

  bool has(std::string_view field) const { return config_.find(field) != nullptr; }

  // The field's text, a secret read. "" when it is absent.
  Result<std::string> text(std::string_view field) const {
    const yaml::Node* node = config_.find(field);
    return node == nullptr ? Result<std::string>("") : value(*node);
  }

  Result<std::string> value(const yaml::Node& node) const {
    return file::text_or_secret(config_, node, secrets_);
  }

  // A path as written means: beside the pipeline file.
  std::string path(const std::string& text) const { return file::beside_file(config_, text); }

  Failure wrong(std::string message, std::string_view field) const {
    return fail("L109"_code, std::move(message)).at(config_.place(field));
  }

  const Config& config() const { return config_; }
  const file::SecretReader& secrets() const { return secrets_; }

 private:
  const Config& config_;
  const file::SecretReader& secrets_;
};

struct Auth {
  std::string_view name;
  bool tls;
  std::string_view mechanism;  // of SASL; "" = none
  std::vector<std::string_view> needs;
  std::vector<std::string_view> takes;
};

const std::vector<Auth>& auths() {
  static const std::vector<Auth> all = {
      {"none", false, "", {}, {}},
      {"tls", true, "", {}, {"ca"}},
      {"mtls", true, "", {"certificate", "key"}, {"ca", "key_password"}},
      {"plain", true, "PLAIN", {"user", "password"}, {"ca"}},
      {"scram", true, "SCRAM-SHA-512", {"user", "password"}, {"ca"}},
      {"oauthbearer", true, "OAUTHBEARER", {"token"}, {"ca", "user"}},
      {"msk-iam", true, "OAUTHBEARER", {}, {"ca"}},  // its token is set by msk.cc
  };
  return all;
}

constexpr std::array<std::string_view, 7> kAuthFields = {
    "user", "password", "ca", "certificate", "key", "key_password", "token"};

// What is given says what is meant, where `auth:` does not stand.
std::string_view implied_auth(const Reader& reader) {
  if (reader.has("token")) return "oauthbearer";
  if (reader.has("password")) return "scram";
  if (reader.has("certificate")) return "mtls";
  if (reader.has("msk")) return "msk-iam";
  return reader.has("ca") ? "tls" : "none";
}

Result<const Auth*> read_auth(const Reader& reader) {
  const std::string named = reader.config().text("auth", implied_auth(reader));
  const auto found = std::ranges::find(auths(), std::string_view(named), &Auth::name);
  if (found == auths().end()) {
    return reader.wrong(fmt::format("there is no auth \"{}\"", named), "auth");
  }
  for (const std::string_view field : found->needs) {
    if (!reader.has(field)) {
      return reader.wrong(fmt::format("auth: {} needs \"{}\"", named, field), "auth")
          .cure(fmt::format("add {}:", field));
    }
  }
  for (const std::string_view field : kAuthFields) {
    const bool known = std::ranges::find(found->needs, field) != found->needs.end() ||
                       std::ranges::find(found->takes, field) != found->takes.end();
    if (reader.has(field) && !known) {
      return reader.wrong(fmt::format("auth: {} has no use for \"{}\"", named, field), field)
          .cure(fmt::format("remove {}:, or choose the auth: that was meant", field));
    }
  }
  return &*found;
}

// ca, certificate, key: a file, or the PEM text itself (as a secret usually is).
Result<void> set_pem(const Reader& reader, std::string_view field, std::string_view file_property,
                     std::string_view pem_property, Settings& settings) {
  if (!reader.has(field)) return {};
  PENSTOCK_TRY(text, reader.text(field));
  if (text.starts_with("-----BEGIN")) {
    settings.properties[std::string(pem_property)] = text;
    return {};
  }
  const std::string path = reader.path(text);
  if (!std::ifstream(path)) {
    return reader.wrong(fmt::format("\"{}\": the file {} cannot be read", field, path), field)
        .because("it is not there, or this user may not read it")
        .cure(
            "name a PEM file, relative to the pipeline file, or a secret that holds the PEM text");
  }
  settings.properties[std::string(file_property)] = path;
  return {};
}

// The token is read anew whenever one is due: files of this kind are renewed from outside.
TokenSource token_source(const Reader& reader) {
  const std::string text = reader.config().text("token");
  const std::string user = reader.config().text("user");
  const file::SecretReader secrets = reader.secrets();
  const bool secret = file::is_secret(text);
  return [=]() -> Result<Token> {
    if (!secret) return token_of(text, SystemClock().now().value, user);
    PENSTOCK_TRY(found, secrets(file::secret_name(text)));
    return token_of(found, SystemClock().now().value, user);
  };
}

Result<void> set_auth(const Reader& reader, Settings& settings) {
  PENSTOCK_TRY(auth, read_auth(reader));
  const bool sasl = !auth->mechanism.empty();
  if (sasl || auth->tls) settings.properties["security.protocol"] = sasl ? "sasl_ssl" : "ssl";
  if (sasl) settings.properties["sasl.mechanism"] = auth->mechanism;
  // Our OpenSSL is linked in and knows no folder of its own: look where systems keep theirs.
  if (auth->tls && !reader.has("ca")) settings.properties["ssl.ca.location"] = "probe";
  PENSTOCK_TRY_VOID(set_pem(reader, "ca", "ssl.ca.location", "ssl.ca.pem", settings));
  PENSTOCK_TRY_VOID(
      set_pem(reader, "certificate", "ssl.certificate.location", "ssl.certificate.pem", settings));
  PENSTOCK_TRY_VOID(set_pem(reader, "key", "ssl.key.location", "ssl.key.pem", settings));
  if (auth->name == "oauthbearer") {
    settings.token = token_source(reader);
    // Now rather than at the first login: a missing file is the file's error, with its place.
    if (auto first = settings.token(); !first) {
      first.error().place = reader.config().place("token");
      return std::unexpected(std::move(first).error());
    }
    return {};
  }
  static constexpr std::array<std::array<const char*, 2>, 3> kTexts = {
      {{"user", "sasl.username"},
       {"password", "sasl.password"},
       {"key_password", "ssl.key.password"}}};
  for (const auto& [field, property] : kTexts) {
    if (!reader.has(field)) continue;
    PENSTOCK_TRY(text, reader.text(field));
    settings.properties[property] = text;
  }
  return {};
}

Result<void> set_duration(const Reader& reader, const yaml::Node& node, std::string_view name,
                          int64_t& millis) {
  const auto value = flow::count_value(node.text);
  if (!value || *value < 100 || *value > 3'600'000) {
    return fail("L107"_code, fmt::format("property \"{}\" takes 100 to 3600000 milliseconds", name))
        .at(reader.config().place(node));
  }
  millis = *value;
  return {};
}

Result<void> set_property(const Reader& reader, const yaml::Node& key, const yaml::Node& node,
                          Settings& settings) {
  if (node.kind != yaml::NodeKind::scalar) {
    return fail("P021"_code, fmt::format("property \"{}\" takes a single value", key.text))
        .at(reader.config().place(node));
  }
  // These two the engine counts with as well.
  if (key.text == "session.timeout.ms")
    return set_duration(reader, node, key.text, settings.session_millis);
  if (key.text == "transaction.timeout.ms")
    return set_duration(reader, node, key.text, settings.transaction_millis);
  PENSTOCK_TRY(text, reader.value(node));
  if (auto checked = check_property(key.text, text); !checked) {
    Error error = std::move(checked).error();
    error.place = reader.config().place(key);
    return std::unexpected(std::move(error));
  }
  settings.properties[key.text] = text;
  return {};
}

Result<void> set_properties(const Reader& reader, Settings& settings) {
  const yaml::Node* given = reader.config().find("properties");
  if (given == nullptr) return {};
  if (given->kind != yaml::NodeKind::mapping) {
    return fail("P021"_code, "\"properties\" takes a mapping").at(reader.config().place(*given));
  }
  for (const auto& [key, node] : given->entries) {
    PENSTOCK_TRY_VOID(set_property(reader, key, node, settings));
  }
  return {};
}

Result<void> set_delivery(const Reader& reader, Settings& settings) {
  const std::string delivery = reader.config().text("delivery", "exactly_once");
  if (delivery != "exactly_once" && delivery != "at_least_once") {
    return fail("P029"_code, fmt::format("\"{}\" in \"delivery\"", delivery))
        .at(reader.config().place("delivery"))
        .cure("write one of: exactly_once, at_least_once");
  }
  settings.at_least_once = delivery == "at_least_once";
  return {};
}

constexpr std::string_view kExactlyOnce =
    "An epoch is one transaction: records, dead letters and positions.";
constexpr std::string_view kAtLeastOnce =
    "At least once: an epoch's records and dead letters are acknowledged first, then the "
    "positions. None is lost; after a crash or a rebalance the epoch in flight is written again, "
    "and counted again.";

FieldSpec field(std::string_view name, FieldType type, std::string_view doc,
                std::string_view example) {
  return {.name = name, .type = type, .doc = doc, .example = example};
}

}  // namespace

std::vector<FieldSpec> client_fields() {
  FieldSpec auth = field(
      "auth", FieldType::choice,
      "How to log in. Without it, what else is given decides: token, password, certificate, ca.",
      "scram");
  for (const Auth& each : auths()) {
    if (each.name != "msk-iam") auth.choices.push_back(each.name);
  }
  FieldSpec delivery =
      field("delivery", FieldType::choice,
            "exactly_once: an epoch is one transaction. at_least_once: none is lost, and the "
            "epoch in flight may repeat.",
            "at_least_once");
  delivery.choices = {"exactly_once", "at_least_once"};
  delivery.fallback = "exactly_once";
  return {std::move(auth),
          field("user", FieldType::text, "The user of plain and scram.", "penstock"),
          field("password", FieldType::text, "Its password, as ${secret:name} or ${env:NAME}.",
                "${secret:kafka}"),
          field("token", FieldType::text,
                "The token of oauthbearer: ${secret:name}; read anew for each login.",
                "${secret:kafka_token}"),
          field("ca", FieldType::text,
                "Who signed the brokers' certificates: a PEM file. Else the system's list.",
                "certs/ca.pem"),
          field("certificate", FieldType::text, "Our certificate for mtls: a PEM file.",
                "certs/penstock.pem"),
          field("key", FieldType::text, "Its key: a PEM file, or ${secret:name}.",
                "${secret:kafka_key}"),
          field("key_password", FieldType::text, "The password of the key.",
                "${secret:kafka_key_password}"),
          std::move(delivery),
          field("properties", FieldType::mapping, "Any property of librdkafka.",
                "{compression.codec: zstd}")};
}

std::string auth_of(const Config& config) {
  return config.text("auth", implied_auth(Reader(config, file::read_secret)));
}

flow::PartSpec kafka_part() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::log;
  spec.name = "kafka";
  spec.doc = "Apache Kafka 2.5 or newer, or what speaks its protocol.";
  spec.guarantee = kExactlyOnce;
  spec.promises = [](const Config& config) {
    return std::string(config.text("delivery") == "at_least_once" ? kAtLeastOnce : kExactlyOnce);
  };
  spec.fields = {{.name = "kafka",
                  .type = FieldType::text,
                  .required = true,
                  .doc = "Brokers to begin with: host:port, separated by commas.",
                  .example = "b1:9092,b2:9092"}};
  for (FieldSpec& each : client_fields()) spec.fields.push_back(std::move(each));
  return spec;
}

Result<void> settings_fit(const Config& config) {
  const file::SecretReader any = [](std::string_view) -> Result<std::string> { return "1"; };
  const Reader reader(config, any);
  PENSTOCK_TRY(auth, read_auth(reader));
  (void)auth;
  Settings unused;
  return set_properties(reader, unused);
}

Result<Settings> settings_of(const Config& config, std::string_view pipeline,
                             const file::SecretReader& secrets) {
  const Reader reader(config, secrets);
  Settings settings;
  settings.brokers = config.text("kafka");
  settings.pipeline = pipeline;
  PENSTOCK_TRY_VOID(set_auth(reader, settings));
  PENSTOCK_TRY_VOID(set_delivery(reader, settings));
  PENSTOCK_TRY_VOID(set_properties(reader, settings));
  return settings;
}

}  // namespace penstock::log::kafka
