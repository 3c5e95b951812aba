#include "app/store_tables.h"

#include "store/dynamodb/part.h"
#include "store/postgres/part.h"
#include "store/postgres/postgres_store.h"
#include "store/redshift/part.h"
#include "store/redshift/redshift_store.h"

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

using Lines = Result<std::vector<std::string>>;

// The tables as they would be made, and what those that are there have instead.
void describe_one(const plan::Store& store, const std::string& where,
                  const std::vector<std::string>& made_anew, const Lines& differences,
                  std::string& out) {
  out += fmt::format("\ntables of store {} ({})\n", store.name, where);
  if (!differences) {
    append_lines("made anew it would be:", made_anew, out);
    append_lines("not compared:", {one_line(differences.error())}, out);
    if (!differences.error().cure.empty()) append_lines("cure:", {differences.error().cure}, out);
    return;
  }
  if (differences->empty()) {
    out += "  as the records need it\n";
  } else {
    append_lines("what differs from the records:", *differences, out);
  }
}

void describe_postgres(const plan::Store& store, std::string& out) {
  auto settings = store::postgres::settings_of(*store.config, store.target_config.get());
  store::postgres::PostgresStore database(settings ? *settings : store::postgres::StoreSettings{});
  const std::vector<std::string> ddl = database.ddl(store.table);
  if (!settings) {
    describe_one(store, "not known yet", ddl, std::unexpected(std::move(settings).error()), out);
  } else {
    describe_one(store, settings->connection.where, ddl, database.compare(store.table), out);
  }
}

void describe_redshift(const plan::Store& store, const Clock& clock, std::string& out) {
  auto settings = store::redshift::settings_of(*store.config, store.target_config.get(), clock);
  store::redshift::RedshiftStore database(settings ? *settings : store::redshift::StoreSettings{});
  const std::vector<std::string> ddl = database.ddl(store.table);
  if (!settings) {
    describe_one(store, "not known yet", ddl, std::unexpected(std::move(settings).error()), out);
  } else {
    describe_one(store, settings->where, ddl, database.compare(store.table), out);
  }
}

void describe_dynamodb(const plan::Store& store, const Clock& clock, std::string& out) {
  const auto settings = store::dynamodb::settings_of(*store.config, store.target_config.get());
  const auto made_anew = store::dynamodb::DynamoDbStore::describe(
      settings ? *settings : store::dynamodb::StoreSettings{}, store.table);
  auto opened = settings ? store::dynamodb::DynamoDbStore::open(*settings, clock)
                         : std::unexpected(settings.error());
  const Lines differences =
      opened ? (*opened)->compare(store.table) : Lines(std::unexpected(std::move(opened).error()));
  const std::vector<std::string> lines =
      made_anew ? *made_anew : std::vector<std::string>{one_line(made_anew.error())};
  describe_one(store, "DynamoDB", lines, differences, out);
  if (differences && made_anew) append_lines("as it is to be:", lines, out);
}

}  // namespace

std::string describe_tables(const plan::Plan& plan, const Clock& clock) {
  std::string out;
  for (const plan::Store& store : plan.stores) {
    if (store.table.schema == nullptr) continue;
    if (store.part == "postgres") describe_postgres(store, out);
    if (store.part == "redshift") describe_redshift(store, clock, out);
    if (store.part == "dynamodb") describe_dynamodb(store, clock, out);
  }
  return out;
}

}  // namespace penstock::app
