#include "app/redshift_streaming.h"

#include "store/redshift/table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace penstock::app {
namespace {

using store::redshift::column_sql;
using store::redshift::text_sql;

constexpr std::string_view kColumns =
    "kafka_partition, kafka_offset, kafka_timestamp_type, kafka_timestamp, kafka_key, kafka_value, "
    "kafka_headers, refresh_time";

std::string setting(const plan::LogUse& log, std::string_view name) {
  const yaml::Node* node = log.config ? log.config->find(name) : nullptr;
  return node == nullptr ? "" : std::string(log.config->text(name));
}

// What stages write: not the sources, and no dead letters.
std::vector<const plan::Topic*> written(const plan::Plan& plan) {
  std::vector<const plan::Topic*> topics;
  for (const plan::Topic& topic : plan.topics) {
    const bool ours = std::ranges::any_of(plan.stages, [&](const plan::Stage& stage) {
      const auto has = [&](const std::vector<std::string>& names) {
        return std::ranges::find(names, topic.name) != names.end();
      };
      return has(stage.to_topics) || has(stage.sides);
    });
    if (ours) topics.push_back(&topic);
  }
  return topics;
}

// As the log reads it: what is given says how, where "auth" does not.
std::string login(const plan::LogUse& log) {
  std::string auth = setting(log, "auth");
  if (!auth.empty()) return auth;
  if (!setting(log, "token").empty()) return "oauthbearer";
  if (!setting(log, "password").empty()) return "scram";
  if (!setting(log, "certificate").empty()) return "mtls";
  return log.part == "msk" ? "msk-iam" : "none";
}

// "" for what Redshift does not have.
std::string authentication(const plan::LogUse& log) {
  const std::string auth = login(log);
  if (auth == "msk-iam") return "IAM_ROLE default AUTHENTICATION iam";
  if (auth == "none" || auth == "tls") return "AUTHENTICATION none";
  return auth == "mtls" ? "AUTHENTICATION mtls SECRET_ARN 'ARN-OF-THE-SECRET'" : "";
}

std::string brokers(const plan::LogUse& log) {
  return log.part == "kafka" ? setting(log, "kafka") : "BOOTSTRAP-BROKERS";
}

std::string what_to_fill_in(const plan::LogUse& log, std::string_view schema) {
  std::string text;
  if (log.part == "msk")
    text += fmt::format("-- BOOTSTRAP-BROKERS: aws kafka get-bootstrap-brokers --cluster-arn {}\n",
                        setting(log, "msk"));
  if (authentication(log).contains("SECRET_ARN"))
    text += "-- ARN-OF-THE-SECRET: of certificate and key in Secrets Manager\n";
  if (authentication(log).contains("IAM_ROLE"))
    text +=
        "-- The role default may also be one's ARN; it needs kafka-cluster:Connect, "
        "DescribeTopic and ReadData.\n";
  return text + fmt::format("-- Whoever reads {} sees every topic that this login may read.\n",
                            column_sql(schema));
}

constexpr std::string_view kLimits =
    "-- What this is not:\n"
    "-- * Values are Avro, which no function of Redshift reads: kafka_value stays the record's "
    "bytes "
    "(VARBYTE),\n"
    "--   to be decoded by a function of your own (CREATE EXTERNAL FUNCTION … LAMBDA). Only JSON "
    "can be parsed there.\n"
    "-- * AWS promises neither each record once nor that records of an aborted transaction are "
    "left out; this\n"
    "--   pipeline's epochs are transactions. kafka_partition and kafka_offset tell a record that "
    "is "
    "there twice.\n"
    "--   A store of the pipeline holds each row exactly once.\n";

}  // namespace

std::string redshift_streaming(const plan::Plan& plan) {
  if (plan.log.part != "kafka" && plan.log.part != "msk")
    return fmt::format("-- the target {} has no Kafka that Redshift could read\n", plan.target);
  const std::string how = authentication(plan.log);
  if (how.empty())
    return fmt::format("-- Redshift logs in to Kafka by none, iam or mtls, and not by {}\n",
                       login(plan.log));
  const std::string schema = plan.pipeline + "_topics";
  std::string text = "-- Redshift reads what this pipeline writes, by itself.\n";
  text += what_to_fill_in(plan.log, schema);
  text += fmt::format("CREATE EXTERNAL SCHEMA {} FROM KAFKA {} URI {};\n", column_sql(schema), how,
                      text_sql(brokers(plan.log)));
  for (const plan::Topic* topic : written(plan)) {
    text += fmt::format("-- {}: Avro, framing {}\n", topic->name, avro::to_text(topic->framing));
    text += fmt::format("CREATE MATERIALIZED VIEW {} AUTO REFRESH YES AS SELECT {} FROM {}.{};\n",
                        column_sql(plan.pipeline + "_" + topic->name), kColumns, column_sql(schema),
                        store::sql_name(topic->name));
  }
  return text + std::string(kLimits);
}

}  // namespace penstock::app
