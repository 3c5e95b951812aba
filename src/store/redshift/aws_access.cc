#include "store/redshift/aws_access.h"

#include "aws/surroundings.h"

#include <utility>

namespace penstock::store::redshift {

Result<std::shared_ptr<AwsAccess>> AwsAccess::open(const Clock& clock) {
  aws::Surroundings here = aws::machine();
  http::ClientOptions options;
  if (const auto file = here.variable("AWS_CA_BUNDLE")) options.authorities = *file;
  std::shared_ptr<AwsAccess> access(new AwsAccess);
  PENSTOCK_TRY(client, http::Client::make(std::move(options)));
  access->client_ = std::move(client);
  PENSTOCK_TRY(session, aws::Session::make(std::move(here), *access->client_, clock));
  PENSTOCK_TRY(identity, aws::Identity::make(std::move(session)));
  access->identity_ = std::move(identity);
  PENSTOCK_TRY_VOID(access->identity_->obtain());
  return access;
}

}  // namespace penstock::store::redshift
