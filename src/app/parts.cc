#include "app/parts.h"

#include "file/table.h"
#include "log/kafka/msk.h"
#include "log/kafka/part.h"
#include "meter/meter_source.h"
#include "registry/part.h"
#include "step/steps.h"
#include "store/dynamodb/part.h"
#include "store/postgres/part.h"
#include "store/redshift/part.h"
#include "store/sqlite/sqlite_store.h"

#include <vector>

namespace penstock::app {
namespace {

void append(std::vector<flow::PartSpec>& all, std::span<const flow::PartSpec> more) {
  all.insert(all.end(), more.begin(), more.end());
}

std::vector<flow::PartSpec> every_part() {
  std::vector<flow::PartSpec> all = {step::drop(),   step::reject(),   step::set(),
                                     step::unset(),  step::join(),     step::send(),
                                     step::unique(), step::pseudonym()};
  append(all, store::sqlite_part_specs());
  all.push_back(store::postgres::postgres_part());
  all.push_back(store::postgres::query_part());
  all.push_back(store::redshift::redshift_part());
  all.push_back(store::dynamodb::dynamodb_part());
  append(all, file::part_specs());
  append(all, meter::part_specs());
  all.push_back(log::kafka::kafka_part());
  all.push_back(log::kafka::msk_part());
  all.push_back(registry::confluent_part());
  all.push_back(registry::glue_part());
  append(all, planned_parts());
  return all;
}

}  // namespace

std::span<const flow::PartSpec> parts() {
  static const std::vector<flow::PartSpec> all = every_part();
  return all;
}

}  // namespace penstock::app
