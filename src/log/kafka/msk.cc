#include "log/kafka/msk.h"

#include "aws/identity.h"
#include "aws/msk.h"
#include "base/clock.h"
#include "log/kafka/part.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace penstock::log::kafka {
namespace {

using flow::FieldSpec;
using flow::FieldType;

// All that a login by IAM needs; it lives as long as a client of the log may ask for a token.
struct Aws {
  SystemClock clock;
  std::unique_ptr<http::Client> client;
  std::unique_ptr<aws::Identity> identity;  // ends first
};

Result<std::shared_ptr<Aws>> reach_aws() {
  auto all = std::make_shared<Aws>();
  PENSTOCK_TRY(client, http::Client::make({}));
  all->client = std::move(client);
  PENSTOCK_TRY(session, aws::Session::make(aws::machine(), *all->client, all->clock));
  PENSTOCK_TRY(identity, aws::Identity::make(std::move(session)));
  all->identity = std::move(identity);
  return all;
}

aws::MskLogin login_of(std::string_view auth) {
  if (auth == "msk-iam") return aws::MskLogin::iam;
  if (auth == "scram") return aws::MskLogin::scram;
  return auth == "none" ? aws::MskLogin::none : aws::MskLogin::tls;
}

Result<Token> make_token(const Aws& all, const std::string& region) {
  PENSTOCK_TRY(credentials, all.identity->obtain());
  const aws::Session& session = all.identity->session();
  // Expired, and new ones cannot be had: a token made of them would be refused without a reason.
  if (credentials->expires <= session.now()) {
    if (auto trouble = all.identity->trouble()) return std::unexpected(std::move(*trouble));
  }
  // AWS's clock is in the token, ours is librdkafka's.
  const int64_t life =
      std::min(aws::kMskTokenSeconds * 1000,
               std::max<int64_t>(credentials->expires.value - session.now().value, 1'000));
  return Token{.value = aws::msk_token(region, *credentials, session.now()),
               .principal = "penstock",
               .expires_millis = all.clock.now().value + life};
}

Result<Settings> settings_by_aws(const flow::Config& config, std::string_view pipeline,
                                 const file::SecretReader& secrets) {
  PENSTOCK_TRY(cluster, aws::parse_msk_arn(config.text("msk")));
  PENSTOCK_TRY(settings, settings_of(config, pipeline, secrets));
  PENSTOCK_TRY(all, reach_aws());
  PENSTOCK_TRY(credentials, all->identity->obtain());
  const std::string auth = auth_of(config);
  PENSTOCK_TRY(brokers,
               aws::msk_brokers(all->identity->session(), *credentials, cluster, login_of(auth)));
  settings.brokers = std::move(brokers);
  if (auth == "msk-iam") {
    settings.token = [all, region = cluster.region] { return make_token(*all, region); };
  }
  return std::move(settings);
}

}  // namespace

flow::PartSpec msk_part() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::log;
  spec.name = "msk";
  spec.doc = "Amazon MSK, named by its ARN; without auth: the login is by IAM.";
  spec.guarantee = "An epoch is one transaction: records, dead letters and positions.";
  spec.fields = {{.name = "msk",
                  .type = FieldType::text,
                  .required = true,
                  .doc = "The ARN of an Amazon MSK cluster; its brokers are looked up.",
                  .example = "${env:MSK_ARN}"}};
  for (FieldSpec& field : client_fields()) {
    if (field.name == "auth") field.choices.emplace_back("msk-iam");
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

Result<Settings> msk_settings_of(const flow::Config& config, std::string_view pipeline,
                                 const file::SecretReader& secrets) {
  auto settings = settings_by_aws(config, pipeline, secrets);
  if (!settings && settings.error().place.line == 0) {
    settings.error().place = config.place("msk");
  }
  return settings;
}

}  // namespace penstock::log::kafka
