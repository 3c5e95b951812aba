#include "app/store_settings.h"

#include "store/dynamodb/part.h"
#include "store/postgres/part.h"
#include "store/redshift/part.h"

#include <string>
#include <string_view>
#include <utility>

namespace penstock::app {
namespace {

// Somebody will have it where the pipeline runs.
Result<std::string> any_secret(std::string_view) { return "secret"; }

template <class Settings>
void keep_error(Result<Settings> settings, std::vector<Error>& errors) {
  if (!settings) errors.push_back(std::move(settings).error());
}

}  // namespace

std::vector<Error> store_objections(const plan::Plan& plan, const Clock& clock) {
  std::vector<Error> errors;
  for (const plan::Store& store : plan.stores) {
    const flow::Config* target = store.target_config.get();
    if (store.part == "postgres")
      keep_error(store::postgres::settings_of(*store.config, target, any_secret), errors);
    if (store.part == "redshift")
      keep_error(store::redshift::settings_of(*store.config, target, clock, any_secret), errors);
    if (store.part == "dynamodb")
      keep_error(store::dynamodb::settings_of(*store.config, target), errors);
  }
  return errors;
}

}  // namespace penstock::app
