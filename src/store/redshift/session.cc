#include "store/redshift/session.h"

#include "store/redshift/trouble.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace penstock::store::redshift {
namespace {

constexpr int kClaimTries = 4;
constexpr size_t kPositionColumns = 5;
constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kCancelled = "57014";

DbError unreadable(std::string what) { return {Trouble::settings, "XX001", std::move(what)}; }

bool same(const flow::PartitionCommit& a, const flow::PartitionCommit& b) {
  return a.partition == b.partition && a.term == b.term && a.from == b.from && a.next == b.next;
}

}  // namespace

Session::Session(StoreSettings settings, flow::StoreSpec spec, std::unique_ptr<Staging> staging)
    : settings_(std::move(settings)),
      spec_(std::move(spec)),
      positions_(settings_.schema, spec_),
      staging_(std::move(staging)),
      winners_(spec_.table, Blanks::trailing_ignored),
      load_(spec_.table, settings_.load, staging_.get()),
      db_(settings_.database()) {}

void Session::stop() noexcept {
  db_->stop();
  if (staging_) staging_->stop();
}

Result<void> Session::find_tables() {
  const std::string& where = settings_.where;
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
  for (int tries = 1;; ++tries) {
    if (auto event = claim_once(partitions, tries == kClaimTries)) return *std::move(event);
  }
}

// Nothing: once more.
std::optional<flow::SinkEvent> Session::claim_once(const flow::PartitionSet& partitions,
                                                   bool last) {
  const auto failed = [&](const DbError& error) -> flow::SinkEvent {
    return flow::ClaimFailed{error_about(error, settings_.where),
                             error.trouble != Trouble::settings};
  };
  if (auto opened = db_->open(); !opened) return failed(opened.error());
  if (auto fit = find_tables(); !fit) {
    const bool passing = fit.error().code != "S002"_code && fit.error().code != "S020"_code;
    return flow::ClaimFailed{std::move(fit).error(), passing};
  }
  const auto held = [&](const DbError& error) {
    if (error.state != kCancelled || last) return false;
    end_holders();
    return true;
  };
  auto known = look(partitions);
  if (!known && held(known.error())) return std::nullopt;
  if (!known) return failed(known.error());
  if (known->refused) return flow::ClaimFailed{*std::move(known->refused), false};
  auto taken = take(*known);
  if (taken) {
    sweep(partitions);
    return *std::move(taken);
  }
  const Undone& undone = taken.error();
  // Another one began a partition since we looked.
  if (undone.guard && !last) return std::nullopt;
  if (held(undone.error)) return std::nullopt;
  DbError error = undone.error;
  if (undone.guard) error.trouble = Trouble::passing;
  return failed(error);
}

// The beginning of each transaction.
std::vector<Step> Session::locked() const {
  return {{fmt::format("SET statement_timeout TO {}", settings_.patience_millis)},
          {positions_.lock()},
          {fmt::format("SET statement_timeout TO {}", settings_.statement_millis)}};
}

Answer<Session::Known> Session::look(const flow::PartitionSet& partitions) {
  // Readers wait for the lock as well.
  auto found = db_->ask({fmt::format("SET statement_timeout TO {}", settings_.patience_millis),
                         positions_.known(),
                         fmt::format("SET statement_timeout TO {}", settings_.statement_millis)});
  if (!found && found.error().state == kUndefinedTable) {
    if (auto made = db_->ask({positions_.create()}); !made)
      return std::unexpected(std::move(made).error());
    found = std::vector<Rows>(3);
  }
  if (!found) return std::unexpected(std::move(found).error());
  const Rows& rows = (*found)[1];
  Known known;
  for (const Partition partition : partitions) {
    const std::string& topic = spec_.inputs[partition.topic];
    bool there = false, other = false;
    for (size_t i = 0; i < rows.cells.size(); ++i) {
      if (std::atoi(rows.text(i, 1).c_str()) != partition.index) continue;
      const bool ours = rows.text(i, 0) == spec_.lineages[partition.topic];
      there = there || ours;
      other = other || (!ours && rows.text(i, 2) == topic && !rows.text(i, 3).empty());
    }
    if (other && !there) {
      known.refused =
          fail("S003"_code, fmt::format("{}: topic \"{}\" was made anew since the store read it",
                                        settings_.where, topic))
              .cure(fmt::format("to read the new topic from its beginning: DELETE FROM {} WHERE "
                                "\"stage\" = {} AND \"topic\" = {}",
                                positions_.sql(), text_sql(spec_.stage), text_sql(topic)))
              .take();
    }
    (there ? known.there : known.missing).push_back(partition);
  }
  return known;
}

std::expected<flow::Claimed, Undone> Session::take(const Known& known) {
  std::vector<Step> steps = locked();
  positions_.add_claim(known.there, known.missing, steps);
  auto answers = db_->transact(steps);
  if (!answers) return std::unexpected(std::move(answers).error());
  Rows rows;
  for (Rows& one : *answers) {
    if (!one.cells.empty() && one.cells.front().size() == kPositionColumns)
      rows.cells.insert(rows.cells.end(), one.cells.begin(), one.cells.end());
  }
  flow::Claimed claimed;
  for (const auto* partitions : {&known.there, &known.missing}) {
    for (const Partition partition : *partitions) {
      auto owned = owned_of(partition, rows);
      if (!owned) return std::unexpected(Undone{std::move(owned).error()});
      claimed.owned.push_back(*std::move(owned));
    }
  }
  std::ranges::sort(claimed.owned, {}, &flow::Owned::partition);
  return claimed;
}

Answer<flow::Owned> Session::owned_of(Partition partition, const Rows& rows) const {
  std::optional<flow::Owned> owned;
  for (size_t i = 0; i < rows.cells.size(); ++i) {
    if (rows.text(i, 0) != spec_.lineages[partition.topic] ||
        std::atoi(rows.text(i, 1).c_str()) != partition.index)
      continue;
    const std::string told = rows.text(i, 4);
    if (owned) return std::unexpected(unreadable("a position has several rows"));
    owned = flow::Owned{partition,
                        {std::strtoull(rows.text(i, 3).c_str(), nullptr, 10)},
                        {std::strtoll(rows.text(i, 2).c_str(), nullptr, 10)},
                        {},
                        told.empty() ? flow::Start::first : flow::Start::resumed,
                        {}};
    if (told.empty()) continue;
    auto fates = flow::fates_from_text(told);
    if (!fates) return std::unexpected(unreadable("the fates of a position are not readable"));
    owned->fates = *std::move(fates);
  }
  if (!owned) return std::unexpected(unreadable("a position's row is not there"));
  return *std::move(owned);
}

// A worker that stands still inside a transaction keeps the positions for as long: its session is
// ended, and nothing of what it had begun stays.
void Session::end_holders() {
  auto holders = db_->ask(
      {fmt::format("SELECT t.pid FROM svv_transactions t, pg_class c, pg_namespace n WHERE "
                   "c.relnamespace = n.oid AND n.nspname = {} AND c.relname = {} AND t.relation = "
                   "c.oid AND t.lock_mode = 'AccessExclusiveLock' AND t.granted AND t.pid <> "
                   "pg_backend_pid()",
                   text_sql(folded(settings_.schema)), text_sql(positions_.table()))});
  if (!holders) return;
  for (size_t i = 0; i < holders->back().cells.size(); ++i) {
    const int pid = std::atoi(holders->back().text(i, 0).c_str());
    (void)db_->ask({fmt::format("SELECT pg_terminate_backend({})", pid)});
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
  if (auto opened = db_->open(); !opened) return failed(opened.error());
  if (!is_prepared(commit, refused)) {
    if (auto ended = prepare(commit, rows, refused)) return *std::move(ended);
  }
  std::vector<Step> steps = locked();
  positions_.add_swap(commit.partitions, steps);
  for (size_t i = 0; i < shares_.size(); ++i)
    load_.add_steps(shares_[i], static_cast<int>(i), steps);
  const auto transacted = db_->transact(steps);
  return transacted ? done(commit) : ended_by(transacted.error(), rows, refused);
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
    const flow::PartitionCommit& first = commit.partitions.front();
    Share share{&targets_[i], std::span(winners_.all()).subspan(begin, end - begin),
                fmt::format("{}{}-{}-{}.avro", folder(first.partition), first.from.value,
                            first.term.value, i)};
    if (auto made = load_.prepare(rows, share, rejected); !made) {
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

flow::Ended Session::done(const flow::Commit& commit) {
  flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
  for (const flow::PartitionCommit& moved : commit.partitions)
    ended.durable.set(moved.partition, moved.next);
  drop();
  return ended;
}

flow::Ended Session::ended_by(const Undone& undone, std::span<const flow::StoreRows> rows,
                              std::set<flow::RowId>& refused) {
  if (undone.unknown) {  // the position's row says what happened
    drop();
    return {flow::CommitEnd::unknown, {}, {}, error_about(undone.error, settings_.where)};
  }
  if (undone.guard && undone.part == kPositions) return fenced();
  if (undone.guard) return failed({Trouble::passing, "", "COPY read other rows than were staged"});
  if (undone.error.trouble != Trouble::data || undone.part.value_or(kPositions) == kPositions)
    return failed(undone.error);
  auto found = load_.find_refused(*db_, rows, shares_[static_cast<size_t>(*undone.part)]);
  if (!found) return failed(found.error());
  if (found->empty()) return failed(undone.error);
  return reject(*std::move(found), refused);
}

// Of an epoch that was given up: the worker does not wait for S3.
void Session::forget_epoch() noexcept { leave(); }

void Session::leave() {
  for (const Share& share : shares_) {
    if (share.staged) left_.push_back(share.key);
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
  drop();
  for (const flow::RejectedRow& row : rows) refused.insert(row.row);
  return {flow::CommitEnd::rejected,
          {},
          std::move(rows),
          fail("S007"_code, settings_.where + ": rows were refused").take()};
}

flow::Ended Session::fenced() {
  drop();
  return {flow::CommitEnd::fenced,
          {},
          {},
          fail("S004"_code, settings_.where + ": a newer worker owns the partition").take()};
}

// ---- trouble

// Nothing of it is there.
flow::Ended Session::failed(const DbError& error) {
  const bool passing = error.trouble == Trouble::lost || error.trouble == Trouble::passing;
  if (!passing) drop();
  return {passing ? flow::CommitEnd::retry : flow::CommitEnd::unknown,
          {},
          {},
          error_about(error, settings_.where)};
}

}  // namespace penstock::store::redshift
