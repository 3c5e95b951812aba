// session.h — claims and commits of one sink on one connection, as calls that wait.
//
// Each ends in one transaction. Its first statement compares and swaps the stored positions, so
// whoever was overtaken writes nothing.
//
// Thread      the sink's helper thread; sinks of one store take turns under `turn`.
// Lifetime    rows passed to commit() are read during the call only.
// Errors      an outage closes the connection; the next call opens it again (`retry`). A table or
//             file that is another one than was claimed is `fatal`.
#pragma once

#include "store/sqlite/database.h"
#include "store/sqlite/row_writer.h"
#include "store/thread/threaded_sink.h"

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>

namespace penstock::store {

class Session final : public store::StoreSession {
 public:
  Session(std::string path, flow::StoreSpec spec, std::shared_ptr<std::mutex> turn);

  flow::SinkEvent claim(const flow::PartitionSet& partitions) override;
  flow::Ended commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                     std::set<flow::RowId>& refused) override;

 private:
  struct Open {
    Database database;
    Statement begin, commit, rollback, find, other, insert, bump, swap;
    std::vector<RowWriter> writers;  // of each table
  };
  Result<void> ensure_open();
  Outcome claim_one(Partition partition, flow::Claimed& claimed, std::optional<Error>& refused);
  Outcome read_position(Partition partition, flow::Owned& owned, bool& found);
  Outcome check_lineage(Partition partition, std::optional<Error>& refused);
  Outcome write_rows(std::span<const flow::StoreRows> rows, const std::set<flow::RowId>& refused,
                     std::vector<flow::RejectedRow>& rejected);
  Outcome swap_positions(const flow::Commit& commit, bool& fenced);
  void bind_identity(Statement& statement, Partition partition);
  Error error_of(Outcome outcome) const;
  // Undoes what is open; after an outage the connection goes too.
  void undo(bool close);
  flow::Ended failed(Outcome outcome);

  std::string path_;
  flow::StoreSpec spec_;
  std::shared_ptr<std::mutex> turn_;
  std::unique_ptr<Open> open_;
};

}  // namespace penstock::store
