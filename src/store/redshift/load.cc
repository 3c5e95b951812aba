#include "store/redshift/load.h"

#include "store/redshift/insert_text.h"
#include "store/redshift/staged_rows.h"
#include "store/redshift/trouble.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace penstock::store::redshift {
namespace {

// COPY counts so many bad rows before it fails; a share with more of them is told in parts.
constexpr uint32_t kMaxErrors = 100'000;
// A report of so many rows is enough: the rest is found by the next try.
constexpr size_t kMaxFound = 1'000;

DbError strange(std::string what) { return {Trouble::passing, "", std::move(what)}; }

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

Answer<std::vector<Rows>> run(Connection& db, const std::string& sql, size_t answers_min) {
  auto answers = db.run(sql, answers_min);
  if (!answers) return std::unexpected(understood(std::move(answers).error()));
  return answers;
}

Result<void> Load::prepare(std::span<const flow::StoreRows> rows, const std::string& key,
                           Share& share, std::vector<flow::RejectedRow>& rejected) const {
  refuse_nulls(table_, rows, share, rejected);
  const auto& columns = share.target->columns;
  const auto keep = [&](std::vector<flow::RejectedRow>& more) {
    rejected.insert(rejected.end(), more.begin(), more.end());
    return rejected.empty();
  };
  if (staging_ == nullptr || share.rows.size() <= settings_.insert_rows_max) {
    InsertTexts texts = insert_texts(columns, *table_.schema, rows, share.rows, 0,
                                     static_cast<uint32_t>(share.rows.size()));
    if (keep(texts.rejected)) share.inserts = std::move(texts.statements);
    return {};
  }
  StagedRows staged = stage_rows(columns, *table_.schema, rows, share.rows);
  if (!keep(staged.rejected)) return {};
  PENSTOCK_TRY_VOID(staging_->put(key, staged.bytes));
  share.key = key;
  return {};
}

std::string Load::copy_text(const Share& share, const std::string& key, uint32_t errors_max) const {
  std::string text = fmt::format(
      "COPY {} {} FROM {} IAM_ROLE {} FORMAT AVRO 'auto' TIMEFORMAT 'auto' DATEFORMAT 'auto' NULL "
      "AS {} COMPUPDATE OFF STATUPDATE OFF",
      kStage, stage_columns(share.target->columns.size()), text_sql(staging_->url(key)),
      settings_.role == "default" ? "default" : text_sql(settings_.role), text_sql(kNullText));
  if (!settings_.region.empty()) text += fmt::format(" REGION {}", text_sql(settings_.region));
  if (errors_max > 0) text += fmt::format(" MAXERROR {}", errors_max);
  return text;
}

Answer<void> Load::fill(Connection& db, const Share& share) const {
  const std::string made = stage_text(table_, share.target->columns);
  const std::string counted = fmt::format("SELECT COUNT(*) FROM {}", kStage);
  std::string sql = made;
  if (!share.key.empty()) sql += "; " + copy_text(share, share.key, 0);
  for (const std::string& insert : share.inserts) {
    if (auto done = run(db, sql + "; " + insert); !done)
      return std::unexpected(std::move(done).error());
    sql.clear();
  }
  auto answers = run(db, (sql.empty() ? "" : sql + "; ") + counted);
  if (!answers) return std::unexpected(std::move(answers).error());
  // A prefix of S3 may be more than one object, or another one than was put.
  if (std::strtoull(answers->back().text(0, 0).c_str(), nullptr, 10) != share.rows.size())
    return std::unexpected(strange("COPY read other rows than were staged"));
  return {};
}

Answer<void> Load::merge(Connection& db, const Share& share) const {
  std::string sql;
  for (const std::string& one : merge_texts(table_, share.target->columns, share.target->name))
    sql += one + "; ";
  auto done = run(db, sql + fmt::format("DROP TABLE {}", kStage));
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

// ---- what was refused

Answer<std::vector<flow::RejectedRow>> Load::find_refused(Connection& db,
                                                          std::span<const flow::StoreRows> rows,
                                                          const Share& share) const {
  if (!share.key.empty()) {
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
Answer<std::vector<flow::RejectedRow>> Load::load_errors(Connection& db,
                                                         std::span<const flow::StoreRows> rows,
                                                         const Share& share) const {
  std::vector<flow::RejectedRow> found;
  auto loaded = run(db, fmt::format("BEGIN; {}; {}", stage_text(table_, share.target->columns),
                                    copy_text(share, share.key, kMaxErrors)));
  if (!loaded) {
    const DbError error = std::move(loaded).error();
    if (error.trouble != Trouble::data || !db.run("ROLLBACK")) return std::unexpected(error);
    return found;
  }
  auto there = run(db, fmt::format("SELECT \"penstock_row\" FROM {}", kStage));
  if (!there) return std::unexpected(std::move(there).error());
  std::vector<bool> good(share.rows.size());
  for (size_t i = 0; i < there->back().cells.size(); ++i) {
    const uint64_t row = std::strtoull(there->back().text(i, 0).c_str(), nullptr, 10);
    if (row < good.size()) good[row] = true;
  }
  auto words = run(db,
                   fmt::format("ROLLBACK; SELECT column_name, error_code, error_message FROM "
                               "sys_load_error_detail WHERE session_id = pg_backend_pid() ORDER BY "
                               "start_time DESC LIMIT {}",
                               kMaxFound),
                   2);
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
Answer<void> Load::probe(Connection& db, std::span<const flow::StoreRows> rows, const Share& share,
                         uint32_t begin, uint32_t end) const {
  const Target& target = *share.target;
  InsertTexts texts = insert_texts(target.columns, *table_.schema, rows, share.rows, begin, end);
  std::string sql = "BEGIN; " + stage_text(table_, target.columns);
  for (const std::string& insert : texts.statements) sql += "; " + insert;
  for (const std::string& one : merge_texts(table_, target.columns, target.name)) sql += "; " + one;
  auto taken = run(db, sql);
  if (taken || taken.error().trouble == Trouble::data) {
    if (auto undone = db.run("ROLLBACK"); !undone)
      return std::unexpected(std::move(undone).error());
  }
  if (!taken) return std::unexpected(std::move(taken).error());
  return {};
}

// Whether something in the range is bad.
Answer<bool> Load::halve(Connection& db, std::span<const flow::StoreRows> rows, const Share& share,
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
