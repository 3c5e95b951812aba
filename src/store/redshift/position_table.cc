#include "store/redshift/position_table.h"

#include "store/redshift/table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::store::redshift {
namespace {

constexpr size_t kMaxNameBytes = 127;
constexpr size_t kListBytes = 90'000;

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

// Joined, in as many texts as keep below what a statement may have; and how many each one has.
std::vector<std::pair<std::string, size_t>> lists(std::span<const std::string> each,
                                                  std::string_view between) {
  std::vector<std::pair<std::string, size_t>> all;
  for (const std::string& one : each) {
    if (all.empty() || all.back().first.size() + one.size() > kListBytes) all.emplace_back();
    auto& [text, count] = all.back();
    if (count++ > 0) text += between;
    text += one;
  }
  return all;
}

std::string insert_text(const std::string& table, const std::string& rows) {
  return fmt::format(
      "INSERT INTO {} (\"pipeline\", \"stage\", \"store\", \"lineage\", \"partition\", \"topic\", "
      "\"next\", \"term\", \"fates\") VALUES {}",
      table, rows);
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

std::string PositionTable::of_store() const {
  return fmt::format("\"pipeline\" = {} AND \"stage\" = {} AND \"store\" = {}",
                     text_sql(spec_.pipeline), text_sql(spec_.stage), text_sql(spec_.store));
}

std::string PositionTable::id(Partition partition) const {
  return fmt::format("\"lineage\" = {} AND \"partition\" = {}",
                     text_sql(spec_.lineages[partition.topic]), partition.index);
}

std::string PositionTable::values(Partition partition, Offset next, uint64_t term,
                                  const std::string& fates) const {
  return fmt::format("({}, {}, {}, {}, {}, {}, {}, {}, {})", text_sql(spec_.pipeline),
                     text_sql(spec_.stage), text_sql(spec_.store),
                     text_sql(spec_.lineages[partition.topic]), partition.index,
                     text_sql(spec_.inputs[partition.topic]), next.value, term, fates);
}

std::string PositionTable::known() const {
  return fmt::format("SELECT \"lineage\", \"partition\", \"topic\", \"fates\" FROM {} WHERE {}",
                     sql_, of_store());
}

// " WHERE … AND ((…) OR (…))", as many as a statement takes.
std::vector<PositionTable::Where> PositionTable::wheres(std::span<const std::string> each) const {
  std::vector<Where> all;
  for (const auto& [list, count] : lists(each, " OR "))
    all.push_back({fmt::format(" WHERE {} AND ({})", of_store(), list), count});
  return all;
}

void PositionTable::add_claim(std::span<const Partition> there, std::span<const Partition> missing,
                              std::vector<Step>& steps) const {
  std::vector<std::string> ids, absent, rows;
  for (const Partition one : there) ids.push_back("(" + id(one) + ")");
  for (const Partition one : missing) {
    absent.push_back("(" + id(one) + ")");
    rows.push_back(values(one, Offset{0}, 1, "NULL"));
  }
  for (const Where& where : wheres(absent))
    steps.push_back({guard_text(0, sql_ + where.sql), kPositions, true});
  for (const Where& where : wheres(ids))
    steps.push_back({fmt::format("UPDATE {} SET \"term\" = \"term\" + 1{}", sql_, where.sql)});
  for (const auto& [list, count] : lists(rows, ", ")) steps.push_back({insert_text(sql_, list)});
  ids.insert(ids.end(), absent.begin(), absent.end());
  for (const Where& where : wheres(ids))
    steps.push_back(
        {fmt::format("SELECT \"lineage\", \"partition\", \"next\", \"term\", \"fates\" FROM {}{}",
                     sql_, where.sql)});
}

void PositionTable::add_swap(std::span<const flow::PartitionCommit> moved,
                             std::vector<Step>& steps) const {
  std::vector<std::string> owned, ids, rows;
  for (const flow::PartitionCommit& one : moved) {
    ids.push_back("(" + id(one.partition) + ")");
    owned.push_back(fmt::format("({} AND \"next\" = {} AND \"term\" = {})", id(one.partition),
                                one.from.value, one.term.value));
    rows.push_back(
        values(one.partition, one.next, one.term.value, text_sql(flow::to_text(one.fates))));
  }
  for (const Where& where : wheres(owned))
    steps.push_back({guard_text(where.count, sql_ + where.sql), kPositions, true});
  for (const Where& where : wheres(ids))
    steps.push_back({fmt::format("DELETE FROM {}{}", sql_, where.sql)});
  for (const auto& [list, count] : lists(rows, ", ")) steps.push_back({insert_text(sql_, list)});
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
