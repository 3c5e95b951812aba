#include "registry/part.h"

#include "file/secret/secret.h"
#include "http/message.h"
#include "registry/confluent.h"
#include "registry/glue.h"

#include <fmt/format.h>

#include <fstream>
#include <utility>

namespace penstock::registry {
namespace {

using flow::Config;
using flow::FieldSpec;
using flow::FieldType;

FieldSpec entry(std::string_view name, FieldType type, std::string_view doc,
                std::string_view example, std::string_view fallback = {}) {
  return {.name = name, .type = type, .fallback = fallback, .doc = doc, .example = example};
}

std::vector<FieldSpec> common_fields() {
  FieldSpec subjects =
      entry("subjects", FieldType::choice,
            "Under which name a topic's schema stands: the topic's, the record's, or both.",
            "record", "topic");
  subjects.choices = {"topic", "record", "topic_record"};
  return {std::move(subjects),
          entry("register", FieldType::boolean,
                "Register what this pipeline writes; else it has to be there.", "false", "true")};
}

flow::PartSpec part(std::string_view name, std::string_view doc, std::vector<FieldSpec> fields) {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::registry;
  spec.name = name;
  spec.doc = doc;
  spec.guarantee = "Records whose schema cannot be had now wait; none is passed over.";
  spec.fields = std::move(fields);
  for (FieldSpec& common : common_fields()) spec.fields.push_back(std::move(common));
  return spec;
}

Result<std::string> text(const Config& config, std::string_view name) {
  const yaml::Node* node = config.find(name);
  if (node == nullptr) return std::string();
  return file::text_or_secret(config, *node, file::read_secret);
}

// A file that can be read; "" where nothing is given.
Result<std::string> path(const Config& config, std::string_view name) {
  const yaml::Node* node = config.find(name);
  if (node == nullptr) return std::string();
  std::string beside = file::beside_file(config, node->text);
  if (std::ifstream(beside)) return beside;
  return fail("L146"_code, fmt::format("\"{}\": the file {} cannot be read", name, beside))
      .at(config.place(*node))
      .cure("name a PEM file, relative to the pipeline file");
}

Result<void> goes_with(const Config& config, std::string_view one, std::string_view other) {
  if (config.find(one) == nullptr || config.find(other) != nullptr) return {};
  return fail("L146"_code, fmt::format("\"{}\" needs \"{}\"", one, other))
      .at(config.place(one))
      .cure(fmt::format("add {}:", other));
}

Result<void> confluent_fits(const Config& config) {
  for (const auto& [one, other] :
       {std::pair{"user", "password"}, std::pair{"password", "user"},
        std::pair{"certificate", "key"}, std::pair{"key", "certificate"}})
    PENSTOCK_TRY_VOID(goes_with(config, one, other));
  if (config.find("token") != nullptr && config.find("user") != nullptr) {
    return fail("L146"_code, "there are two logins: \"token\" and \"user\"")
        .at(config.place("token"))
        .cure("remove one of them");
  }
  return {};
}

Result<std::unique_ptr<Registry>> open_confluent(const Config& config) {
  PENSTOCK_TRY_VOID(confluent_fits(config));
  ConfluentSettings settings;
  settings.url = config.text("confluent");
  settings.subjects = subjects_of(config.text("subjects"));
  settings.may_register = config.text("register", "true") == "true";
  PENSTOCK_TRY(user, text(config, "user"));
  settings.user = std::move(user);
  PENSTOCK_TRY(password, text(config, "password"));
  settings.password = Secret(std::move(password));
  PENSTOCK_TRY(token, text(config, "token"));
  settings.token = Secret(std::move(token));
  PENSTOCK_TRY(ca, path(config, "ca"));
  settings.ca = std::move(ca);
  PENSTOCK_TRY(certificate, path(config, "certificate"));
  settings.certificate = std::move(certificate);
  PENSTOCK_TRY(key, path(config, "key"));
  settings.key = std::move(key);
  PENSTOCK_TRY(made, Confluent::make(std::move(settings)));
  return std::move(made);
}

Result<std::unique_ptr<Registry>> open_glue(const Config& config, const Clock& clock) {
  GlueSettings settings;
  settings.name = config.text("glue");
  settings.region = config.text("region");
  settings.endpoint = config.text("endpoint");
  settings.subjects = subjects_of(config.text("subjects"));
  settings.may_register = config.text("register", "true") == "true";
  settings.compatibility = config.text("compatibility", "BACKWARD");
  PENSTOCK_TRY(made, Glue::make(std::move(settings), clock));
  return std::move(made);
}

}  // namespace

flow::PartSpec confluent_part() {
  using enum FieldType;
  FieldSpec url =
      entry("confluent", text, "Its address; a path may follow.", "https://registry:8081");
  url.required = true;
  return part(
      "confluent", "A schema registry that speaks Confluent's interface.",
      {std::move(url), entry("user", text, "Who logs in.", "penstock"),
       entry("password", text, "Of the user.", "${secret:registry}"),
       entry("token", text, "A bearer token, instead of a user.", "${secret:registry}"),
       entry("ca", file, "Who signs the registry's certificate: a PEM file.", "ca.pem"),
       entry("certificate", file, "Our own certificate, where it is asked for.", "client.pem"),
       entry("key", file, "Of the certificate.", "client-key.pem")});
}

flow::PartSpec glue_part() {
  using enum FieldType;
  FieldSpec name = entry("glue", text, "The registry's name.", "default-registry");
  name.required = true;
  FieldSpec compatibility =
      entry("compatibility", choice, "Of a schema that is made.", "FULL", "BACKWARD");
  compatibility.choices = {"NONE",    "DISABLED",    "BACKWARD", "BACKWARD_ALL",
                           "FORWARD", "FORWARD_ALL", "FULL",     "FULL_ALL"};
  return part("glue",
              "A schema registry in AWS Glue; signed by the credentials of AWS's own tools.",
              {std::move(name),
               entry("region", text, "The AWS region, instead of that of AWS's own settings.",
                     "eu-north-1"),
               entry("endpoint", text, "Another endpoint.", "http://localhost:5000"),
               std::move(compatibility)});
}

Result<void> settings_fit(std::string_view part, const Config& config) {
  if (part != "confluent") return {};
  PENSTOCK_TRY_VOID(confluent_fits(config));
  if (auto url = http::parse_url(config.text("confluent")); !url) {
    url.error().place = config.place("confluent");
    return std::unexpected(std::move(url).error());
  }
  return {};
}

Result<std::unique_ptr<Registry>> open_registry(std::string_view part, const Config& config,
                                                const Clock& clock) {
  auto opened = part == "glue" ? open_glue(config, clock) : open_confluent(config);
  if (!opened && opened.error().place.line == 0) {
    opened.error().place = config.place(part);
  }
  return opened;
}

}  // namespace penstock::registry
