#include "store/redshift/pq_database.h"

#include "store/redshift/trouble.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace penstock::store::redshift {
namespace {

constexpr size_t kQueryBytes = 1'000'000;
// Statements here rely on these, whatever the user or the cluster has set.
constexpr const char* kSetUp =
    "SET client_encoding TO 'UTF8'; SET datestyle TO 'ISO, YMD'; SET timezone TO 'UTC'; "
    "SET extra_float_digits TO 2";

}  // namespace

std::string guard_text(uint64_t rows, const std::string& from) {
  return fmt::format("SELECT 1 / CASE WHEN COUNT(*) = {} THEN 1 ELSE 0 END FROM {}", rows, from);
}

Answer<void> PqDatabase::open() {
  if (db_ && db_->good()) return {};
  db_.reset();
  ConnectionSettings connection = connection_;
  if (logins_) {
    auto login = logins_->obtain();
    if (!login) return std::unexpected(of_aws(login.error()));
    connection.parameters.emplace_back("user", login->user);
    connection.parameters.emplace_back("password", login->password);
  }
  auto db = Connection::open(connection, &interrupt_);
  if (!db) {
    // It may have ended since it was given: the next one is a new one.
    if (logins_ && db.error().trouble == Trouble::settings) {
      logins_->refused();
      db.error().trouble = Trouble::passing;
    }
    return std::unexpected(std::move(db).error());
  }
  // The server gives a statement up before we give the server up: then it holds no lock any more.
  auto set = db->run(
      fmt::format("{}; SET statement_timeout TO {}", kSetUp, connection.answer_millis / 6 * 5));
  if (!set) return std::unexpected(understood(std::move(set).error()));
  db_.emplace(*std::move(db));
  return {};
}

void PqDatabase::undo() {
  if (!db_) return;
  if (!db_->good() || (db_->in_transaction() && !db_->run("ROLLBACK"))) db_.reset();
}

Answer<std::vector<Rows>> PqDatabase::ask(const std::vector<std::string>& statements) {
  if (auto opened = open(); !opened) return std::unexpected(std::move(opened).error());
  auto answers = db_->run(fmt::format("{}", fmt::join(statements, "; ")), statements.size());
  if (answers) return answers;
  undo();
  return std::unexpected(understood(std::move(answers).error()));
}

// Sent together as far as it stays known what failed: up to a guard, and one part at a time.
Transacted PqDatabase::steps_done(std::span<const Step> steps) {
  std::vector<Rows> all;
  std::string sql = "BEGIN";
  size_t count = 1;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    sql += (sql.empty() ? "" : "; ") + step.sql;
    ++count;
    const bool last = i + 1 == steps.size() || step.guard || steps[i + 1].part != step.part ||
                      sql.size() > kQueryBytes;
    if (!last) continue;
    auto answers = db_->run(sql, count);
    if (!answers) {
      DbError error = understood(std::move(answers).error());
      const bool guard = step.guard && is_division(error);
      return std::unexpected(Undone{std::move(error), step.part, guard, false});
    }
    const size_t ours = count - (all.empty() && i + 2 == count ? 1 : 0);
    all.insert(all.end(), answers->end() - static_cast<ptrdiff_t>(ours), answers->end());
    sql.clear();
    count = 0;
  }
  return all;
}

Transacted PqDatabase::transact(std::span<const Step> steps, Ending ending) {
  if (auto opened = open(); !opened) return std::unexpected(Undone{std::move(opened).error()});
  auto done = steps_done(steps);
  if (!done || ending == Ending::undo) {
    undo();
    return done;
  }
  auto committed = db_->run("COMMIT");
  if (committed) return done;
  // An answer with a SQLSTATE over a connection that lives is a transaction that was undone.
  DbError error = understood(std::move(committed).error());
  const bool unknown = error.trouble == Trouble::lost;
  if (unknown) db_.reset();
  undo();
  return std::unexpected(Undone{std::move(error), {}, false, unknown});
}

}  // namespace penstock::store::redshift
