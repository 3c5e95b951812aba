// data_database.h — the door through AWS's Data API, for networks without a way to the port.
//
// A transaction is one batch, which AWS runs as one transaction in a session that ends with it. So
// nothing is ever held open between two requests, and no worker that stands still can hold a lock.
//
// Thread      one; stop() from any.
// Limits      kDataSteps statements.
// Errors      no answer: the end is unknown, whatever was asked.
#pragma once

#include "aws/redshift_data.h"
#include "store/redshift/aws_access.h"
#include "store/redshift/database.h"

#include <functional>
#include <memory>
#include <mutex>

namespace penstock::store::redshift {

class DataDatabase final : public Database {
 public:
  using Access = std::function<Result<std::shared_ptr<AwsAccess>>()>;
  DataDatabase(aws::RedshiftAccess place, Access access, int64_t answer_millis,
               aws::RetryOptions retry = aws::RedshiftData::kRetry)
      : place_(std::move(place)),
        access_(std::move(access)),
        answer_millis_(answer_millis),
        retry_(retry) {}

  Answer<void> open() override;
  Answer<std::vector<Rows>> ask(const std::vector<std::string>& statements) override;
  Transacted transact(std::span<const Step> steps, Ending ending) override;
  void stop() noexcept override;

 private:
  Transacted rows_of(const aws::DataRun& run, std::span<const Step> steps);

  const aws::RedshiftAccess place_;
  const Access access_;
  const int64_t answer_millis_;
  const aws::RetryOptions retry_;
  std::shared_ptr<AwsAccess> aws_;
  std::mutex mutex_;  // guards what follows
  bool stopped_ = false;
  std::unique_ptr<aws::RedshiftData> data_;  // made once
};

}  // namespace penstock::store::redshift
