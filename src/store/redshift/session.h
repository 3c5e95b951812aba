// session.h — claims and commits of one sink, as calls that wait.
//
//  claim: what is known of the partitions │ LOCK the positions; term + 1; new ones begin; read.
//         LOCK waits for whoever has it; who keeps it longer than patience_millis is ended. Then
//         what a dead run left in the staging under these partitions goes.
//  commit: rows to S3 (or none, when they are few) │ LOCK; guard and swap of the positions; CREATE
//         TEMP TABLE; COPY; guard; MERGE; DROP, per table │ the staged objects go │ done
//          the guard finds another position or term: fenced, nothing written
//          rows are refused: found outside the transaction, rejected
//          error 1023, a lost connection, an outage of S3 before COMMIT: retry, with what is staged
//          the end is not known (lost at COMMIT; the Data API is away): unknown, never sent again
//
// Thread      the sink's helper thread; stop() from the worker.
// Lifetime    rows passed to commit() are read during the call only; the staging outlives it.
// Errors      see DbError; a table or right that went away is `unknown`, so that the next claim
//             says why and is tried slowly.
#pragma once

#include "store/redshift/database.h"
#include "store/redshift/load.h"
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
  std::string where;  // "energy on db.internal", for people
  // Makes a door of its own for each sink and each call of the store.
  std::function<std::unique_ptr<Database>()> database;
  size_t tables_max = SIZE_MAX;   // in one transaction
  std::string schema = "public";  // of positions, and of tables without one
  bool create = false;            // tables that are missing are made
  LoadSettings load = {};
  int64_t patience_millis = 120'000;  // with whoever holds the positions
  int64_t statement_millis = kAnswerMinutesMillis / 6 * 5;
  // Makes the staging of one sink; none: rows go in by INSERT.
  std::function<Result<std::unique_ptr<Staging>>()> staging = {};
};

class Session final : public store::StoreSession {
 public:
  Session(StoreSettings settings, flow::StoreSpec spec, std::unique_ptr<Staging> staging);

  flow::SinkEvent claim(const flow::PartitionSet& partitions) override;
  flow::Ended commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                     std::set<flow::RowId>& refused) override;
  void forget_epoch() noexcept override;
  void stop() noexcept override;

 private:
  // What a claim finds before it takes anything; `refused` is an error that waiting does not mend.
  struct Known {
    std::vector<Partition> there, missing;
    std::optional<Error> refused;
  };
  Result<void> find_tables();
  std::vector<Step> locked() const;
  Answer<Known> look(const flow::PartitionSet& partitions);
  std::expected<flow::Claimed, Undone> take(const Known& known);
  Answer<flow::Owned> owned_of(Partition partition, const Rows& rows) const;
  std::optional<flow::SinkEvent> claim_once(const flow::PartitionSet& partitions, bool last);
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
  flow::Ended done(const flow::Commit& commit);
  flow::Ended ended_by(const Undone& undone, std::span<const flow::StoreRows> rows,
                       std::set<flow::RowId>& refused);
  flow::Ended reject(std::vector<flow::RejectedRow> rows, std::set<flow::RowId>& refused);
  flow::Ended fenced();
  flow::Ended failed(const DbError& error);

  StoreSettings settings_;
  flow::StoreSpec spec_;
  PositionTable positions_;
  std::unique_ptr<Staging> staging_;
  Winners winners_;
  Load load_;
  std::unique_ptr<Database> db_;
  std::vector<Target> targets_;  // of StoreTable::each

  // What was made ready of the open epoch, for as long as it is tried again.
  std::vector<flow::PartitionCommit> prepared_;
  size_t prepared_without_ = 0;  // so many refused rows
  std::vector<Share> shares_;
  std::vector<std::string> left_;  // keys of objects that nobody needs any more
};

}  // namespace penstock::store::redshift
