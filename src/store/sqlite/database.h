// database.h — one connection to an SQLite file: the only door to the library.
//
// Thread      one thread at a time; interrupt() from any.
// Lifetime    statements end before their Database.
// Limits      texts and blobs ≤ kMaxValueBytes.
// Errors      Outcome says whose turn it is; message() is SQLite's own text.
//
//     PENSTOCK_TRY(db, Database::open(path, {.busy_millis = 2000}));
//     Statement insert = db.prepare("INSERT INTO t VALUES (?1)", outcome);
//     insert.bind_int64(1, 5);
//     Outcome end = insert.step();
#pragma once

#include "base/error.h"
#include "base/units.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace penstock::store {

inline constexpr size_t kMaxValueBytes = 256u << 20;

enum class Outcome : uint8_t {
  done,
  row,
  busy,         // somebody else holds the file, longer than busy_millis
  refused,      // a constraint, a type, a size: this row's fault
  outage,       // disk full, I/O error: try again later
  damaged,      // not a database, or corrupt
  not_allowed,  // read-only, rights
  failed,       // anything else: a statement that does not fit the file's tables
};

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept : statement_(other.statement_) {
    other.statement_ = nullptr;
  }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Parameters count from 1. Texts and blobs must stay valid until the next step() has returned.
  void bind_null(int parameter);
  void bind_int64(int parameter, int64_t value);
  void bind_double(int parameter, double value);
  void bind_text(int parameter, std::string_view text);
  void bind_blob(int parameter, ByteView bytes);

  // `done` and errors reset the statement, so that it can be bound and stepped again.
  Outcome step();
  void reset();
  bool ready() const { return statement_ != nullptr; }

  // Of the row that step() found. Columns count from 0.
  int64_t int64(int column) const;
  double number(int column) const;
  std::string_view text(int column) const;  // valid until the next step()
  bool is_null(int column) const;
  int columns() const;

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  struct Options {
    bool read_only = false;
    int busy_millis = 2'000;
    // The last connection that ends moves what lies in the WAL into the file. False: it stays for
    // the next one, which is there within milliseconds (after a kill that is 100 ms of a start).
    bool checkpoint_at_end = true;
  };
  // Makes the file when it is missing, unless read_only. Durable against power loss: WAL with a
  // sync of every commit (synchronous=FULL; NORMAL would lose the last commits, and with them the
  // proof that what the group has committed is in the store).
  static Result<Database> open(const std::string& path, Options options);

  Outcome run(const char* sql);
  Outcome run(const std::string& sql) { return run(sql.c_str()); }
  Statement prepare(const std::string& sql, Outcome& outcome);
  int64_t changes() const;
  // True between BEGIN and its end.
  bool in_transaction() const;
  std::string message() const;
  // Stops what runs in another thread.
  void interrupt();

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

 private:
  explicit Database(sqlite3* connection) : connection_(connection) {}
  sqlite3* connection_ = nullptr;
};

// `name` in the quotes of SQL.
std::string quoted_name(std::string_view name);
// The Error that an Outcome is to a caller: S005, S006, S001 or S002.
Error to_error(Outcome outcome, const std::string& path, const std::string& message);

}  // namespace penstock::store
