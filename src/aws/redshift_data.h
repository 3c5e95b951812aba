// redshift_data.h — SQL for Redshift over HTTPS: the Data API, for networks without a way to the
// database's port.
//
// run() sends all statements as one transaction and waits for its end. The token makes sending
// again the same as sending once: an answer that is lost is asked for again. What the database
// refuses is no Error but the run's own `error`: the caller knows what it means. An Error of run()
// says that the end is not known, unless it is about rights or settings.
//
// Thread      one owner, its calls wait; stop() from any.
// Lifetime    the identity outlives it.
// Limits      AWS's: a statement of 100 KB, results of 500 MB kept for 24 hours, a run of 24 hours.
//             Ours: 40 statements, results of 8 MiB a page.
// Errors      W003 (rights), W004 (refused, or unreachable for too long), W006 (no such answer).
//
//     RedshiftData data(*identity, {.place = {true, "grp", "eu-north-1"}, .database = "energy"});
//     PENSTOCK_TRY(run, data.run(sqls, token, 60'000));
//     if (run.end == DataEnd::failed) … run.error …
//     PENSTOCK_TRY(rows, data.rows(run, 0));
#pragma once

#include "aws/identity.h"
#include "aws/redshift_login.h"
#include "aws/repeater.h"
#include "aws/signer.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::aws {

inline constexpr size_t kDataStatementsMax = 40;
inline constexpr size_t kDataStatementBytesMax = 100'000;

enum class DataEnd : uint8_t { finished, failed, aborted };

struct DataStatement {
  std::string id;  // for its rows
  DataEnd end = DataEnd::aborted;
  int64_t rows = 0;  // answered or changed
  bool has_rows = false;
  std::string error = {};  // where AWS tells it of this one
};

struct DataRun {
  DataEnd end = DataEnd::aborted;
  std::string error;  // the database's own words: "ERROR: … 1023 …"
  std::vector<DataStatement> statements;
};

using DataRow = std::vector<std::optional<std::string>>;

class RedshiftData {
 public:
  static constexpr RetryOptions kRetry{.base_millis = 50};
  static Result<std::unique_ptr<RedshiftData>> open(Identity& identity, RedshiftAccess access,
                                                    RetryOptions retry = kRetry);

  // `token`: 1 to 64 letters that name this run. What has not ended after `millis` is cancelled,
  // and its end is waited for once more as long.
  Result<DataRun> run(std::span<const std::string> sqls, std::string_view token, int64_t millis);
  // What a statement answered, as text; null is nothing.
  Result<std::vector<DataRow>> rows(const DataStatement& statement, size_t rows_max = 10'000);
  // What waits, and all later calls, end with W004.
  void stop() noexcept { repeater_.stop(); }

 private:
  RedshiftData(Identity& identity, RedshiftAccess access, http::Url url, RetryOptions retry);
  Result<std::string> call(std::string_view operation, const std::string& body);
  http::Request request(std::string_view operation, const std::string& body);
  std::string run_body(std::span<const std::string> sqls, std::string_view token) const;
  Result<std::optional<DataRun>> look(const std::string& id);
  Result<std::optional<DataRun>> wait(const std::string& id, int64_t millis);

  Identity& identity_;
  const RedshiftAccess access_;
  const http::Url url_;
  Repeater repeater_;
  Signer signer_;
};

}  // namespace penstock::aws
