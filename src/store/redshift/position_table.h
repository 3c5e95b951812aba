// position_table.h — SQL about the positions of one pipeline's store.
//
// Redshift locks whole tables, so each (pipeline, store) has a table of its own: epochs of
// different stores do not wait for each other. Each transaction begins with LOCK TABLE: it waits
// for the former owner, and its snapshot is younger than what that one left. An UPDATE without the
// lock would be answered with error 1023 instead.
//
// Thread      values.
#pragma once

#include "flow/store.h"
#include "store/redshift/database.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::store::redshift {

class PositionTable {
 public:
  PositionTable(std::string_view schema, const flow::StoreSpec& spec);

  const std::string& sql() const { return sql_; }      // "public"."penstock_positions_p_latest"
  const std::string& table() const { return table_; }  // its name in the schema
  std::string create() const;
  std::string lock() const { return "LOCK TABLE " + sql_; }
  // lineage, partition, topic, fates of every one of this stage.
  std::string known() const;
  // The terms go up. What is `there` and nothing else of these has to be there, else the guard
  // fails; `missing` ones begin. The last answers are lineage, partition, next, term, fates.
  void add_claim(std::span<const Partition> there, std::span<const Partition> missing,
                 std::vector<Step>& steps) const;
  // Fails at its guard when somebody else owns one of them, or moved it.
  void add_swap(std::span<const flow::PartitionCommit> moved, std::vector<Step>& steps) const;
  // topic, partition, next, fates; of every stage where the spec has none.
  std::string all() const;

 private:
  std::string of_store() const;
  std::string id(Partition partition) const;
  std::string values(Partition partition, Offset next, uint64_t term,
                     const std::string& fates) const;
  struct Where {
    std::string sql;
    size_t count;
  };
  std::vector<Where> wheres(std::span<const std::string> each) const;

  flow::StoreSpec spec_;
  std::string table_, sql_;
};

}  // namespace penstock::store::redshift
