#include "store/postgres/session.h"

#include "store/postgres/refused_rows.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace penstock::store::postgres {
namespace {

constexpr int kClaimTries = 4;

// Statements here rely on these, whatever the role or the database has set.
constexpr const char* kSetUp =
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; "
    "SET client_min_messages = warning; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; "
    "SET default_transaction_isolation = 'read committed'; SET lock_timeout = '30s'; "
    "SET idle_in_transaction_session_timeout = '60s'; SET jit = off; "
    "SELECT pg_catalog.set_config('synchronous_commit', 'on', false) WHERE "
    "pg_catalog.current_setting('synchronous_commit') = 'off'";

constexpr const char* kMe =
    "owner = pg_catalog.pg_backend_pid(), owner_since = (SELECT backend_start FROM "
    "pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid())";

DbError unreadable(std::string what) { return {Trouble::settings, "XX001", std::move(what)}; }

}  // namespace

Answer<Connection> open_database(const StoreSettings& settings, const Interrupt* interrupt) {
  auto db = Connection::open(settings.connection, interrupt);
  if (!db) return db;
  // The server gives a statement up before we give the server up: then it holds no lock any more.
  const std::string set_up = fmt::format("{}; SET statement_timeout = {}", kSetUp,
                                         settings.connection.answer_millis / 6 * 5);
  if (auto set = db->run(set_up); !set) return std::unexpected(std::move(set).error());
  return db;
}

Session::Session(StoreSettings settings, flow::StoreSpec spec)
    : settings_(std::move(settings)),
      spec_(std::move(spec)),
      names_(names_of(spec_.table, settings_.schema)),
      encoder_(spec_.table) {}

Answer<void> Session::open() {
  if (db_ && db_->good()) return {};
  db_.reset();
  owns_ = false;
  auto db = open_database(settings_, &interrupt_);
  if (!db) return std::unexpected(std::move(db).error());
  if (auto made = db->run(stage_text(spec_.table)); !made)
    return std::unexpected(std::move(made).error());
  db_.emplace(*std::move(db));
  return {};
}

Result<void> Session::check_tables() {
  for (const TableName& name : names_) {
    PENSTOCK_TRY(missing, missing_text(*db_, settings_.connection.where, spec_.table, name));
    if (missing.statements.empty()) continue;
    return fail("S002"_code, fmt::format("{}: table {} {}", settings_.connection.where, name.text(),
                                         missing.is_there ? "lacks columns" : "is not there"))
        .cure(fmt::format("{}", fmt::join(missing.statements, "; ")));
  }
  return {};
}

std::string Session::where_of(Partition partition) const {
  return fmt::format(
      " WHERE pipeline = {} AND stage = {} AND store = {} AND lineage = {} AND partition = {}",
      sql_text(spec_.pipeline), sql_text(spec_.stage), sql_text(spec_.store),
      sql_text(spec_.lineages[partition.topic]), partition.index);
}

// ---- claim

flow::SinkEvent Session::claim(const flow::PartitionSet& partitions) {
  for (int tries = 0;; ++tries) {
    DbError error;
    if (auto opened = open(); !opened) {
      error = std::move(opened).error();
    } else {
      if (auto fit = check_tables(); !fit) {
        const bool passing = fit.error().code != "S002"_code && fit.error().code != "S020"_code;
        undo();
        return flow::ClaimFailed{std::move(fit).error(), passing};
      }
      auto taken = take(partitions);
      if (taken && taken->refused) return flow::ClaimFailed{*std::move(taken->refused), false};
      if (taken) {
        owns_ = owns_ || !claimed_;
        claimed_ = true;
        return std::move(taken->claimed);
      }
      error = std::move(taken).error();
      undo();
      const bool held = error.state == "55P03" || error.state == "40P01";
      if (held && tries + 1 < kClaimTries) {
        end_owners(partitions);
        continue;
      }
    }
    return flow::ClaimFailed{to_error(error, settings_.connection.where),
                             error.trouble != Trouble::settings};
  }
}

Answer<Session::Taken> Session::take(const flow::PartitionSet& partitions) {
  Taken taken;
  auto begun = db_->run("BEGIN; SET LOCAL lock_timeout = '1s'");
  if (!begun) return std::unexpected(std::move(begun).error());
  for (const Partition partition : partitions) {
    if (auto one = take_one(partition, taken); !one) return std::unexpected(std::move(one).error());
    if (taken.refused) {
      undo();
      return taken;
    }
  }
  if (auto committed = db_->run("COMMIT"); !committed)
    return std::unexpected(std::move(committed).error());
  return taken;
}

Answer<void> Session::take_one(Partition partition, Taken& taken) {
  auto row = bump(partition);
  if (row && row->cells.empty()) {
    const auto anew = was_made_anew(partition);
    if (!anew) return std::unexpected(anew.error());
    const std::string& topic = spec_.inputs[partition.topic];
    if (*anew) {
      taken.refused =
          fail("S003"_code, fmt::format("{}: topic \"{}\" was made anew since the store read it",
                                        settings_.connection.where, topic))
              .cure(fmt::format("to read the new topic from its beginning: DELETE FROM {} WHERE "
                                "stage = {} AND topic = {}",
                                positions_name(settings_.schema), sql_text(spec_.stage),
                                sql_text(topic)))
              .take();
      return {};
    }
    auto inserted = db_->run(fmt::format(
        "INSERT INTO {} (pipeline, stage, store, lineage, partition, topic, next, term) VALUES "
        "({}, {}, {}, {}, {}, {}, 0, 0) ON CONFLICT DO NOTHING",
        positions_name(settings_.schema), sql_text(spec_.pipeline), sql_text(spec_.stage),
        sql_text(spec_.store), sql_text(spec_.lineages[partition.topic]), partition.index,
        sql_text(topic)));
    if (!inserted) return std::unexpected(std::move(inserted).error());
    row = bump(partition);
  }
  if (!row) return std::unexpected(std::move(row).error());
  if (row->cells.size() != 1) return std::unexpected(unreadable("a position's row vanished"));
  const std::string next = row->text(0, 0), term = row->text(0, 1), told = row->text(0, 2);
  if (next.empty() || term.empty())
    return std::unexpected(unreadable("a position's row is not readable"));
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

Answer<Rows> Session::bump(Partition partition) {
  auto answers =
      db_->run(fmt::format("UPDATE {} SET term = term + 1, {}{} RETURNING next, term, "
                           "fates",
                           positions_name(settings_.schema), kMe, where_of(partition)));
  if (!answers) return std::unexpected(std::move(answers).error());
  return std::move(answers->back());
}

Answer<bool> Session::was_made_anew(Partition partition) {
  auto answers = db_->run(fmt::format(
      "SELECT 1 FROM {} WHERE pipeline = {} AND stage = {} AND store = {} AND lineage <> {} AND "
      "partition = {} AND topic = {} AND fates IS NOT NULL LIMIT 1",
      positions_name(settings_.schema), sql_text(spec_.pipeline), sql_text(spec_.stage),
      sql_text(spec_.store), sql_text(spec_.lineages[partition.topic]), partition.index,
      sql_text(spec_.inputs[partition.topic])));
  if (!answers) return std::unexpected(std::move(answers).error());
  return !answers->back().cells.empty();
}

// A worker that was stopped inside a transaction keeps its rows locked for as long as it is
// stopped: its server process is ended. Nothing of what it had begun stays.
void Session::end_owners(const flow::PartitionSet& partitions) {
  for (const Partition partition : partitions) {
    (void)db_->run(fmt::format(
        "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM {} p JOIN pg_catalog.pg_stat_activity "
        "a ON a.pid = p.owner AND a.backend_start = p.owner_since{} AND a.pid <> "
        "pg_catalog.pg_backend_pid()",
        positions_name(settings_.schema), where_of(partition)));
  }
}

// ---- commit

flow::Ended Session::commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                            std::set<flow::RowId>& refused) {
  encoder_.encode(rows, refused);
  if (!encoder_.rejected().empty()) return reject(encoder_.rejected(), refused);
  if (auto opened = open(); !opened) return failed(opened.error());
  if (!owns_) {
    const auto ours = take_back(commit);
    if (!ours) return failed(ours.error());
    if (!*ours) return fenced();
  }
  const bool copies = encoder_.count() > 0;
  const auto ours = begin(commit, copies);
  if (!ours) return failed(ours.error());
  if (!*ours) return fenced();
  if (!copies) return finish(commit);
  if (auto copied = copy(); !copied) {
    if (copied.error().trouble != Trouble::data) return failed(copied.error());
    undo();
    if (auto again = db_->run("BEGIN"); !again) return failed(again.error());
    auto found = copy_in_parts(*db_, encoder_);
    if (!found) return failed(found.error());
    if (found->empty()) return failed(copied.error());
    return reject(*std::move(found), refused);
  }
  std::vector<flow::RejectedRow> rejected;
  if (auto merged = merge(rejected); !merged) return failed(merged.error());
  if (!rejected.empty()) return reject(std::move(rejected), refused);
  return finish(commit);
}

// The rows of our partitions name a connection that is gone: they get this one's, as long as the
// term is still ours.
Answer<bool> Session::take_back(const flow::Commit& commit) {
  std::string sql = "SET lock_timeout = '1s'";
  for (const flow::PartitionCommit& moved : commit.partitions)
    sql += fmt::format("; UPDATE {} SET {}{} AND term = {}", positions_name(settings_.schema), kMe,
                       where_of(moved.partition), moved.term.value);
  sql += "; SET lock_timeout = '30s'";
  auto answers = db_->run(sql, commit.partitions.size() + 2);
  if (!answers) {
    if (answers.error().state == "55P03") {
      flow::PartitionSet partitions;
      for (const auto& moved : commit.partitions) partitions.push_back(moved.partition);
      end_owners(partitions);
    }
    return std::unexpected(std::move(answers).error());
  }
  for (size_t i = 0; i < commit.partitions.size(); ++i) {
    if ((*answers)[i + 1].changed != 1) return false;
  }
  owns_ = true;
  return true;
}

// False: somebody else owns some of it; the transaction is over.
Answer<bool> Session::begin(const flow::Commit& commit, bool copies) {
  std::string sql = "BEGIN";
  for (const flow::PartitionCommit& moved : commit.partitions) {
    sql += fmt::format("; UPDATE {} SET next = {}, fates = {}{} AND next = {} AND term = {}",
                       positions_name(settings_.schema), moved.next.value,
                       sql_text(flow::to_text(moved.fates)), where_of(moved.partition),
                       moved.from.value, moved.term.value);
  }
  if (copies) sql += fmt::format("; {}", kCopyText);
  const size_t answers_min = commit.partitions.size() + 1;
  auto answers = copies ? db_->begin_copy(sql) : db_->run(sql, answers_min);
  if (answers && answers->size() < answers_min)
    return std::unexpected(DbError{Trouble::lost, "", "the server's answer makes no sense"});
  if (!answers) return std::unexpected(std::move(answers).error());
  for (size_t i = 0; i < commit.partitions.size(); ++i) {
    if ((*answers)[i + 1].changed == 1) continue;
    if (copies) db_->fail_copy();
    return false;
  }
  return true;
}

Answer<void> Session::copy() {
  for (const ByteView bytes :
       {RowEncoder::header(), encoder_.bytes(0, encoder_.count()), RowEncoder::trailer()}) {
    if (auto sent = db_->put(bytes); !sent) return sent;
  }
  return db_->end_copy();
}

// Into every table; what the server refuses is looked for in parts.
Answer<void> Session::merge(std::vector<flow::RejectedRow>& rejected) {
  std::string sql = "SAVEPOINT penstock_merge";
  for (uint32_t i = 0; i < names_.size(); ++i) {
    const auto [begin, end] = encoder_.range(i);
    if (begin == end) continue;
    const bool all = end - begin == encoder_.count();
    sql += "; " + merge_text(spec_.table, names_[i],
                             all ? "" : fmt::format("ord >= {} AND ord < {}", begin, end));
  }
  sql += "; SET CONSTRAINTS ALL IMMEDIATE";
  auto merged = db_->run(sql);
  if (merged) return {};
  if (merged.error().trouble != Trouble::data) return std::unexpected(std::move(merged).error());
  if (auto undone = db_->run("ROLLBACK TO SAVEPOINT penstock_merge"); !undone)
    return std::unexpected(std::move(undone).error());
  auto found = merge_in_parts(*db_, spec_.table, names_, encoder_);
  if (!found) return std::unexpected(std::move(found).error());
  rejected = *std::move(found);
  return {};
}

flow::Ended Session::finish(const flow::Commit& commit) {
  auto committed = db_->run("COMMIT");
  if (!committed) {
    // An answer with a SQLSTATE over a connection that lives is a transaction that was undone. All
    // else is unknown, and the position's row says what happened.
    if (committed.error().trouble != Trouble::lost) return failed(committed.error());
    Error error = to_error(committed.error(), settings_.connection.where);
    db_.reset();
    return {flow::CommitEnd::unknown, {}, {}, std::move(error)};
  }
  flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
  for (const flow::PartitionCommit& moved : commit.partitions)
    ended.durable.set(moved.partition, moved.next);
  return ended;
}

flow::Ended Session::reject(std::vector<flow::RejectedRow> rows, std::set<flow::RowId>& refused) {
  undo();
  for (const flow::RejectedRow& row : rows) refused.insert(row.row);
  return {flow::CommitEnd::rejected,
          {},
          std::move(rows),
          fail("S007"_code, settings_.connection.where + ": rows were refused").take()};
}

flow::Ended Session::fenced() {
  undo();
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
  return {passing ? flow::CommitEnd::retry : flow::CommitEnd::unknown,
          {},
          {},
          to_error(error, settings_.connection.where)};
}

}  // namespace penstock::store::postgres
