// session.h — claims and commits of one sink on one connection, as calls that wait.
//
//  claim: BEGIN; LOCK the positions; per partition UPDATE term + 1, SELECT; COMMIT. LOCK waits for
//         whoever has it; who keeps it longer than patience_millis is ended. Then what a dead run
//         left in the staging under these partitions goes.
//  commit: rows to S3 (or none, when they are few) │ BEGIN; LOCK; swap the positions │ CREATE TEMP
//         TABLE; COPY; MERGE; DROP, per table │ COMMIT │ the staged objects go │ done
//          the swap finds another position or term: fenced, nothing written
//          rows are refused: found outside the transaction, rejected
//          error 1023, a lost connection, an outage of S3 before COMMIT: retry, with what is staged
//          the connection is lost at COMMIT: unknown, never sent again
//
// Thread      the sink's helper thread; stop() from the worker.
// Lifetime    rows passed to commit() are read during the call only; the staging outlives it.
// Errors      see DbError; a table or right that went away is `unknown`, so that the next claim
//             says why and is tried slowly.
#pragma once

#include "store/libpq/connection.h"
#include "store/redshift/load.h"
#include "store/redshift/logins.h"
#include "store/redshift/position_table.h"
#include "store/rows/winners.h"
#include "store/thread/threaded_sink.h"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace penstock::store::redshift {

// A statement of Redshift's may take minutes: queues, and loads of a whole epoch.
inline constexpr int64_t kAnswerMinutesMillis = 900'000;

struct StoreSettings {
  ConnectionSettings connection;
  std::string schema = "public";  // of positions, and of tables without one
  bool create = false;            // tables that are missing are made
  LoadSettings load;
  int64_t patience_millis = 120'000;  // with whoever holds the positions
  // Makes the staging of one sink; none: rows go in by INSERT.
  std::function<Result<std::unique_ptr<Staging>>()> staging = {};
  // None: the connection's own parameters have the login.
  std::shared_ptr<Logins> logins = {};
};

// A connection with everything set that the statements of this room rely on.
Answer<Connection> open_database(const StoreSettings& settings, const Interrupt* interrupt);

class Session final : public store::StoreSession {
 public:
  Session(StoreSettings settings, flow::StoreSpec spec, std::unique_ptr<Staging> staging);

  flow::SinkEvent claim(const flow::PartitionSet& partitions) override;
  flow::Ended commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                     std::set<flow::RowId>& refused) override;
  void forget_epoch() noexcept override;
  void stop() noexcept override;

 private:
  // What a claim found out; `refused` is an error that waiting does not mend.
  struct Taken {
    flow::Claimed claimed;
    std::optional<Error> refused;
  };
  Answer<void> open();
  Result<void> find_tables();
  Answer<void> lock(bool creates);
  Answer<Taken> take(const flow::PartitionSet& partitions);
  Answer<void> take_one(Partition partition, Taken& taken);
  void end_holders();
  void sweep(const flow::PartitionSet& partitions);
  std::string folder(Partition partition) const;
  void leave();
  void clean();
  void drop();

  bool is_prepared(const flow::Commit& commit, const std::set<flow::RowId>& refused) const;
  std::optional<flow::Ended> prepare(const flow::Commit& commit,
                                     std::span<const flow::StoreRows> rows,
                                     std::set<flow::RowId>& refused);
  Answer<bool> begin(const flow::Commit& commit);
  std::optional<flow::Ended> move(std::span<const flow::StoreRows> rows,
                                  std::set<flow::RowId>& refused);
  flow::Ended finish(const flow::Commit& commit);
  flow::Ended reject(std::vector<flow::RejectedRow> rows, std::set<flow::RowId>& refused);
  flow::Ended fenced();
  flow::Ended failed(const DbError& error);
  void undo();

  StoreSettings settings_;
  flow::StoreSpec spec_;
  PositionTable positions_;
  std::unique_ptr<Staging> staging_;
  Winners winners_;
  Load load_;
  Interrupt interrupt_;
  std::optional<Connection> db_;
  std::vector<Target> targets_;  // of StoreTable::each

  // What was made ready of the open epoch, for as long as it is tried again.
  std::vector<flow::PartitionCommit> prepared_;
  size_t prepared_without_ = 0;  // so many refused rows
  std::vector<Share> shares_;
  std::vector<std::string> left_;  // keys of objects that nobody needs any more
};

}  // namespace penstock::store::redshift
