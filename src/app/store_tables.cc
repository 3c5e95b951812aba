#include "app/store_tables.h"

#include "store/postgres/part.h"
#include "store/postgres/postgres_store.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

namespace penstock::app {
namespace {

void append_lines(std::string_view head, const std::vector<std::string>& lines, std::string& out) {
  out += fmt::format("  {}\n", head);
  for (const std::string& line : lines) out += fmt::format("    {}\n", line);
}

void describe_one(const plan::Store& store, std::string& out) {
  auto settings = store::postgres::settings_of(*store.config, store.target_config.get());
  const std::string where = settings ? settings->connection.where : "not known yet";
  out += fmt::format("\ntables of store {} ({})\n", store.name, where);
  store::postgres::PostgresStore database(settings ? *settings : store::postgres::StoreSettings{});
  const auto is_there =
      settings ? database.compare(store.table)
               : Result<std::vector<std::string>>(std::unexpected(std::move(settings).error()));
  if (!is_there) {
    append_lines("made anew it would be:", database.ddl(store.table), out);
    append_lines("not compared:", {one_line(is_there.error())}, out);
    if (!is_there.error().cure.empty()) append_lines("cure:", {is_there.error().cure}, out);
    return;
  }
  if (is_there->empty()) {
    out += "  as the records need it\n";
  } else {
    append_lines("what differs from the records:", *is_there, out);
  }
}

}  // namespace

std::string describe_tables(const plan::Plan& plan) {
  std::string out;
  for (const plan::Store& store : plan.stores) {
    if (store.part == "postgres" && store.table.schema != nullptr) describe_one(store, out);
  }
  return out;
}

}  // namespace penstock::app
