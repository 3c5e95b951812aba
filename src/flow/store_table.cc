#include "flow/store_table.h"

#include <fmt/format.h>

namespace penstock::flow {
namespace {

Result<void> check_field(const StoreTable& table, const std::string& name) {
  if (table.schema->root().field(name) != nullptr) return {};
  return fail("S008"_code,
              fmt::format("the records for table \"{}\" have no field \"{}\"", table.table, name));
}

}  // namespace

Result<void> check_fields(const StoreTable& table) {
  if (table.merge == Merge::append) return {};
  if (table.key.empty())
    return fail("S008"_code, fmt::format("table \"{}\" has no key", table.table));
  for (const std::string& name : table.key) PENSTOCK_TRY_VOID(check_field(table, name));
  if (table.merge == Merge::newest_by) return check_field(table, table.newest_by);
  return {};
}

std::vector<StoreTable> tables_of(const StoreTable& table) {
  std::vector<StoreTable> all;
  for (const std::string& name : table.each) {
    all.push_back(table);
    all.back().table = name;
    all.back().each.clear();
  }
  if (all.empty()) all.push_back(table);
  return all;
}

}  // namespace penstock::flow
