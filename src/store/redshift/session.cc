#include "store/redshift/session.h"

#include "store/redshift/trouble.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace penstock::store::redshift {
namespace {

constexpr int kClaimTries = 4;
constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kCancelled = "57014";

// Statements here rely on these, whatever the user or the cluster has set.
constexpr const char* kSetUp =
    "SET client_encoding TO 'UTF8'; SET datestyle TO 'ISO, YMD'; SET timezone TO 'UTC'; "
    "SET extra_float_digits TO 2";

DbError unreadable(std::string what) { return {Trouble::settings, "XX001", std::move(what)}; }

bool same(const flow::PartitionCommit& a, const flow::PartitionCommit& b) {
  return a.partition == b.partition && a.term == b.term && a.from == b.from && a.next == b.next;
}

}  // namespace

Answer<Connection> open_database(const StoreSettings& settings, const Interrupt* interrupt) {
  ConnectionSettings connection = settings.connection;
  if (settings.logins) {
    auto login = settings.logins->obtain();
    if (!login) {
      const bool refused = login.error().code == "W003"_code ||
                           catalogue_entry(login.error().code).cls == ErrorClass::pipeline;
      return std::unexpected(
          DbError{refused ? Trouble::settings : Trouble::passing, "", one_line(login.error())});
    }
    connection.parameters.emplace_back("user", login->user);
    connection.parameters.emplace_back("password", login->password);
  }
  auto db = Connection::open(connection, interrupt);
  if (!db) {
    // It may have ended since it was given: the next one is a new one.
    if (settings.logins && db.error().trouble == Trouble::settings) {
      settings.logins->refused();
      db.error().trouble = Trouble::passing;
    }
    return db;
  }
  // The server gives a statement up before we give the server up: then it holds no lock any more.
  if (auto set = run(*db, fmt::format("{}; SET statement_timeout TO {}", kSetUp,
                                      connection.answer_millis / 6 * 5));
      !set)
    return std::unexpected(std::move(set).error());
  return db;
}

Session::Session(StoreSettings settings, flow::StoreSpec spec, std::unique_ptr<Staging> staging)
    : settings_(std::move(settings)),
      spec_(std::move(spec)),
      positions_(settings_.schema, spec_),
      staging_(std::move(staging)),
      winners_(spec_.table, Blanks::trailing_ignored),
      load_(spec_.table, settings_.load, staging_.get()) {}

void Session::stop() noexcept {
  interrupt_.raise();
  if (staging_) staging_->stop();
}

Answer<void> Session::open() {
  if (db_ && db_->good()) return {};
  db_.reset();
  auto db = open_database(settings_, &interrupt_);
  if (!db) return std::unexpected(std::move(db).error());
  db_.emplace(*std::move(db));
  return {};
}

Result<void> Session::find_tables() {
  const std::string& where = settings_.connection.where;
  targets_.clear();
  for (const TableName& name : names_of(spec_.table, settings_.schema)) {
    PENSTOCK_TRY(missing, missing_text(*db_, where, spec_.table, name));
    if (!missing.statements.empty()) {
      return fail("S002"_code, fmt::format("{}: table {} {}", where, name.text(),
                                           missing.is_there ? "lacks columns" : "is not there"))
          .cure(fmt::format("{}", fmt::join(missing.statements, "; ")));
    }
    targets_.push_back({name, std::move(missing.columns), std::move(missing.not_null)});
  }
  return {};
}

// ---- claim

flow::SinkEvent Session::claim(const flow::PartitionSet& partitions) {
  leave();
  for (int tries = 0;; ++tries) {
    DbError error;
    if (auto opened = open(); !opened) {
      error = std::move(opened).error();
    } else {
      if (auto fit = find_tables(); !fit) {
        const bool passing = fit.error().code != "S002"_code && fit.error().code != "S020"_code;
        undo();
        return flow::ClaimFailed{std::move(fit).error(), passing};
      }
      auto taken = take(partitions);
      if (taken && taken->refused) return flow::ClaimFailed{*std::move(taken->refused), false};
      if (taken) {
        sweep(partitions);
        return std::move(taken->claimed);
      }
      error = std::move(taken).error();
      undo();
      if (error.state == kCancelled && tries + 1 < kClaimTries) {
        end_holders();
        continue;
      }
    }
    return flow::ClaimFailed{error_about(error, settings_.connection.where),
                             error.trouble != Trouble::settings};
  }
}

// Begins a transaction whose first act is the lock.
Answer<void> Session::lock(bool creates) {
  const std::string patient = fmt::format(
      "SET statement_timeout TO {}; BEGIN; {}; SET statement_timeout TO {}",
      settings_.patience_millis, positions_.lock(), settings_.connection.answer_millis / 6 * 5);
  auto locked = run(*db_, patient, 4);
  if (!locked && creates && locked.error().state == kUndefinedTable) {
    undo();
    if (!db_) return std::unexpected(std::move(locked).error());
    if (auto made = run(*db_, positions_.create()); !made)
      return std::unexpected(std::move(made).error());
    locked = run(*db_, patient, 4);
  }
  if (!locked) return std::unexpected(std::move(locked).error());
  return {};
}

Answer<Session::Taken> Session::take(const flow::PartitionSet& partitions) {
  Taken taken;
  if (auto locked = lock(true); !locked) return std::unexpected(std::move(locked).error());
  for (const Partition partition : partitions) {
    if (auto one = take_one(partition, taken); !one) return std::unexpected(std::move(one).error());
    if (taken.refused) {
      undo();
      return taken;
    }
  }
  if (auto committed = run(*db_, "COMMIT"); !committed)
    return std::unexpected(std::move(committed).error());
  return taken;
}

Answer<void> Session::take_one(Partition partition, Taken& taken) {
  auto bumped = run(*db_, positions_.bump(partition));
  if (!bumped) return std::unexpected(std::move(bumped).error());
  if (bumped->back().changed == 0) {
    auto others = run(*db_, positions_.others(partition));
    if (!others) return std::unexpected(std::move(others).error());
    const std::string& topic = spec_.inputs[partition.topic];
    if (!others->back().cells.empty()) {
      taken.refused =
          fail("S003"_code, fmt::format("{}: topic \"{}\" was made anew since the store read it",
                                        settings_.connection.where, topic))
              .cure(fmt::format("to read the new topic from its beginning: DELETE FROM {} WHERE "
                                "\"stage\" = {} AND \"topic\" = {}",
                                positions_.sql(), text_sql(spec_.stage), text_sql(topic)))
              .take();
      return {};
    }
    if (auto made = run(*db_, positions_.insert(partition)); !made)
      return std::unexpected(std::move(made).error());
  }
  auto found = run(*db_, positions_.read(partition));
  if (!found) return std::unexpected(std::move(found).error());
  const Rows& row = found->back();
  const std::string next = row.text(0, 0), term = row.text(0, 1), told = row.text(0, 2);
  if (row.cells.size() != 1 || next.empty() || term.empty())
    return std::unexpected(unreadable("a position's row is not readable, or there are several"));
  flow::Owned owned{partition,
                    {std::strtoull(term.c_str(), nullptr, 10)},
                    {std::strtoll(next.c_str(), nullptr, 10)},
                    {},
                    told.empty() ? flow::Start::first : flow::Start::resumed,
                    {}};
  if (!told.empty()) {
    auto fates = flow::fates_from_text(told);
    if (!fates) return std::unexpected(unreadable("the fates of a position are not readable"));
    owned.fates = *std::move(fates);
  }
  taken.claimed.owned.push_back(std::move(owned));
  return {};
}

// A worker that stands still inside a transaction keeps the positions for as long: its session is
// ended, and nothing of what it had begun stays.
void Session::end_holders() {
  if (!db_) return;
  auto holders = run(
      *db_,
      fmt::format("SELECT t.pid FROM svv_transactions t, pg_class c, pg_namespace n WHERE "
                  "c.relnamespace = n.oid AND n.nspname = {} AND c.relname = {} AND t.relation = "
                  "c.oid AND t.lock_mode = 'AccessExclusiveLock' AND t.granted AND t.pid <> "
                  "pg_backend_pid()",
                  text_sql(folded(settings_.schema)), text_sql(positions_.table())));
  if (!holders) return;
  for (size_t i = 0; i < holders->back().cells.size(); ++i) {
    const int pid = std::atoi(holders->back().text(i, 0).c_str());
    (void)run(*db_, fmt::format("SELECT pg_terminate_backend({})", pid));
  }
}

std::string Session::folder(Partition partition) const {
  return fmt::format("{}/{}/{}/{}-{}/", spec_.pipeline, spec_.stage, spec_.store,
                     spec_.inputs[partition.topic], partition.index);
}

// What a run that died had staged. Whoever still lives there has an older term, and is fenced.
void Session::sweep(const flow::PartitionSet& partitions) {
  if (!staging_) return;
  clean();
  for (const Partition partition : partitions) {
    auto left = staging_->list(folder(partition));
    if (left && !left->empty()) (void)staging_->remove(*left);
  }
}

// ---- commit

flow::Ended Session::commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                            std::set<flow::RowId>& refused) {
  if (auto opened = open(); !opened) return failed(opened.error());
  if (!is_prepared(commit, refused)) {
    if (auto ended = prepare(commit, rows, refused)) return *std::move(ended);
  }
  const auto ours = begin(commit);
  if (!ours) return failed(ours.error());
  if (!*ours) return fenced();
  if (auto ended = move(rows, refused)) return *std::move(ended);
  return finish(commit);
}

bool Session::is_prepared(const flow::Commit& commit, const std::set<flow::RowId>& refused) const {
  return !prepared_.empty() && prepared_without_ == refused.size() &&
         std::ranges::equal(prepared_, commit.partitions, same);
}

std::optional<flow::Ended> Session::prepare(const flow::Commit& commit,
                                            std::span<const flow::StoreRows> rows,
                                            std::set<flow::RowId>& refused) {
  drop();
  winners_.choose(rows, refused);
  if (!winners_.rejected().empty()) return reject(winners_.rejected(), refused);
  std::vector<flow::RejectedRow> rejected;
  for (uint32_t i = 0; i < targets_.size(); ++i) {
    const auto [begin, end] = winners_.range(i);
    if (begin == end) continue;
    Share share{&targets_[i], std::span(winners_.all()).subspan(begin, end - begin), {}, {}};
    const flow::PartitionCommit& first = commit.partitions.front();
    const std::string key = fmt::format("{}{}-{}-{}.avro", folder(first.partition),
                                        first.from.value, first.term.value, i);
    if (auto made = load_.prepare(rows, key, share, rejected); !made) {
      const bool passing = made.error().code == "S042"_code;
      return flow::Ended{passing ? flow::CommitEnd::retry : flow::CommitEnd::unknown,
                         {},
                         {},
                         std::move(made).error()};
    }
    shares_.push_back(std::move(share));
  }
  if (!rejected.empty()) return reject(std::move(rejected), refused);
  prepared_ = commit.partitions;
  prepared_without_ = refused.size();
  return {};
}

// False: somebody else owns some of it; the transaction is over.
Answer<bool> Session::begin(const flow::Commit& commit) {
  if (auto locked = lock(false); !locked) return std::unexpected(std::move(locked).error());
  std::string sql;
  for (const flow::PartitionCommit& moved : commit.partitions)
    sql += (sql.empty() ? "" : "; ") + positions_.swap(moved);
  if (sql.empty()) return true;
  auto answers = run(*db_, sql, commit.partitions.size());
  if (!answers) return std::unexpected(std::move(answers).error());
  return std::ranges::all_of(*answers, [](const Rows& one) { return one.changed == 1; });
}

// All shares into their tables; an Ended when that did not go.
std::optional<flow::Ended> Session::move(std::span<const flow::StoreRows> rows,
                                         std::set<flow::RowId>& refused) {
  for (const Share& share : shares_) {
    auto moved = load_.fill(*db_, share);
    if (moved) moved = load_.merge(*db_, share);
    if (moved) continue;
    if (moved.error().trouble != Trouble::data) return failed(moved.error());
    undo();
    if (!db_) return failed({Trouble::lost, "", moved.error().message});
    auto found = load_.find_refused(*db_, rows, share);
    if (!found) return failed(found.error());
    if (found->empty()) return failed(moved.error());
    return reject(*std::move(found), refused);
  }
  return {};
}

flow::Ended Session::finish(const flow::Commit& commit) {
  auto committed = run(*db_, "COMMIT");
  if (!committed) {
    // An answer with a SQLSTATE over a connection that lives is a transaction that was undone. All
    // else is unknown, and the position's row says what happened.
    if (committed.error().trouble != Trouble::lost) return failed(committed.error());
    Error error = error_about(committed.error(), settings_.connection.where);
    db_.reset();
    drop();
    return {flow::CommitEnd::unknown, {}, {}, std::move(error)};
  }
  flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
  for (const flow::PartitionCommit& moved : commit.partitions)
    ended.durable.set(moved.partition, moved.next);
  drop();
  return ended;
}

// Of an epoch that was given up: the worker does not wait for S3.
void Session::forget_epoch() noexcept { leave(); }

void Session::leave() {
  for (const Share& share : shares_) {
    if (!share.key.empty()) left_.push_back(share.key);
  }
  prepared_.clear();
  shares_.clear();
}

// All but a retry: nobody reads these objects again, whatever became of the epoch.
void Session::drop() {
  leave();
  clean();
}

// What is not needed any more goes. What can not go now, the next call or a later claim takes.
void Session::clean() {
  if (staging_ && !left_.empty() && staging_->remove(left_)) left_.clear();
}

flow::Ended Session::reject(std::vector<flow::RejectedRow> rows, std::set<flow::RowId>& refused) {
  undo();
  drop();
  for (const flow::RejectedRow& row : rows) refused.insert(row.row);
  return {flow::CommitEnd::rejected,
          {},
          std::move(rows),
          fail("S007"_code, settings_.connection.where + ": rows were refused").take()};
}

flow::Ended Session::fenced() {
  undo();
  drop();
  return {
      flow::CommitEnd::fenced,
      {},
      {},
      fail("S004"_code, settings_.connection.where + ": a newer worker owns the partition").take()};
}

// ---- trouble

void Session::undo() {
  if (!db_) return;
  if (!db_->good() || (db_->in_transaction() && !db_->run("ROLLBACK"))) db_.reset();
}

// COMMIT was not sent, so nothing of it is there.
flow::Ended Session::failed(const DbError& error) {
  if (error.trouble == Trouble::lost) db_.reset();
  undo();
  const bool passing = error.trouble == Trouble::lost || error.trouble == Trouble::passing;
  if (!passing) drop();
  return {passing ? flow::CommitEnd::retry : flow::CommitEnd::unknown,
          {},
          {},
          error_about(error, settings_.connection.where)};
}

}  // namespace penstock::store::redshift
