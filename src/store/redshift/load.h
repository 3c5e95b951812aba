// load.h — the rows of an epoch on their way into the stage of a transaction, and what is refused.
//
// Rows of one table are a Share. Large ones lie in S3 and are read by COPY, small ones are INSERTs.
//
// Thread      one; find_refused() waits for the server and for S3, prepare() for S3.
// Lifetime    rows and winners outlive the shares made of them.
// Errors      DbError of the server; S04x of the staging.
#pragma once

#include "flow/store.h"
#include "store/redshift/database.h"
#include "store/redshift/insert_text.h"
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

// Of one INSERT by the Data API, whose statements have 100,000 bytes: one row more is above.
inline constexpr size_t kDataInsertBytes = 60'000;

struct LoadSettings {
  std::string role;    // the ARN after IAM_ROLE, or "default"
  std::string region;  // of the bucket, where it is another one than the cluster's
  uint32_t insert_rows_max = kInsertRows;
  // What one INSERT, or more, may take; where that is not enough the rows go through S3.
  size_t insert_bytes_max = kInsertBytes;
  size_t inserts_max = SIZE_MAX;
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
  std::string key;  // in the staging
  bool staged = false;
  std::vector<std::string> inserts = {};  // else
};

class Load {
 public:
  Load(flow::StoreTable table, LoadSettings settings, Staging* staging)
      : table_(std::move(table)), settings_(std::move(settings)), staging_(staging) {}

  // Into S3 under the share's key, or into the share. What needs no server to be refused goes to
  // `rejected`; then nothing was put anywhere.
  Result<void> prepare(std::span<const flow::StoreRows> rows, Share& share,
                       std::vector<flow::RejectedRow>& rejected) const;
  // What makes the stage, fills it, and brings its rows into the table; the stage is gone then.
  void add_steps(const Share& share, int part, std::vector<Step>& steps) const;
  // After a transaction failed at these steps with Trouble::data: which rows it was.
  Answer<std::vector<flow::RejectedRow>> find_refused(Database& db,
                                                      std::span<const flow::StoreRows> rows,
                                                      const Share& share) const;

 private:
  std::string copy_text(const Share& share, uint32_t errors_max) const;
  bool as_inserts(std::span<const flow::StoreRows> rows, Share& share,
                  std::vector<flow::RejectedRow>& rejected) const;
  Answer<std::vector<flow::RejectedRow>> load_errors(Database& db,
                                                     std::span<const flow::StoreRows> rows,
                                                     const Share& share) const;
  Answer<void> probe(Database& db, std::span<const flow::StoreRows> rows, const Share& share,
                     uint32_t begin, uint32_t end) const;
  Answer<bool> halve(Database& db, std::span<const flow::StoreRows> rows, const Share& share,
                     std::pair<uint32_t, uint32_t> range, bool known_bad,
                     std::vector<flow::RejectedRow>& found) const;

  flow::StoreTable table_;
  LoadSettings settings_;
  Staging* staging_;  // may be null
};

// One statement or several, with Redshift's errors understood.
Answer<std::vector<Rows>> run(Database& db, const std::string& sql, size_t answers_min = 1);

}  // namespace penstock::store::redshift
