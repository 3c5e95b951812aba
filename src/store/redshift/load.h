// load.h — the rows of an epoch on their way into the stage of a transaction, and what is refused.
//
// Rows of one table are a Share. Large ones lie in S3 and are read by COPY, small ones are INSERTs.
//
// Thread      one; waits for the server and for S3.
// Lifetime    rows and winners outlive the shares made of them.
// Errors      DbError of the server; S04x of the staging.
#pragma once

#include "flow/store.h"
#include "store/libpq/connection.h"
#include "store/redshift/staging.h"
#include "store/redshift/table_text.h"
#include "store/rows/winners.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penstock::store::redshift {

// Up to so many rows go in by INSERT, of which Redshift takes about a thousand a second; a COPY
// costs a second or two, whatever it loads.
inline constexpr uint32_t kInsertRows = 500;

struct LoadSettings {
  std::string role;    // the ARN after IAM_ROLE, or "default"
  std::string region;  // of the bucket, where it is another one than the cluster's
  uint32_t insert_rows_max = kInsertRows;
};

// A table as it is there.
struct Target {
  TableName name;
  std::vector<ColumnType> columns;
  std::vector<bool> not_null;
};

struct Share {
  const Target* target = nullptr;
  std::span<const Winner> rows;
  std::string key;                   // in the staging; "" when the rows go in by INSERT
  std::vector<std::string> inserts;  // else
};

class Load {
 public:
  Load(flow::StoreTable table, LoadSettings settings, Staging* staging)
      : table_(std::move(table)), settings_(std::move(settings)), staging_(staging) {}

  // Into S3 under `key`, or into the share. What needs no server to be refused goes to `rejected`;
  // then nothing was put anywhere.
  Result<void> prepare(std::span<const flow::StoreRows> rows, const std::string& key, Share& share,
                       std::vector<flow::RejectedRow>& rejected) const;
  // In a transaction: makes the stage and fills it, all of it or an error.
  Answer<void> fill(Connection& db, const Share& share) const;
  // From the stage into the table; the stage is gone then.
  Answer<void> merge(Connection& db, const Share& share) const;
  // Outside of a transaction, after fill() or merge() failed with Trouble::data: which rows it was.
  Answer<std::vector<flow::RejectedRow>> find_refused(Connection& db,
                                                      std::span<const flow::StoreRows> rows,
                                                      const Share& share) const;

 private:
  std::string copy_text(const Share& share, const std::string& key, uint32_t errors_max) const;
  Answer<std::vector<flow::RejectedRow>> load_errors(Connection& db,
                                                     std::span<const flow::StoreRows> rows,
                                                     const Share& share) const;
  Answer<void> probe(Connection& db, std::span<const flow::StoreRows> rows, const Share& share,
                     uint32_t begin, uint32_t end) const;
  Answer<bool> halve(Connection& db, std::span<const flow::StoreRows> rows, const Share& share,
                     std::pair<uint32_t, uint32_t> range, bool known_bad,
                     std::vector<flow::RejectedRow>& found) const;

  flow::StoreTable table_;
  LoadSettings settings_;
  Staging* staging_;  // may be null
};

// One statement or several, with Redshift's errors understood.
Answer<std::vector<Rows>> run(Connection& db, const std::string& sql, size_t answers_min = 1);

}  // namespace penstock::store::redshift
