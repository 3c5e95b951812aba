#include "store/postgres/query.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::store::postgres {

Result<std::string> query_lines(StoreSettings settings, std::string sql, uint64_t rows_max,
                                const Interrupt* interrupt) {
  const std::string where = settings.connection.where;
  settings.connection.answer_millis = kQueryMillis;
  for (auto& [name, value] : settings.connection.parameters) {
    if (name == "target_session_attrs") value = "any";  // a replica will do
  }
  auto db = open_database(settings, interrupt);
  if (!db) return std::unexpected(to_error(db.error(), where));
  while (sql.ends_with(';') || sql.ends_with(' ') || sql.ends_with('\n')) sql.pop_back();
  // The line's end closes a comment in which the query may end.
  auto answers = db->run(fmt::format(
      "BEGIN READ ONLY; SELECT pg_catalog.row_to_json(q)::text FROM ({}\n) q LIMIT {}; COMMIT", sql,
      rows_max + 1));
  if (!answers) return std::unexpected(to_error(answers.error(), where));
  if (answers->size() != 3) return fail("S002"_code, where + ": the query is not one statement");
  const Rows& rows = (*answers)[1];
  if (rows.cells.size() > rows_max)
    return fail("S022"_code,
                fmt::format("{}: the query answers more than {} rows", where, rows_max));
  std::string lines;
  for (size_t i = 0; i < rows.cells.size(); ++i) lines += rows.text(i, 0) + '\n';
  return lines;
}

}  // namespace penstock::store::postgres
