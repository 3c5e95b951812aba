#include "store/redshift/position_table.h"

#include "store/redshift/table_text.h"

#include <fmt/format.h>

namespace penstock::store::redshift {
namespace {

constexpr size_t kMaxNameBytes = 127;

// Two names that become one share a table: they wait for each other, no more, since each row has
// the whole identity.
std::string plain(std::string_view name) {
  std::string out = folded(name);
  for (char& c : out) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!fine) c = '_';
  }
  return out;
}

}  // namespace

PositionTable::PositionTable(std::string_view schema, const flow::StoreSpec& spec) : spec_(spec) {
  table_ = fmt::format("penstock_positions_{}_{}", plain(spec.pipeline), plain(spec.store));
  table_.resize(std::min(table_.size(), kMaxNameBytes));
  sql_ = column_sql(schema) + "." + column_sql(table_);
}

std::string PositionTable::create() const {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (\"pipeline\" varchar(512) NOT NULL, \"stage\" varchar(512) "
      "NOT NULL, \"store\" varchar(512) NOT NULL, \"lineage\" varchar(512) NOT NULL, \"partition\" "
      "integer NOT NULL, \"topic\" varchar(512) NOT NULL, \"next\" bigint NOT NULL, \"term\" "
      "bigint NOT NULL, \"fates\" varchar(65535)) DISTSTYLE ALL",
      sql_);
}

std::string PositionTable::where(Partition partition) const {
  return fmt::format(
      " WHERE \"pipeline\" = {} AND \"stage\" = {} AND \"store\" = {} AND \"lineage\" = {} AND "
      "\"partition\" = {}",
      text_sql(spec_.pipeline), text_sql(spec_.stage), text_sql(spec_.store),
      text_sql(spec_.lineages[partition.topic]), partition.index);
}

std::string PositionTable::bump(Partition partition) const {
  return fmt::format("UPDATE {} SET \"term\" = \"term\" + 1{}", sql_, where(partition));
}

std::string PositionTable::read(Partition partition) const {
  return fmt::format("SELECT \"next\", \"term\", \"fates\" FROM {}{}", sql_, where(partition));
}

std::string PositionTable::insert(Partition partition) const {
  return fmt::format(
      "INSERT INTO {} (\"pipeline\", \"stage\", \"store\", \"lineage\", \"partition\", \"topic\", "
      "\"next\", \"term\", \"fates\") VALUES ({}, {}, {}, {}, {}, {}, 0, 1, NULL)",
      sql_, text_sql(spec_.pipeline), text_sql(spec_.stage), text_sql(spec_.store),
      text_sql(spec_.lineages[partition.topic]), partition.index,
      text_sql(spec_.inputs[partition.topic]));
}

std::string PositionTable::others(Partition partition) const {
  return fmt::format(
      "SELECT \"lineage\" FROM {} WHERE \"pipeline\" = {} AND \"stage\" = {} AND \"store\" = {} "
      "AND \"lineage\" <> {} AND \"partition\" = {} AND \"topic\" = {} AND \"fates\" IS NOT NULL "
      "LIMIT 1",
      sql_, text_sql(spec_.pipeline), text_sql(spec_.stage), text_sql(spec_.store),
      text_sql(spec_.lineages[partition.topic]), partition.index,
      text_sql(spec_.inputs[partition.topic]));
}

std::string PositionTable::swap(const flow::PartitionCommit& moved) const {
  return fmt::format(
      "UPDATE {} SET \"next\" = {}, \"fates\" = {}{} AND \"next\" = {} AND \"term\" = {}", sql_,
      moved.next.value, text_sql(flow::to_text(moved.fates)), where(moved.partition),
      moved.from.value, moved.term.value);
}

std::string PositionTable::all() const {
  const std::string of_stage =
      spec_.stage.empty() ? "" : " AND \"stage\" = " + text_sql(spec_.stage);
  return fmt::format(
      "SELECT \"topic\", \"partition\", \"next\", \"fates\" FROM {} WHERE \"pipeline\" = {} AND "
      "\"store\" = {}{}",
      sql_, text_sql(spec_.pipeline), text_sql(spec_.store), of_stage);
}

}  // namespace penstock::store::redshift
