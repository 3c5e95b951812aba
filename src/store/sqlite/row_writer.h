// row_writer.h — rows of columns into one table, by one prepared statement.
//
// Thread      one.
// Lifetime    ends before its Database.
// Errors      a row that the table can not take is Outcome::refused with a reason; the transaction
//             that it was written in stays as it was before the row.
#pragma once

#include "flow/store.h"
#include "store/sqlite/cell.h"
#include "store/sqlite/database.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::store {

class RowWriter {
 public:
  static Result<RowWriter> prepare(Database& database, const std::string& path,
                                   const flow::StoreTable& table);

  // Writes rows[row]. On Outcome::refused reason() says why: "store.not_null",
  // "store.not_a_number", "store.out_of_range", "store.too_large", "store.constraint".
  Outcome write(const flow::StoreRows& rows, uint32_t row);
  std::string_view reason() const { return reason_; }
  const std::string& detail() const { return detail_; }

 private:
  struct Column {
    CellType type;
    std::string name;
    bool needed = false;        // key or newest_by: never null
    char time[kTimeTextBytes];  // what is bound lives here until the step
    std::string text;
  };
  bool bind(Column& column, int parameter, const row::Column& values, uint32_t row);
  bool bind_int64(Column& column, int parameter, int64_t value);
  bool bind_view(Column& column, int parameter, std::string_view value);
  bool refuse(const Column& column, std::string_view reason, std::string_view why);

  Database* database_ = nullptr;
  Statement insert_;
  std::vector<Column> columns_;
  std::string_view reason_;
  std::string detail_;
};

}  // namespace penstock::store
