#include "store/sqlite/database.h"

#include <fmt/format.h>

#include <utility>

#include <sqlite3.h>

namespace penstock::store {
namespace {

Outcome outcome_of(int code) {
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
      return Outcome::done;
    case SQLITE_ROW:
      return Outcome::row;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
      return Outcome::busy;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
      return Outcome::refused;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return Outcome::outage;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return Outcome::damaged;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return Outcome::not_allowed;
    default:
      return Outcome::failed;
  }
}

constexpr const char* kSettings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF;"
    "PRAGMA wal_autocheckpoint=8000; PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY";

}  // namespace

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}
Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind_null(int parameter) { sqlite3_bind_null(statement_, parameter); }
void Statement::bind_int64(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_, parameter, value);
}
void Statement::bind_double(int parameter, double value) {
  sqlite3_bind_double(statement_, parameter, value);
}
void Statement::bind_text(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_, parameter, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}
void Statement::bind_blob(int parameter, ByteView bytes) {
  sqlite3_bind_blob64(statement_, parameter, bytes.data() == nullptr ? "" : bytes.data(),
                      bytes.size(), SQLITE_STATIC);
}

Outcome Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW) sqlite3_reset(statement_);
  return outcome_of(code);
}
void Statement::reset() { sqlite3_reset(statement_); }

int64_t Statement::int64(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::number(int column) const { return sqlite3_column_double(statement_, column); }
std::string_view Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  return {static_cast<const char*>(bytes),
          static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
int Statement::columns() const { return sqlite3_column_count(statement_); }

Result<Database> Database::open(const std::string& path, Options options) {
  sqlite3* connection = nullptr;
  const int flags =
      options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(connection);
  if (code != SQLITE_OK)
    return std::unexpected(to_error(outcome_of(code), path, sqlite3_errmsg(connection)));
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, options.busy_millis);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, options.checkpoint_at_end ? 0 : 1,
                    nullptr);
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, static_cast<int>(kMaxValueBytes));
  const Outcome outcome =
      options.read_only ? database.run("SELECT 1 FROM sqlite_schema") : database.run(kSettings);
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  return database;
}

Outcome Database::run(const char* sql) {
  return outcome_of(sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr));
}

Statement Database::prepare(const std::string& sql, Outcome& outcome) {
  sqlite3_stmt* statement = nullptr;
  outcome = outcome_of(sqlite3_prepare_v3(connection_, sql.c_str(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  return Statement(statement);
}

int64_t Database::changes() const { return sqlite3_changes64(connection_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }
std::string Database::message() const { return sqlite3_errmsg(connection_); }
void Database::interrupt() { sqlite3_interrupt(connection_); }

Database::Database(Database&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}
Database& Database::operator=(Database&& other) noexcept {
  std::swap(connection_, other.connection_);
  return *this;
}
Database::~Database() { sqlite3_close_v2(connection_); }

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

Error to_error(Outcome outcome, const std::string& path, const std::string& message) {
  const std::string text = fmt::format("{}: {}", path, message);
  switch (outcome) {
    case Outcome::damaged:
      return fail("S005"_code, text).take();
    case Outcome::busy:
    case Outcome::outage:
      return fail("S006"_code, text).take();
    case Outcome::failed:
    case Outcome::refused:
      return fail("S002"_code, text).take();
    default:
      return fail("S001"_code, text)
          .cure("check that the folder is there and may be written")
          .take();
  }
}

}  // namespace penstock::store
