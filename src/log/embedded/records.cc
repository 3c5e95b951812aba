#include "log/embedded/records.h"

#include <type_traits>
#include <utility>

namespace penstock::log {
namespace {

constexpr char kCommittedFlag = 1;

template <class T>
void put(std::string& out, T value) {
  const auto bits = static_cast<std::make_unsigned_t<T>>(value);
  for (size_t i = sizeof(T); i-- > 0;) out += static_cast<char>(bits >> (8 * i));
}

void put_text(std::string& out, ByteView text) {
  put(out, static_cast<uint16_t>(text.size()));
  out += text;
}

template <class T>
bool get(ByteView& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  uint64_t bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i) bits = bits << 8 | static_cast<unsigned char>(in[i]);
  value = static_cast<T>(bits);
  in.remove_prefix(sizeof(T));
  return true;
}

bool get_text(ByteView& in, std::string& text) {
  uint16_t size = 0;
  if (!get(in, size) || in.size() < size) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

}  // namespace

std::string chunk_key(const ChunkPlace& place) {
  std::string key;
  put(key, place.topic_id);
  put(key, place.partition);
  put(key, place.base.value);
  return key;
}

bool parse_chunk_key(ByteView key, ChunkPlace& place) {
  return get(key, place.topic_id) && get(key, place.partition) && get(key, place.base.value) &&
         key.empty();
}

std::string ends_key(uint32_t topic_id, int32_t partition) {
  std::string key;
  put(key, topic_id);
  put(key, partition);
  return key;
}

std::string ends_value(Offset start, Offset end) {
  std::string value;
  put(value, start.value);
  put(value, end.value);
  return value;
}

bool parse_ends(ByteView key, ByteView value, ChunkPlace& place_of_start, Offset& end) {
  return get(key, place_of_start.topic_id) && get(key, place_of_start.partition) && key.empty() &&
         get(value, place_of_start.base.value) && get(value, end.value) && value.empty();
}

std::string group_key(const GroupKey& key) {
  std::string bytes;
  put_text(bytes, key.group);
  put_text(bytes, key.lineage);
  put(bytes, key.partition);
  return bytes;
}

std::string group_value(const GroupRow& row) {
  std::string bytes(1, row.committed ? kCommittedFlag : '\0');
  put(bytes, row.term.value);
  put(bytes, row.next.value);
  put_text(bytes, row.topic);
  return bytes + to_text(row.fates);
}

bool parse_group(ByteView key, ByteView value, GroupKey& group, GroupRow& row) {
  if (!get_text(key, group.group) || !get_text(key, group.lineage) || !get(key, group.partition) ||
      !key.empty() || value.empty()) {
    return false;
  }
  row.committed = value[0] == kCommittedFlag;
  value.remove_prefix(1);
  if (!get(value, row.term.value) || !get(value, row.next.value) || !get_text(value, row.topic)) {
    return false;
  }
  auto fates = flow::fates_from_text(value);
  if (!fates) return false;
  row.fates = std::move(*fates);
  return true;
}

std::string topic_value(const TopicRow& row) {
  std::string bytes;
  put(bytes, row.id);
  put(bytes, row.partitions);
  put(bytes, row.keep_millis);
  put_text(bytes, row.lineage);
  return bytes;
}

bool parse_topic(ByteView value, TopicRow& row) {
  return get(value, row.id) && get(value, row.partitions) && get(value, row.keep_millis) &&
         get_text(value, row.lineage) && value.empty();
}

std::string number_bytes(uint64_t number) {
  std::string bytes;
  put(bytes, number);
  return bytes;
}

bool parse_number(ByteView bytes, uint64_t& number) { return get(bytes, number) && bytes.empty(); }

}  // namespace penstock::log
