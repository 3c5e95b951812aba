#include "store/redshift/logins.h"

#include "aws/redshift_login.h"

#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <utility>

namespace penstock::store::redshift {
namespace {

class IamLogins final : public Logins {
 public:
  IamLogins(aws::RedshiftAccess access, std::function<Result<std::shared_ptr<AwsAccess>>()> open)
      : access_(std::move(access)), open_(std::move(open)) {}

  Result<Login> obtain() override {
    const std::scoped_lock lock(mutex_);
    if (!logins_) {
      PENSTOCK_TRY(aws, open_());
      aws_ = std::move(aws);
      logins_.emplace(aws_->identity(), access_);
    }
    PENSTOCK_TRY(login, logins_->obtain());
    last_ = std::move(login);
    return Login{last_->user, std::string(last_->password.reveal())};
  }
  void refused() override {
    const std::scoped_lock lock(mutex_);
    if (logins_ && last_) logins_->refuse(*last_);
  }

 private:
  const aws::RedshiftAccess access_;
  const std::function<Result<std::shared_ptr<AwsAccess>>()> open_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<AwsAccess> aws_;
  std::optional<aws::RedshiftLogins> logins_;
  std::optional<aws::RedshiftLogin> last_;
};

}  // namespace

Result<std::shared_ptr<Logins>> iam_logins(
    const IamPlace& place, std::function<Result<std::shared_ptr<AwsAccess>>()> access) {
  std::optional<aws::RedshiftPlace> found = aws::redshift_place(place.host);
  if (!place.cluster.empty() || !place.workgroup.empty())
    found = aws::RedshiftPlace{place.cluster.empty(),
                               place.cluster.empty() ? place.workgroup : place.cluster,
                               found ? found->region : ""};
  if (!found)
    return fail("S021"_code,
                fmt::format("the host \"{}\" is none of Redshift's own, so that it names no "
                            "cluster for a login by IAM",
                            place.host))
        .cure("add cluster: or workgroup:, or user: and password:");
  if (!place.region.empty()) found->region = place.region;
  return std::make_shared<IamLogins>(
      aws::RedshiftAccess{*std::move(found), place.database, place.user}, std::move(access));
}

}  // namespace penstock::store::redshift
