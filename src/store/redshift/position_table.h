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

#include <string>
#include <string_view>

namespace penstock::store::redshift {

class PositionTable {
 public:
  PositionTable(std::string_view schema, const flow::StoreSpec& spec);

  const std::string& sql() const { return sql_; }      // "public"."penstock_positions_p_latest"
  const std::string& table() const { return table_; }  // its name in the schema
  std::string create() const;
  std::string lock() const { return "LOCK TABLE " + sql_; }
  std::string bump(Partition partition) const;  // the term
  std::string read(Partition partition) const;  // next, term, fates
  std::string insert(Partition partition) const;
  // Positions of the topic under another lineage.
  std::string others(Partition partition) const;
  // Changes one row, or none: then somebody else owns the partition.
  std::string swap(const flow::PartitionCommit& moved) const;
  // topic, partition, next, fates; of every stage where the spec has none.
  std::string all() const;

 private:
  std::string where(Partition partition) const;

  flow::StoreSpec spec_;
  std::string table_, sql_;
};

}  // namespace penstock::store::redshift
