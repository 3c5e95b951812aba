// connection.h — one connection to a server that speaks PostgreSQL's protocol: the only door to
// libpq.
//
// libpq is loaded when the first connection is opened (libpq.so.5, from Debian's libpq5), so that
// the binary needs it only where a pipeline has such a store. Calls wait, but never for ever: each
// ends by its answer, by its time, or by Interrupt::raise() from another thread.
//
// Thread      one at a time; Interrupt from any.
// Lifetime    an Interrupt outlives the connections that watch it.
// Limits      connecting ends after kConnectMillis (but names are looked up by libpq, which waits
//             as long as the resolver does). A server that says nothing for answer_millis, or stops
//             in the middle, is `lost`.
// Errors      DbError: whose turn it is, the SQLSTATE, the server's own words. Never a password.
//
//     auto db = Connection::open(settings, &interrupt);
//     auto rows = db->run("BEGIN; UPDATE t SET a = 1");
//     if (rows->back().changed != 1) …
#pragma once

#include "base/error.h"
#include "base/units.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pg_conn;

namespace penstock::store {

inline constexpr int64_t kConnectMillis = 10'000;
inline constexpr int64_t kAnswerMillis = 120'000;

enum class Trouble : uint8_t {
  data,      // a value that its column does not take
  passing,   // the statement was undone; the same may be tried again
  lost,      // the connection is gone, and with it any knowledge of what was under way
  settings,  // login, rights, a table that is not there: somebody has to change something
};
struct DbError {
  Trouble trouble = Trouble::passing;
  std::string state;  // SQLSTATE, or "" when the server said nothing
  std::string message;
};
template <class T>
using Answer = std::expected<T, DbError>;

// By the SQLSTATE's class; "" is `lost`.
Trouble trouble_of(std::string_view state);
// S001 (not reached), S006 (later), S020 (login, rights), S002 (a table), about `where`.
Error to_error(const DbError& error, std::string_view where);

struct ConnectionSettings {
  std::vector<std::pair<std::string, std::string>> parameters;  // libpq's own
  std::string where;  // "energy on db.internal", for people
  int64_t answer_millis = kAnswerMillis;
};

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  void raise() noexcept;  // for good
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// What one statement answered.
struct Rows {
  std::vector<std::vector<std::optional<std::string>>> cells;
  uint64_t changed = 0;
  // The text of a cell; "" where there is none.
  std::string text(size_t row, size_t column) const {
    const bool there = row < cells.size() && column < cells[row].size() && cells[row][column];
    return there ? *cells[row][column] : std::string();
  }
};

class Connection {
 public:
  static Answer<Connection> open(const ConnectionSettings& settings, const Interrupt* interrupt);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // One or more statements; an answer for each, up to the first error. Fewer answers than
  // answers_min are an error as well.
  Answer<std::vector<Rows>> run(const std::string& sql, size_t answers_min = 1);
  // The same, where the last statement is COPY … FROM STDIN: then put() and end_copy().
  Answer<std::vector<Rows>> begin_copy(const std::string& sql);
  Answer<void> put(ByteView bytes);
  Answer<void> end_copy();
  // Ends it as an error of the statement.
  void fail_copy();

  bool in_transaction() const;
  // Of the server's process for this connection.
  int32_t backend() const;
  bool good() const;

 private:
  Connection(pg_conn* connection, const Interrupt* interrupt, int64_t answer_millis)
      : connection_(connection), interrupt_(interrupt), answer_millis_(answer_millis) {}
  bool wait(bool to_write, int64_t deadline_millis);
  Answer<std::vector<Rows>> collect(bool& copying);
  Answer<void> flush();
  // From then on the connection is not good().
  DbError lost(std::string_view what);

  pg_conn* connection_ = nullptr;
  const Interrupt* interrupt_ = nullptr;
  int64_t answer_millis_;
  bool lost_ = false;  // libpq itself thinks well of a server that is silent
};

// `name` in the quotes of SQL; `text` as a literal (with standard_conforming_strings).
std::string sql_name(std::string_view name);
std::string sql_text(std::string_view text);

}  // namespace penstock::store
