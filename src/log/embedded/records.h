// records.h — how topics, ends and groups are written down: the keys and values of each family.
//
//   chunks   topic id, partition, base offset        -> record batch v2
//   ends     topic id, partition                     -> start, end
//   groups   group, lineage, partition               -> GroupRow
//   schemas  fingerprint                             -> the schema's JSON
//   topics   name                                    -> TopicRow
//   state    group, lineage, partition, key         -> what the group's stage remembers
//   meta     "format", "next_topic"                  -> number
//
// Numbers are big-endian, so that the key order is the order of offsets.
//
// Thread      free functions and values.
// Errors      parse_* answer false for bytes that were not written by their counterpart.
#pragma once

#include "base/units.h"
#include "flow/positions.h"

#include <cstdint>
#include <string>

namespace penstock::log {

struct ChunkPlace {
  uint32_t topic_id = 0;
  int32_t partition = 0;
  Offset base;
  bool operator==(const ChunkPlace&) const = default;
};
std::string chunk_key(const ChunkPlace& place);
bool parse_chunk_key(ByteView key, ChunkPlace& place);

std::string ends_key(uint32_t topic_id, int32_t partition);
std::string ends_value(Offset start, Offset end);
bool parse_ends(ByteView key, ByteView value, ChunkPlace& place_of_start, Offset& end);

// One input partition of one group.
struct GroupKey {
  std::string group;
  std::string lineage;  // of the topic; "input:<name>" for sources that are no topics
  int32_t partition = 0;
  auto operator<=>(const GroupKey&) const = default;
};
struct GroupRow {
  std::string topic;       // for people
  Term term;               // of the newest owner
  Offset next;             // meaningless unless committed
  bool committed = false;  // false: claimed, but nothing was ever committed
  flow::Fates fates;
};
// Also what the keys of its state begin with.
std::string group_key(const GroupKey& key);
std::string group_value(const GroupRow& row);
bool parse_group(ByteView key, ByteView value, GroupKey& group, GroupRow& row);

struct TopicRow {
  uint32_t id = 0;
  int32_t partitions = 0;
  int64_t keep_millis = -1;
  std::string lineage;
};
std::string topic_value(const TopicRow& row);
bool parse_topic(ByteView value, TopicRow& row);

std::string number_bytes(uint64_t number);
bool parse_number(ByteView bytes, uint64_t& number);

}  // namespace penstock::log
