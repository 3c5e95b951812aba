#include "store/sqlite/session.h"

#include "flow/store_table.h"
#include "store/sqlite/table_text.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::store {
namespace {

constexpr const char* kWhere =
    " WHERE pipeline = ?1 AND stage = ?2 AND store = ?3 AND lineage = ?4 AND partition = ?5";

// An outage passes, rights can be given back; a table or a file that is another one stays so.
flow::Ended not_committed(Error error) {
  const bool stays = error.code == "S002"_code || error.code == "S005"_code;
  return {stays ? flow::CommitEnd::fatal : flow::CommitEnd::retry, {}, {}, std::move(error)};
}

}  // namespace

Session::Session(std::string path, flow::StoreSpec spec, std::shared_ptr<std::mutex> turn)
    : path_(std::move(path)), spec_(std::move(spec)), turn_(std::move(turn)) {}

Result<void> Session::ensure_open() {
  if (open_) return {};
  PENSTOCK_TRY(database, Database::open(path_, {}));
  auto open = std::make_unique<Open>(Open{std::move(database), {}, {}, {}, {}, {}, {}, {}, {}, {}});
  const std::string where = kWhere;
  const std::pair<Statement*, std::string> texts[] = {
      {&open->begin, "BEGIN IMMEDIATE"},
      {&open->commit, "COMMIT"},
      {&open->rollback, "ROLLBACK"},
      {&open->find, "SELECT next, term, fates FROM penstock_positions" + where},
      {&open->other,
       "SELECT lineage FROM penstock_positions WHERE pipeline = ?1 AND stage = ?2 AND store = ?3 "
       "AND lineage <> ?4 AND partition = ?5 AND topic = ?6 AND fates IS NOT NULL"},
      {&open->insert,
       "INSERT INTO penstock_positions (pipeline, stage, store, lineage, partition, topic, next, "
       "term) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 1)"},
      {&open->bump, "UPDATE penstock_positions SET term = term + 1" + where},
      {&open->swap, "UPDATE penstock_positions SET next = ?6, fates = ?7" + where +
                        " AND next = ?8 AND term = ?9"},
  };
  for (const auto& [statement, text] : texts) {
    Outcome outcome;
    *statement = open->database.prepare(text, outcome);
    if (outcome != Outcome::done)
      return std::unexpected(to_error(outcome, path_, open->database.message()));
  }
  for (const flow::StoreTable& table : flow::tables_of(spec_.table)) {
    PENSTOCK_TRY(writer, RowWriter::prepare(open->database, path_, table));
    open->writers.push_back(std::move(writer));
  }
  open_ = std::move(open);
  return {};
}

// ---- claim

flow::SinkEvent Session::claim(const flow::PartitionSet& partitions) {
  const std::lock_guard turn(*turn_);
  if (auto opened = ensure_open(); !opened) {
    const bool outage = opened.error().code == "S006"_code;
    return flow::ClaimFailed{std::move(opened).error(), outage};
  }
  flow::Claimed claimed;
  std::optional<Error> refused;
  Outcome outcome = open_->begin.step();
  for (size_t i = 0; i < partitions.size() && outcome == Outcome::done && !refused; ++i)
    outcome = claim_one(partitions[i], claimed, refused);
  if (refused) {
    undo(false);
    return flow::ClaimFailed{*std::move(refused), false};
  }
  if (outcome == Outcome::done) outcome = open_->commit.step();
  if (outcome == Outcome::done) return claimed;
  Error error = error_of(outcome);
  undo(true);
  return flow::ClaimFailed{std::move(error),
                           outcome == Outcome::busy || outcome == Outcome::outage};
}

Outcome Session::claim_one(Partition partition, flow::Claimed& claimed,
                           std::optional<Error>& refused) {
  flow::Owned owned{partition, {1}, {0}, {}, flow::Start::first, {}};
  bool found = false;
  if (const Outcome outcome = read_position(partition, owned, found); outcome != Outcome::done)
    return outcome;
  if (!found) {
    const Outcome outcome = check_lineage(partition, refused);
    if (outcome != Outcome::done || refused) return outcome;
  }
  Statement& change = found ? open_->bump : open_->insert;
  bind_identity(change, partition);
  if (found) {
    ++owned.term.value;
  } else {
    change.bind_text(6, spec_.inputs[partition.topic]);
  }
  claimed.owned.push_back(std::move(owned));
  return change.step();
}

Outcome Session::read_position(Partition partition, flow::Owned& owned, bool& found) {
  Statement& find = open_->find;
  bind_identity(find, partition);
  const Outcome outcome = find.step();
  if (outcome != Outcome::row) return outcome;
  found = true;
  owned.next = {find.int64(0)};
  owned.term = {static_cast<uint64_t>(find.int64(1))};
  bool readable = true;
  if (!find.is_null(2)) {
    auto fates = flow::fates_from_text(find.text(2));
    readable = fates.has_value();
    if (readable) owned.fates = *std::move(fates);
    owned.start = flow::Start::resumed;
  }
  find.reset();
  return readable ? Outcome::done : Outcome::damaged;
}

Outcome Session::check_lineage(Partition partition, std::optional<Error>& refused) {
  Statement& other = open_->other;
  bind_identity(other, partition);
  other.bind_text(6, spec_.inputs[partition.topic]);
  const Outcome outcome = other.step();
  if (outcome != Outcome::row) return outcome;
  other.reset();
  const std::string& topic = spec_.inputs[partition.topic];
  refused = fail("S003"_code, fmt::format("{}: topic \"{}\" was made anew since the store read it",
                                          path_, topic))
                .cure(fmt::format("to read the new topic from its beginning: DELETE FROM "
                                  "penstock_positions WHERE stage = '{}' AND topic = '{}'",
                                  spec_.stage, topic))
                .take();
  return Outcome::done;
}

void Session::bind_identity(Statement& statement, Partition partition) {
  statement.bind_text(1, spec_.pipeline);
  statement.bind_text(2, spec_.stage);
  statement.bind_text(3, spec_.store);
  statement.bind_text(4, spec_.lineages[partition.topic]);
  statement.bind_int64(5, partition.index);
}

// ---- commit

flow::Ended Session::commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                            std::set<flow::RowId>& refused) {
  const std::lock_guard turn(*turn_);
  if (auto opened = ensure_open(); !opened) return not_committed(std::move(opened).error());
  if (const Outcome outcome = open_->begin.step(); outcome != Outcome::done) return failed(outcome);
  bool fenced = false;
  if (const Outcome outcome = swap_positions(commit, fenced); outcome != Outcome::done)
    return failed(outcome);
  if (fenced) {
    undo(false);
    return {flow::CommitEnd::fenced,
            {},
            {},
            fail("S004"_code, path_ + ": a newer worker owns the partition").take()};
  }
  flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
  if (const Outcome outcome = write_rows(rows, refused, ended.rejected); outcome != Outcome::done)
    return failed(outcome);
  if (!ended.rejected.empty()) {
    undo(false);
    ended.end = flow::CommitEnd::rejected;
    for (const flow::RejectedRow& row : ended.rejected) refused.insert(row.row);
    ended.error = fail("S007"_code, path_ + ": rows were refused").take();
    return ended;
  }
  if (const Outcome outcome = open_->commit.step(); outcome != Outcome::done) {
    // A sync that failed may still have reached the disk: read back what stands there.
    Error error = error_of(outcome);
    undo(true);
    return {flow::CommitEnd::unknown, {}, {}, std::move(error)};
  }
  for (const flow::PartitionCommit& moved : commit.partitions)
    ended.durable.set(moved.partition, moved.next);
  return ended;
}

Outcome Session::swap_positions(const flow::Commit& commit, bool& fenced) {
  for (const flow::PartitionCommit& moved : commit.partitions) {
    Statement& swap = open_->swap;
    const std::string fates = flow::to_text(moved.fates);
    bind_identity(swap, moved.partition);
    swap.bind_int64(6, moved.next.value);
    swap.bind_text(7, fates);
    swap.bind_int64(8, moved.from.value);
    swap.bind_int64(9, static_cast<int64_t>(moved.term.value));
    if (const Outcome outcome = swap.step(); outcome != Outcome::done) return outcome;
    if (open_->database.changes() != 1) {
      fenced = true;
      return Outcome::done;
    }
  }
  return Outcome::done;
}

Outcome Session::write_rows(std::span<const flow::StoreRows> rows,
                            const std::set<flow::RowId>& refused,
                            std::vector<flow::RejectedRow>& rejected) {
  // A refused row undoes its own statement only, so one pass finds all of them.
  for (const flow::StoreRows& some : rows) {
    RowWriter& writer = open_->writers[some.table];
    for (uint32_t i = 0; i < some.count; ++i) {
      if (!refused.empty() && refused.contains(some.ids[i])) continue;
      const Outcome outcome = writer.write(some, i);
      if (outcome == Outcome::done) [[likely]]
        continue;
      if (outcome != Outcome::refused) return outcome;
      rejected.push_back({some.ids[i], std::string(writer.reason()), writer.detail()});
    }
  }
  return Outcome::done;
}

// ---- trouble

Error Session::error_of(Outcome outcome) const {
  return to_error(outcome, path_, open_->database.message());
}

void Session::undo(bool close) {
  if (open_->database.in_transaction()) open_->rollback.step();
  if (close) open_.reset();
}

flow::Ended Session::failed(Outcome outcome) {
  Error error = error_of(outcome);
  undo(outcome != Outcome::busy);
  return not_committed(std::move(error));
}

}  // namespace penstock::store
