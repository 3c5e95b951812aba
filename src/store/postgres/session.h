// session.h — claims and commits of one sink on one connection, as calls that wait.
//
//  claim: per partition UPDATE … SET term = term + 1 … RETURNING, which waits for whoever holds the
//         row and returns what that one left. Who holds it too long is ended (its process is in the
//         row: owner, owner_since).
//  commit: BEGIN; swap the positions; COPY into the stage │ merge, COMMIT │ done
//          the swap finds another position or term: fenced, nothing written
//          the merge is refused: in parts (refused_rows.h), rejected
//          the connection is lost before COMMIT was sent: retry; after: unknown, never sent again
//
// Thread      the sink's helper thread; stop() from the worker.
// Lifetime    rows passed to commit() are read during the call only.
// Errors      see DbError; a table or right that went away is `unknown`, so that the next claim
//             says why and is tried slowly.
#pragma once

#include "store/libpq/connection.h"
#include "store/postgres/row_encoder.h"
#include "store/postgres/table_text.h"
#include "store/thread/threaded_sink.h"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace penstock::store::postgres {

struct StoreSettings {
  ConnectionSettings connection;
  std::string schema = "public";  // of positions, and of tables without one
  bool create = false;            // tables that are missing are made
};

// A connection with everything set that the statements of this room rely on.
Answer<Connection> open_database(const StoreSettings& settings, const Interrupt* interrupt);

class Session final : public store::StoreSession {
 public:
  Session(StoreSettings settings, flow::StoreSpec spec);

  flow::SinkEvent claim(const flow::PartitionSet& partitions) override;
  flow::Ended commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                     std::set<flow::RowId>& refused) override;
  void stop() noexcept override { interrupt_.raise(); }

 private:
  // What a claim found out; `refused` is an error that waiting does not mend.
  struct Taken {
    flow::Claimed claimed;
    std::optional<Error> refused;
  };
  Answer<void> open();
  Result<void> check_tables();
  Answer<Taken> take(const flow::PartitionSet& partitions);
  Answer<void> take_one(Partition partition, Taken& taken);
  Answer<Rows> bump(Partition partition);
  Answer<bool> was_made_anew(Partition partition);
  void end_owners(const flow::PartitionSet& partitions);
  Answer<bool> take_back(const flow::Commit& commit);
  Answer<bool> begin(const flow::Commit& commit, bool copies);
  Answer<void> copy();
  Answer<void> merge(std::vector<flow::RejectedRow>& rejected);
  flow::Ended finish(const flow::Commit& commit);
  flow::Ended reject(std::vector<flow::RejectedRow> rows, std::set<flow::RowId>& refused);
  flow::Ended fenced();
  flow::Ended failed(const DbError& error);
  void undo();
  std::string where_of(Partition partition) const;

  StoreSettings settings_;
  flow::StoreSpec spec_;
  std::vector<TableName> names_;
  RowEncoder encoder_;
  Interrupt interrupt_;
  std::optional<Connection> db_;
  bool owns_ = false;  // the rows of all our partitions name this connection's process
  bool claimed_ = false;
};

}  // namespace penstock::store::postgres
