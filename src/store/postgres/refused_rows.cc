#include "store/postgres/refused_rows.h"

#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <optional>
#include <utility>

namespace penstock::store::postgres {
namespace {

constexpr int kMaxProbes = 64;

flow::RejectedRow rejected(flow::RowId id, std::string_view state, std::string message) {
  std::string_view reason = "store.constraint";
  if (state == "23502") reason = "store.not_null";
  if (state == "22003" || state == "22008") reason = "store.out_of_range";
  if (state == "22001" || state.starts_with("54")) reason = "store.too_large";
  return {id, std::string(reason), fmt::format("{} ({})", message, state)};
}

// Takes parts of [0, count) in order, halving what is refused.
class Halving {
 public:
  using Take = std::function<Answer<void>(uint32_t begin, uint32_t end)>;
  using Bad = std::function<void(uint32_t row, const DbError& error)>;
  Halving(Take take, Bad bad) : take_(std::move(take)), bad_(std::move(bad)) {}

  // False: an end that has to do with something else, in error(); or stopped().
  bool go(uint32_t begin, uint32_t end, bool known_bad) {
    if (begin == end) return true;
    if (stop_ && stop_(begin)) return false;
    std::optional<DbError> error;
    if (!known_bad || end - begin == 1) {
      ++probes_;
      const Answer<void> taken = take_(begin, end);
      if (taken) return true;
      error = taken.error();
      if (error->trouble != Trouble::data) return error_ = std::move(error), false;
      if (end - begin == 1) {
        ++found_;
        bad_(begin, *error);
        return true;
      }
    }
    const uint32_t middle = begin + (end - begin) / 2;
    const uint64_t before = found_;
    if (!go(begin, middle, false)) return false;
    // Nothing bad in the first half: then the second is why the whole was refused.
    return go(middle, end, found_ == before);
  }
  void stop_when(std::function<bool(uint32_t begin)> stop) { stop_ = std::move(stop); }
  int probes() const { return probes_; }
  const std::optional<DbError>& error() const { return error_; }

 private:
  Take take_;
  Bad bad_;
  std::function<bool(uint32_t)> stop_;
  std::optional<DbError> error_;
  int probes_ = 0;
  uint64_t found_ = 0;
};

Answer<void> undo_probe(Connection& db, DbError error) {
  if (error.trouble != Trouble::data) return std::unexpected(std::move(error));
  if (auto undone = db.run("ROLLBACK TO SAVEPOINT penstock_part"); !undone)
    return std::unexpected(std::move(undone).error());
  return std::unexpected(std::move(error));
}

std::string merge_of(const flow::StoreTable& table, const TableName& name, std::string_view where) {
  return merge_text(table, name, where) + "; SET CONSTRAINTS ALL IMMEDIATE";
}

// Row by row, in the server; bad rows are collected in a table of their own.
Answer<void> loop_in_server(Connection& db, const flow::StoreTable& table, const TableName& name,
                            std::pair<uint32_t, uint32_t> range, const RowEncoder& encoder,
                            std::vector<flow::RejectedRow>& found) {
  const std::string sql = fmt::format(
      "CREATE TEMPORARY TABLE IF NOT EXISTS penstock_refused (ord integer, state text, message "
      "text) ON COMMIT DELETE ROWS; DELETE FROM pg_temp.penstock_refused; "
      "CREATE INDEX IF NOT EXISTS penstock_stage_ord ON pg_temp.penstock_stage (ord); "
      "DO $penstock$ DECLARE o integer; BEGIN FOR o IN {}..{} LOOP BEGIN {}; EXCEPTION WHEN "
      "data_exception OR integrity_constraint_violation OR with_check_option_violation OR "
      "program_limit_exceeded OR raise_exception THEN INSERT INTO pg_temp.penstock_refused VALUES "
      "(o, SQLSTATE, SQLERRM); END; END LOOP; END $penstock$; "
      "SELECT ord, state, message FROM pg_temp.penstock_refused ORDER BY ord",
      range.first, range.second - 1, merge_of(table, name, "ord = o"));
  auto answers = db.run(sql);
  if (!answers) return std::unexpected(std::move(answers).error());
  const Rows& rows = answers->back();
  for (size_t i = 0; i < rows.cells.size(); ++i) {
    const auto row = static_cast<uint32_t>(std::atoi(rows.text(i, 0).c_str()));
    if (row >= encoder.count()) continue;
    found.push_back(rejected(encoder.id(row), rows.text(i, 1), rows.text(i, 2)));
  }
  return {};
}

}  // namespace

Answer<std::vector<flow::RejectedRow>> merge_in_parts(Connection& db, const flow::StoreTable& table,
                                                      std::span<const TableName> names,
                                                      const RowEncoder& encoder) {
  std::vector<flow::RejectedRow> found;
  for (uint32_t i = 0; i < names.size(); ++i) {
    const auto [begin, end] = encoder.range(i);
    const auto take = [&](uint32_t from, uint32_t to) -> Answer<void> {
      auto taken = db.run(
          fmt::format("SAVEPOINT penstock_part; {}; RELEASE SAVEPOINT penstock_part",
                      merge_of(table, names[i], fmt::format("ord >= {} AND ord < {}", from, to))));
      if (taken) return {};
      return undo_probe(db, std::move(taken).error());
    };
    std::optional<uint32_t> left_at;
    Halving halving(take, [&](uint32_t row, const DbError& error) {
      found.push_back(rejected(encoder.id(row), error.state, error.message));
    });
    halving.stop_when([&](uint32_t from) {
      if (halving.probes() < kMaxProbes) return false;
      left_at = from;
      return true;
    });
    if (halving.go(begin, end, true)) continue;
    if (halving.error()) return std::unexpected(*halving.error());
    auto rest = loop_in_server(db, table, names[i], {*left_at, end}, encoder, found);
    if (!rest) return std::unexpected(std::move(rest).error());
  }
  return found;
}

Answer<std::vector<flow::RejectedRow>> copy_in_parts(Connection& db, const RowEncoder& encoder) {
  std::vector<flow::RejectedRow> found;
  const auto take = [&](uint32_t from, uint32_t to) -> Answer<void> {
    auto begun = db.begin_copy(fmt::format("SAVEPOINT penstock_part; {}", kCopyText));
    if (!begun) return undo_probe(db, std::move(begun).error());
    for (const ByteView bytes :
         {RowEncoder::header(), encoder.bytes(from, to), RowEncoder::trailer()}) {
      if (auto sent = db.put(bytes); !sent) return sent;
    }
    if (auto ended = db.end_copy(); !ended) return undo_probe(db, std::move(ended).error());
    return {};
  };
  Halving halving(take, [&](uint32_t row, const DbError& error) {
    found.push_back(rejected(encoder.id(row), error.state, error.message));
  });
  halving.stop_when([&](uint32_t) { return found.size() >= kMaxFound; });
  if (!halving.go(0, encoder.count(), true) && halving.error())
    return std::unexpected(*halving.error());
  return found;
}

}  // namespace penstock::store::postgres
