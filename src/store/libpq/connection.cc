#include "store/libpq/connection.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include <libpq-fe.h>

namespace penstock::store {
namespace {

// The functions of libpq that are used, found by name.
struct Libpq {
#define PENSTOCK_LIBPQ(X) \
  X(PQbackendPID)         \
  X(PQclear)              \
  X(PQcmdTuples)          \
  X(PQconnectPoll)        \
  X(PQconnectStartParams) \
  X(PQconsumeInput)       \
  X(PQerrorMessage)       \
  X(PQfinish)             \
  X(PQflush)              \
  X(PQgetResult)          \
  X(PQgetisnull)          \
  X(PQgetlength)          \
  X(PQgetvalue)           \
  X(PQisBusy)             \
  X(PQnfields)            \
  X(PQntuples)            \
  X(PQputCopyData)        \
  X(PQputCopyEnd)         \
  X(PQresultErrorField)   \
  X(PQresultErrorMessage) \
  X(PQresultStatus)       \
  X(PQsendQuery)          \
  X(PQsetNoticeReceiver)  \
  X(PQsetnonblocking)     \
  X(PQsocket)             \
  X(PQstatus)             \
  X(PQtransactionStatus)
#define PENSTOCK_DECLARE(name) decltype(&::name) name = nullptr;
  PENSTOCK_LIBPQ(PENSTOCK_DECLARE)
#undef PENSTOCK_DECLARE
  bool good = false;

  Libpq() {
    void* library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    good = true;
#define PENSTOCK_FIND(name)                                          \
  name = reinterpret_cast<decltype(&::name)>(dlsym(library, #name)); \
  good = good && name != nullptr;
    PENSTOCK_LIBPQ(PENSTOCK_FIND)
#undef PENSTOCK_FIND
#undef PENSTOCK_LIBPQ
  }
};

const Libpq& libpq() {
  static const Libpq library;
  return library;
}

int64_t now_millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// "ERROR:  duplicate key …\n" without the line's end.
std::string one_line_of(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c != '\n' && c != '\t') {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

DbError error_of(const PGresult* result) {
  const auto field = [&](int code) {
    const char* text = libpq().PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  DbError error;
  error.state = field(PG_DIAG_SQLSTATE);
  error.trouble = trouble_of(error.state);
  error.message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (error.message.empty()) error.message = one_line_of(libpq().PQresultErrorMessage(result));
  return error;
}

Rows rows_of(const PGresult* result) {
  const Libpq& pq = libpq();
  Rows rows;
  rows.changed = std::strtoull(pq.PQcmdTuples(const_cast<PGresult*>(result)), nullptr, 10);
  const int count = pq.PQntuples(result), columns = pq.PQnfields(result);
  for (int row = 0; row < count; ++row) {
    auto& cells = rows.cells.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (pq.PQgetisnull(result, row, column) != 0) {
        cells.emplace_back();
      } else {
        cells.emplace_back(std::string(pq.PQgetvalue(result, row, column),
                                       static_cast<size_t>(pq.PQgetlength(result, row, column))));
      }
    }
  }
  return rows;
}

}  // namespace

Trouble trouble_of(std::string_view state) {
  if (state.empty()) return Trouble::lost;
  const auto is = [&](std::initializer_list<std::string_view> beginnings) {
    return std::ranges::any_of(beginnings, [&](auto text) { return state.starts_with(text); });
  };
  // A server that ends or begins, a connection that was terminated, a primary that became a
  // replica: only another connection helps.
  if (is({"08", "57P", "25006", "25P03", "25P04"})) return Trouble::lost;
  // 21000: two rows of one key in a statement. P0: a trigger of the user's. 54: a row too large.
  if (is({"21", "22", "23", "44", "54", "P0"})) return Trouble::data;
  if (is({"0A", "28", "3D", "3F", "42", "0P", "0L", "F0"})) return Trouble::settings;
  return Trouble::passing;
}

Error to_error(const DbError& error, std::string_view where) {
  std::string text = fmt::format("{}: {}", where, error.message);
  if (!error.state.empty()) text += fmt::format(" ({})", error.state);
  switch (error.trouble) {
    case Trouble::lost:
      return fail("S001"_code, std::move(text)).take();
    case Trouble::settings: {
      const bool table = error.state.starts_with("42P") || error.state.starts_with("427") ||
                         error.state.starts_with("3F");
      return fail(table ? "S002"_code : "S020"_code, std::move(text)).take();
    }
    case Trouble::data:
      return fail("S007"_code, std::move(text)).take();
    case Trouble::passing:
      break;
  }
  return fail("S006"_code, std::move(text)).take();
}

Interrupt::Interrupt() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
Interrupt::~Interrupt() { close(descriptor_); }
void Interrupt::raise() noexcept {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(descriptor_, &one, sizeof one);
}

// ---- connecting

Answer<Connection> Connection::open(const ConnectionSettings& settings,
                                    const Interrupt* interrupt) {
  const Libpq& pq = libpq();
  if (!pq.good) {
    return std::unexpected(DbError{
        Trouble::settings, "",
        "libpq.so.5 cannot be loaded: install PostgreSQL's client library (Debian: libpq5)"});
  }
  std::vector<const char*> names, values;
  for (const auto& [name, value] : settings.parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  Connection made(pq.PQconnectStartParams(names.data(), values.data(), 0), interrupt,
                  settings.answer_millis);
  const int64_t deadline = now_millis() + kConnectMillis;
  PostgresPollingStatusType want = PGRES_POLLING_WRITING;
  while (made.connection_ != nullptr && pq.PQstatus(made.connection_) != CONNECTION_BAD &&
         want != PGRES_POLLING_OK) {
    if (!made.wait(want == PGRES_POLLING_WRITING, deadline))
      return std::unexpected(made.lost("does not answer"));
    want = pq.PQconnectPoll(made.connection_);
    if (want == PGRES_POLLING_FAILED) break;
  }
  if (made.connection_ == nullptr || pq.PQstatus(made.connection_) != CONNECTION_OK) {
    DbError error = made.lost("cannot be reached");
    // libpq keeps no SQLSTATE of a refused login.
    for (const std::string_view words :
         {"password authentication failed", "no password supplied", "pg_hba.conf", "does not exist",
          "not permitted to log in", "authentication failed", "certificate",
          "server does not support SSL", "permission denied"}) {
      if (error.message.find(words) != std::string::npos &&
          error.message.find("No such file") == std::string::npos)
        error.trouble = Trouble::settings;
    }
    return std::unexpected(std::move(error));
  }
  pq.PQsetnonblocking(made.connection_, 1);
  pq.PQsetNoticeReceiver(made.connection_, [](void*, const PGresult*) {}, nullptr);
  return made;
}

Connection::Connection(Connection&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      interrupt_(other.interrupt_),
      answer_millis_(other.answer_millis_),
      lost_(other.lost_) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(interrupt_, other.interrupt_);
  std::swap(answer_millis_, other.answer_millis_);
  std::swap(lost_, other.lost_);
  return *this;
}

Connection::~Connection() {
  if (connection_ != nullptr) libpq().PQfinish(connection_);
}

DbError Connection::lost(std::string_view what) {
  lost_ = true;
  std::string said = connection_ == nullptr ? "" : one_line_of(libpq().PQerrorMessage(connection_));
  return {Trouble::lost, "", said.empty() ? std::string(what) : std::move(said)};
}

// False when the time is over or the interrupt was raised.
bool Connection::wait(bool to_write, int64_t deadline_millis) {
  pollfd watched[2] = {{libpq().PQsocket(connection_), POLLIN, 0}, {-1, POLLIN, 0}};
  if (to_write) watched[0].events = POLLIN | POLLOUT;
  if (interrupt_ != nullptr) watched[1].fd = interrupt_->descriptor();
  while (true) {
    const int64_t left = deadline_millis - now_millis();
    if (left <= 0) return false;
    const int ready = poll(watched, 2, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (watched[1].revents != 0) return false;
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// ---- statements

Answer<void> Connection::flush() {
  const int64_t deadline = now_millis() + answer_millis_;
  while (true) {
    const int left = libpq().PQflush(connection_);
    if (left == 0) return {};
    if (left < 0) return std::unexpected(lost("the connection is gone"));
    if (!wait(true, deadline)) return std::unexpected(lost("does not take what is sent"));
    // What the server says meanwhile has to be read, or both sides wait for each other.
    if (libpq().PQconsumeInput(connection_) == 0)
      return std::unexpected(lost("the connection is gone"));
  }
}

Answer<std::vector<Rows>> Connection::collect(bool& copying) {
  const Libpq& pq = libpq();
  const int64_t deadline = now_millis() + answer_millis_;
  std::vector<Rows> all;
  std::optional<DbError> error;
  while (true) {
    while (pq.PQisBusy(connection_) != 0) {
      if (!wait(false, deadline)) return std::unexpected(lost("does not answer"));
      if (pq.PQconsumeInput(connection_) == 0)
        return std::unexpected(lost("the connection is gone"));
    }
    PGresult* result = pq.PQgetResult(connection_);
    if (result == nullptr) break;
    const ExecStatusType status = pq.PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      all.push_back(rows_of(result));
    } else if (status == PGRES_COPY_IN) {
      pq.PQclear(result);
      copying = true;
      return all;
    } else if (!error) {
      error = error_of(result);
    }
    pq.PQclear(result);
  }
  if (error && !good()) error->trouble = Trouble::lost;
  if (error) return std::unexpected(*std::move(error));
  if (!good()) return std::unexpected(lost("the connection is gone"));
  return all;
}

Answer<std::vector<Rows>> Connection::run(const std::string& sql, size_t answers_min) {
  if (libpq().PQsendQuery(connection_, sql.c_str()) == 0)
    return std::unexpected(lost("the connection is gone"));
  if (auto sent = flush(); !sent) return std::unexpected(std::move(sent).error());
  bool copying = false;
  auto answers = collect(copying);
  if (answers && !copying && answers->size() >= answers_min) return answers;
  if (answers)
    return std::unexpected(DbError{Trouble::lost, "", "the server's answer makes no sense"});
  return answers;
}

Answer<std::vector<Rows>> Connection::begin_copy(const std::string& sql) {
  if (libpq().PQsendQuery(connection_, sql.c_str()) == 0)
    return std::unexpected(lost("the connection is gone"));
  if (auto sent = flush(); !sent) return std::unexpected(std::move(sent).error());
  bool copying = false;
  auto answers = collect(copying);
  if (answers && !copying)
    return std::unexpected(DbError{Trouble::passing, "", "the server did not begin a COPY"});
  return answers;
}

Answer<void> Connection::put(ByteView bytes) {
  constexpr size_t kPiece = 1 << 16;
  const int64_t deadline = now_millis() + answer_millis_;
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = std::min(kPiece, bytes.size() - at);
    const int taken = libpq().PQputCopyData(connection_, bytes.data() + at, static_cast<int>(size));
    if (taken < 0) return std::unexpected(lost("the connection is gone"));
    if (taken == 1) at += size;
    if (taken == 0 && !wait(true, deadline))
      return std::unexpected(lost("does not take what is sent"));
    if (libpq().PQconsumeInput(connection_) == 0)
      return std::unexpected(lost("the connection is gone"));
  }
  return {};
}

Answer<void> Connection::end_copy() {
  const int64_t deadline = now_millis() + answer_millis_;
  while (true) {
    const int ended = libpq().PQputCopyEnd(connection_, nullptr);
    if (ended < 0) return std::unexpected(lost("the connection is gone"));
    if (ended == 1) break;
    if (!wait(true, deadline)) return std::unexpected(lost("does not take what is sent"));
  }
  if (auto sent = flush(); !sent) return sent;
  bool copying = false;
  auto answers = collect(copying);
  if (!answers) return std::unexpected(std::move(answers).error());
  return {};
}

void Connection::fail_copy() {
  if (libpq().PQputCopyEnd(connection_, "given up") < 0) return;
  if (!flush()) return;
  bool copying = false;
  (void)collect(copying);
}

bool Connection::in_transaction() const {
  const PGTransactionStatusType status = libpq().PQtransactionStatus(connection_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}
int32_t Connection::backend() const { return libpq().PQbackendPID(connection_); }
bool Connection::good() const { return !lost_ && libpq().PQstatus(connection_) == CONNECTION_OK; }

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string sql_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

}  // namespace penstock::store
