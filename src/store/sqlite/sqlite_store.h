// sqlite_store.h — a store in one SQLite file.
//
// An epoch is one transaction: the stored positions are compared and swapped first, then the rows.
// Durable against power loss (WAL, synchronous=FULL). Columns are described in cell.h; the
// positions lie beside the rows in the table penstock_positions.
//
// Thread      the store from any thread; a sink from its worker. Each sink has a helper thread, for
//             SQLite waits for the disk and for other writers; nothing waits in the caller.
// Lifetime    the store outlives its sinks. Readers of other programs may look at the file any
//             time.
// Limits      one writer at a time per file: sinks take turns. 256 MiB per value.
// Errors      open: S001, S005 (damaged); create_missing: S002, S008. At run time outages are
//             `retry`, damage is `fatal`, bad rows are `rejected`.
//
//     PENSTOCK_TRY(store, store::SqliteStore::open(".penstock/stores/warehouse.sqlite"));
//     PENSTOCK_TRY_VOID(store->create_missing(table));
//     PENSTOCK_TRY(sink, store->open_sink(spec, waker));
#pragma once

#include "flow/part_spec.h"
#include "flow/store.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace penstock::store {

class SqliteStore final : public flow::Store {
 public:
  // Makes the file and its folder when they are missing.
  static Result<std::unique_ptr<SqliteStore>> open(std::string path);
  // For looking, also while another process writes. The file must be there (S001).
  static Result<std::unique_ptr<SqliteStore>> open_read_only(std::string path);

  Result<void> create_missing(const flow::StoreTable& table) override;
  Result<std::unique_ptr<flow::StoreSink>> open_sink(const flow::StoreSpec& spec,
                                                     flow::Waker& waker) override;
  // An empty spec.stage means all stages.
  Result<flow::StoreState> state(const flow::StoreSpec& spec) override;
  // By newest_by where the table has it, else by the order of first writing.
  Result<std::vector<std::string>> newest(const flow::StoreTable& table, uint32_t limit,
                                          const std::optional<flow::RowFilter>& of) override;

 private:
  SqliteStore(std::string path, bool read_only)
      : path_(std::move(path)), read_only_(read_only), turn_(std::make_shared<std::mutex>()) {}
  std::string path_;
  bool read_only_;
  std::shared_ptr<std::mutex> turn_;  // one writer of this process at a time
};

std::vector<flow::PartSpec> sqlite_part_specs();

}  // namespace penstock::store
