// query_table.h — a reference table that a query fills.
//
// A new version is read beside the running stages; until it is whole and good the former one stays.
//
// Thread      current() from any; refresh_if_due() by one.
// Lifetime    versions are shared and immutable. The destructor ends a query that runs.
// Errors      at open: S…, F… (a row that does not fit the types). Later the same, once for each
//             refresh that failed.
//
//     PENSTOCK_TRY(table, QueryTable::open(*plan_table.config, plan.folder));
//     if (auto error = table->refresh_if_due(now)) warn(*error);
#pragma once

#include "flow/part_spec.h"
#include "flow/table.h"
#include "store/postgres/session.h"

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace penstock::app {

class QueryTable final : public flow::Table {
 public:
  static Result<std::unique_ptr<QueryTable>> open(const flow::Config& config,
                                                  const std::string& folder);
  ~QueryTable() override;
  std::shared_ptr<const flow::TableVersion> current() override;
  // Begins a query when the interval has passed; takes over what one has brought.
  std::optional<Error> refresh_if_due(Millis now);

  // Of its columns, without asking the server.
  static Result<flow::MakeContext::TableShape> shape(const flow::Config& config,
                                                     const std::string& folder);

 private:
  QueryTable() = default;
  Result<std::string> ask() const;
  Result<std::shared_ptr<const flow::TableVersion>> version_of(std::string_view lines) const;

  store::postgres::StoreSettings settings_;
  store::Interrupt interrupt_;
  std::string sql_, lines_;
  uint64_t rows_max_ = 0;
  flow::MakeContext::TableShape shape_;
  int64_t refresh_millis_ = 0;
  std::optional<Millis> asked_;
  std::future<Result<std::string>> answer_;
  std::mutex mutex_;  // guards current_
  std::shared_ptr<const flow::TableVersion> current_;
};

}  // namespace penstock::app
