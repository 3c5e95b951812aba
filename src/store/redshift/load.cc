#include "store/redshift/load.h"

#include "store/redshift/staged_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace penstock::store::redshift {
namespace {

// COPY counts so many bad rows before it fails; a share with more of them is told in parts.
constexpr uint32_t kMaxErrors = 100'000;
// A report of so many rows is enough: the rest is found by the next try.
constexpr size_t kMaxFound = 1'000;
// Of the Data API's.
constexpr size_t kStatementBytes = 100'000;

DbError strange(std::string what) { return {Trouble::passing, "", std::move(what)}; }

std::string drop_text() { return fmt::format("DROP TABLE {}", kStage); }

flow::RejectedRow rejected(flow::RowId id, std::string_view state, std::string_view message) {
  std::string_view reason = "store.constraint";
  if (state == "23502" || message.find("not-null") != message.npos) reason = "store.not_null";
  if (state == "22003" || state == "22008") reason = "store.out_of_range";
  if (state == "22001" || message.find("exceeds DDL length") != message.npos)
    reason = "store.too_large";
  return {id, std::string(reason), std::string(message)};
}

flow::RowId id_of(std::span<const flow::StoreRows> rows, const Winner& winner) {
  return rows[winner.rows].ids[winner.row];
}

// Nulls for columns of an own table that take none.
void refuse_nulls(const flow::StoreTable& table, std::span<const flow::StoreRows> rows,
                  const Share& share, std::vector<flow::RejectedRow>& out) {
  for (size_t i = 0; i < share.target->not_null.size(); ++i) {
    if (!share.target->not_null[i]) continue;
    const std::string& name = table.schema->root().fields[i].name;
    for (const Winner& winner : share.rows) {
      if (!rows[winner.rows].columns[i].is_null(winner.row)) continue;
      out.push_back(
          {id_of(rows, winner), "store.not_null", fmt::format("column \"{}\" is null", name)});
    }
  }
}

}  // namespace

// False: they are too many for that.
bool Load::as_inserts(std::span<const flow::StoreRows> rows, Share& share,
                      std::vector<flow::RejectedRow>& rejected) const {
  const auto count = static_cast<uint32_t>(share.rows.size());
  if (staging_ != nullptr && count > settings_.insert_rows_max) return false;
  InsertTexts texts = insert_texts(share.target->columns, *table_.schema, rows, share.rows,
                                   settings_.insert_bytes_max);
  const auto too_large = [&](const std::string& one) { return one.size() > kStatementBytes; };
  const bool fit =
      settings_.inserts_max == SIZE_MAX || (texts.statements.size() <= settings_.inserts_max &&
                                            std::ranges::none_of(texts.statements, too_large));
  if (staging_ != nullptr && !fit) return false;
  rejected.insert(rejected.end(), texts.rejected.begin(), texts.rejected.end());
  share.inserts = std::move(texts.statements);
  return true;
}

Result<void> Load::prepare(std::span<const flow::StoreRows> rows, Share& share,
                           std::vector<flow::RejectedRow>& rejected) const {
  refuse_nulls(table_, rows, share, rejected);
  if (as_inserts(rows, share, rejected)) return {};
  StagedRows staged = stage_rows(share.target->columns, *table_.schema, rows, share.rows);
  rejected.insert(rejected.end(), staged.rejected.begin(), staged.rejected.end());
  if (!rejected.empty()) return {};
  PENSTOCK_TRY_VOID(staging_->put(share.key, staged.bytes));
  share.staged = true;
  return {};
}

std::string Load::copy_text(const Share& share, uint32_t errors_max) const {
  std::string text = fmt::format(
      "COPY {} {} FROM {} IAM_ROLE {} FORMAT AVRO 'auto' TIMEFORMAT 'auto' DATEFORMAT 'auto' NULL "
      "AS {} COMPUPDATE OFF STATUPDATE OFF",
      kStage, stage_columns(share.target->columns.size()), text_sql(staging_->url(share.key)),
      settings_.role == "default" ? "default" : text_sql(settings_.role), text_sql(kNullText));
  if (!settings_.region.empty()) text += fmt::format(" REGION {}", text_sql(settings_.region));
  if (errors_max > 0) text += fmt::format(" MAXERROR {}", errors_max);
  return text;
}

void Load::add_steps(const Share& share, int part, std::vector<Step>& steps) const {
  const auto add = [&](std::string sql, bool guard = false) {
    steps.push_back({std::move(sql), part, guard});
  };
  const Target& target = *share.target;
  add(stage_text(table_, target.columns));
  if (share.staged) add(copy_text(share, 0));
  for (const std::string& insert : share.inserts) add(insert);
  // A prefix of S3 may be more than one object, or another one than was put.
  add(guard_text(share.rows.size(), std::string(kStage)), true);
  for (std::string& one : merge_texts(table_, target.columns, target.name)) add(std::move(one));
  add(drop_text());
}

// ---- what was refused

Answer<std::vector<flow::RejectedRow>> Load::find_refused(Database& db,
                                                          std::span<const flow::StoreRows> rows,
                                                          const Share& share) const {
  if (share.staged) {
    auto told = load_errors(db, rows, share);
    if (!told || !told->empty()) return told;
  }
  std::vector<flow::RejectedRow> found;
  auto halved = halve(db, rows, share, {0, static_cast<uint32_t>(share.rows.size())}, true, found);
  if (!halved) return std::unexpected(std::move(halved).error());
  return found;
}

// The load once more with MAXERROR: good rows arrive, and those that do not are the bad ones,
// whatever a line number means in a container file. The report has the words, in the same order.
Answer<std::vector<flow::RejectedRow>> Load::load_errors(Database& db,
                                                         std::span<const flow::StoreRows> rows,
                                                         const Share& share) const {
  std::vector<flow::RejectedRow> found;
  const Step steps[] = {{stage_text(table_, share.target->columns)},
                        {copy_text(share, kMaxErrors)},
                        {fmt::format("SELECT \"penstock_row\" FROM {}", kStage)},
                        {"SELECT pg_backend_pid()"},
                        {drop_text()}};
  auto loaded = db.transact(steps);
  if (!loaded) {
    if (loaded.error().error.trouble == Trouble::data) return found;
    return std::unexpected(std::move(loaded).error().error);
  }
  const Rows* there = &(*loaded)[2];
  std::vector<bool> good(share.rows.size());
  for (size_t i = 0; i < there->cells.size(); ++i) {
    const uint64_t row = std::strtoull(there->text(i, 0).c_str(), nullptr, 10);
    if (row < good.size()) good[row] = true;
  }
  auto words = db.ask({fmt::format(
      "SELECT column_name, error_code, error_message FROM sys_load_error_detail WHERE session_id = "
      "{} ORDER BY start_time DESC LIMIT {}",
      std::strtoll((*loaded)[3].text(0, 0).c_str(), nullptr, 10), kMaxFound)});
  if (!words) return std::unexpected(std::move(words).error());
  const Rows& told = words->back();
  const auto bad = static_cast<size_t>(std::ranges::count(good, false));
  for (size_t i = 0; i < good.size() && found.size() < kMaxFound; ++i) {
    if (good[i]) continue;
    // The last ones told are of this load, the latest first.
    const size_t word = bad - 1 - found.size();
    std::string message = "Redshift refused the row";
    if (word < told.cells.size() && bad <= kMaxFound)
      message =
          fmt::format("{}: {} ({})", told.text(word, 0), told.text(word, 2), told.text(word, 1));
    found.push_back(rejected(id_of(rows, share.rows[i]), "", message));
  }
  return found;
}

// The rows [begin, end) in a transaction that is undone, since Redshift has no savepoints.
Answer<void> Load::probe(Database& db, std::span<const flow::StoreRows> rows, const Share& share,
                         uint32_t begin, uint32_t end) const {
  Share some{share.target, share.rows.subspan(begin, end - begin), share.key + ".part"};
  std::vector<flow::RejectedRow> rejected;
  if (auto made = prepare(rows, some, rejected); !made)
    return std::unexpected(strange(one_line(made.error())));
  std::vector<Step> steps;
  add_steps(some, 0, steps);
  auto taken = db.transact(steps, Ending::undo);
  if (some.staged) (void)staging_->remove({&some.key, 1});
  if (!taken) return std::unexpected(std::move(taken).error().error);
  return {};
}

// Whether something in the range is bad.
Answer<bool> Load::halve(Database& db, std::span<const flow::StoreRows> rows, const Share& share,
                         std::pair<uint32_t, uint32_t> range, bool known_bad,
                         std::vector<flow::RejectedRow>& found) const {
  const auto [begin, end] = range;
  if (begin == end || found.size() >= kMaxFound) return false;
  if (!known_bad || end - begin == 1) {
    auto taken = probe(db, rows, share, begin, end);
    if (taken) return false;
    if (taken.error().trouble != Trouble::data) return std::unexpected(std::move(taken).error());
    if (end - begin == 1) {
      found.push_back(
          rejected(id_of(rows, share.rows[begin]), taken.error().state, taken.error().message));
      return true;
    }
  }
  const uint32_t middle = begin + (end - begin) / 2;
  auto first = halve(db, rows, share, {begin, middle}, false, found);
  if (!first) return first;
  // Nothing bad in the first half: then the second is why the whole was refused.
  return halve(db, rows, share, {middle, end}, !*first, found);
}

}  // namespace penstock::store::redshift
