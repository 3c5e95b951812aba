// redshift_store.h — a store in tables of Amazon Redshift, provisioned or Serverless.
//
// An epoch is one transaction: the stored positions are compared and swapped first, then rows are
// copied from S3 into a temporary table and merged or appended from there. Columns are described in
// column_type.h, positions in position_table.h.
//
// Thread      the store from any thread; a sink from its worker. Each sink has a helper thread and
//             a door to the database of its own; nothing waits in the caller of a sink.
// Lifetime    the store outlives its sinks. It holds no connection: every call opens one.
// Limits      65,535 bytes per text and nested value, 32,767 per bytes; 3.9 MB per row.
// Errors      S001 not reached, S020 login or rights, S045 COPY's role, S002 the table, S008 the
//             records. At run time outages are `retry` or `unknown`, bad rows `rejected`.
//
//     RedshiftStore store(settings);
//     PENSTOCK_TRY_VOID(store.create_missing(table));
//     PENSTOCK_TRY(sink, store.open_sink(spec, waker));
#pragma once

#include "flow/store.h"
#include "store/redshift/session.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::store::redshift {

class RedshiftStore final : public flow::Store {
 public:
  // Settings as part.h reads them.
  explicit RedshiftStore(StoreSettings settings) : settings_(std::move(settings)) {}

  // Without `create` a table that is missing, or lacks columns, is an error whose cure is the DDL.
  // An unreachable server is waited for, 15 s. The positions' table is made by the first claim.
  Result<void> create_missing(const flow::StoreTable& table) override;
  Result<std::unique_ptr<flow::StoreSink>> open_sink(const flow::StoreSpec& spec,
                                                     flow::Waker& waker) override;
  // Positions are waited for as long as an epoch holds them, 30 s at most; rows are counted for two
  // seconds at most.
  Result<flow::StoreState> state(const flow::StoreSpec& spec) override;
  // By newest_by where the table has it, else some rows: Redshift keeps no order of arrival.
  Result<std::vector<std::string>> newest(const flow::StoreTable& table, uint32_t limit,
                                          const std::optional<flow::RowFilter>& of) override;

  // For people, a line each: what does not fit, with its cure, the DDL that is missing, and what is
  // narrower than the records.
  Result<std::vector<std::string>> compare(const flow::StoreTable& table);
  // What create_missing() would run for a database that has nothing.
  std::vector<std::string> ddl(const flow::StoreTable& table) const;

 private:
  Result<std::unique_ptr<Database>> open() const;
  Error error_of(const DbError& error) const;
  Result<void> create_once(const flow::StoreTable& table);
  StoreSettings settings_;
};

}  // namespace penstock::store::redshift
