#include "app/objections.h"

#include "aws/msk.h"
#include "file/table.h"
#include "log/kafka/part.h"
#include "registry/part.h"
#include "store/dynamodb/item.h"
#include "store/dynamodb/part.h"
#include "store/postgres/part.h"
#include "store/postgres/table_text.h"
#include "store/redshift/part.h"
#include "store/redshift/table_text.h"
#include "store/sqlite/table_text.h"

#include <string>
#include <string_view>
#include <utility>

namespace penstock::app {
namespace {

// Somebody will have it where the pipeline runs.
Result<std::string> any_secret(std::string_view) { return "secret"; }

using Errors = std::vector<Error>;

// `place` is for errors that know none.
template <class Value>
void keep_error(Result<Value> result, const Place& place, Errors& errors) {
  if (result) return;
  if (result.error().place.line == 0) result.error().place = place;
  errors.push_back(std::move(result).error());
}

void object_to_log(const plan::Plan& plan, Errors& errors) {
  if (plan.log.part != "kafka" && plan.log.part != "msk") return;
  const flow::Config& config = *plan.log.config;
  if (plan.log.part == "msk")
    keep_error(aws::parse_msk_arn(config.text("msk")), config.place("msk"), errors);
  keep_error(log::kafka::settings_fit(config), config.place(plan.log.part), errors);
}

void object_to_settings(const plan::Store& store, const Clock& clock, Errors& errors) {
  const flow::Config& own = *store.config;
  const flow::Config* target = store.target_config.get();
  const Place place = own.place(own.node());
  if (store.part == "postgres")
    keep_error(store::postgres::settings_of(own, target, any_secret), place, errors);
  if (store.part == "redshift")
    keep_error(store::redshift::settings_of(own, target, clock, any_secret), place, errors);
  if (store.part == "dynamodb")
    keep_error(store::dynamodb::settings_of(own, target), place, errors);
}

// No stage writes a store without a schema.
void object_to_records(const plan::Store& store, Errors& errors) {
  const flow::StoreTable& table = store.table;
  if (table.schema == nullptr) return;
  const flow::Config& own = *store.config;
  // The field that names the kind has the table's name, whatever kind the target makes of it.
  const Place place = own.place(own.node().entries.front().key);
  if (store.part == "sqlite") keep_error(store::check_names(table), place, errors);
  if (store.part == "postgres") keep_error(store::postgres::check_records(table), place, errors);
  if (store.part == "redshift") keep_error(store::redshift::check_records(table), place, errors);
  if (store.part == "dynamodb") keep_error(store::dynamodb::key_parts(table), place, errors);
}

// All rows, where `plan` and `run` need the columns alone to begin with.
void object_to_rows(const plan::Plan& plan, const plan::Table& table, Errors& errors) {
  if (table.part != "csv" && table.part != "jsonl") return;
  const flow::Config& config = *table.config;
  auto spec = file::table_spec(config, plan.folder);
  if (!spec) return keep_error(std::move(spec), config.place(table.part), errors);
  keep_error(file::FileTable::open(std::move(*spec)), config.place(table.part), errors);
}

}  // namespace

std::vector<Error> objections(const plan::Plan& plan, const Clock& clock) {
  Errors errors;
  object_to_log(plan, errors);
  for (const plan::RegistryUse& use : plan.registries)
    keep_error(registry::settings_fit(use.part, *use.config), use.config->place(use.part), errors);
  for (const plan::Table& table : plan.tables) object_to_rows(plan, table, errors);
  for (const plan::Store& store : plan.stores) {
    object_to_settings(store, clock, errors);
    object_to_records(store, errors);
  }
  return errors;
}

}  // namespace penstock::app
