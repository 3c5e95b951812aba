#include "wire/record_batch.h"

#include "base/random.h"
#include "wire/crc32c.h"
#include "wire/partitioner.h"
#include "wire/varint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace penstock::wire {
namespace {

RecordsBuilder sample() {
  RecordsBuilder records;
  records.append({.key = "m1", .value = "first", .timestamp = 1000, .has_key = true});
  records.append({.value = "", .timestamp = 900});
  records.append({.key = "", .timestamp = 2000, .has_key = true, .has_value = false});
  return records;
}

std::string sample_batch() {
  const RecordsBuilder records = sample();
  std::string batch;
  append_batch(batch, records.header(), records.bytes());
  return batch;
}

TEST_CASE("CRC-32C: the check value, the RFC's vectors, and both ways agree") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  Random random(1);
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    CHECK(crc32c(bytes) == crc32c_portable(bytes));
    CHECK(crc32c(bytes.substr(i / 2), crc32c(bytes.substr(0, i / 2))) == crc32c(bytes));
    bytes += static_cast<char>(random.next());
  }
}

TEST_CASE("murmur2 and the partition of a key are those of Kafka's Java client") {
  CHECK(murmur2("21") == -973932308);
  CHECK(murmur2("foobar") == -790332482);
  CHECK(murmur2("a-little-bit-long-string") == -985981536);
  CHECK(murmur2("a-little-bit-longer-string") == -1486304829);
  CHECK(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8") == -58897971);
  CHECK(murmur2("abc") == 479470107);
  CHECK(partition_of("abc", 5) == 479470107 % 5);
  CHECK(partition_of("21", 5) == static_cast<int32_t>((0u - 973932308u) & 0x7fffffff) % 5);
}

TEST_CASE("varints of every length come back") {
  for (int bits = 0; bits < 64; ++bits) {
    for (const int64_t value : {int64_t{1} << bits, -(int64_t{1} << (bits % 63)), ~int64_t{0}}) {
      char bytes[kMaxVarintBytes];
      char* end = put_varint(bytes, value);
      CHECK(static_cast<size_t>(end - bytes) == varint_bytes(value));
      const char* at = bytes;
      int64_t back = 0;
      CHECK(get_varint(at, end, back));
      CHECK(back == value);
      at = bytes;
      CHECK(!get_varint(at, end - 1, back));
    }
  }
}

TEST_CASE("records come back as they were appended") {
  const std::string batch = sample_batch();
  const auto view = parse_batch(batch);
  REQUIRE(view);
  CHECK(view->size_bytes == batch.size());
  CHECK(view->header.count == 3);
  CHECK(view->header.last_offset_delta == 2);
  CHECK(view->header.base_timestamp == Millis{1000});
  CHECK(view->header.max_timestamp == Millis{2000});
  RecordWalker walker(view->records, view->header.count);
  RecordView record;
  REQUIRE(walker.next(record));
  CHECK((record.has_key && record.key == "m1" && record.value == "first"));
  CHECK((record.timestamp == 0 && record.offset_delta == 0));
  REQUIRE(walker.next(record));
  CHECK((!record.has_key && record.has_value && record.value.empty()));
  CHECK((record.timestamp == -100 && record.offset_delta == 1));
  REQUIRE(walker.next(record));
  CHECK((record.has_key && record.key.empty() && !record.has_value));
  CHECK(!walker.next(record));
  CHECK(walker.fault() == BatchFault::none);
}

TEST_CASE("the bytes are those of the format") {
  RecordsBuilder records;
  records.append({.key = "k", .value = "v", .timestamp = 5, .has_key = true});
  // length 8, attributes, timestamp delta, offset delta, key length 1, k, value length 1, v, 0
  CHECK(records.bytes() == ByteView("\x10\0\0\0\2k\2v\0", 9));
}

TEST_CASE("times come back however far apart they are") {
  constexpr int64_t kTimes[] = {INT64_MIN, INT64_MAX, -1, 0};
  RecordsBuilder records;
  for (const int64_t time : kTimes) records.append({.timestamp = time});
  CHECK(records.header().max_timestamp == Millis{INT64_MAX});
  RecordWalker walker(records.bytes(), records.count());
  RecordView record;
  for (const int64_t time : kTimes) {
    REQUIRE(walker.next(record));
    CHECK(time_of(records.base_timestamp(), record.timestamp) == Millis{time});
  }
}

TEST_CASE("append_open leaves room for exactly the value") {
  RecordsBuilder open, whole;
  std::copy_n("value", 5, open.append_open("k", true, 5, Millis{7}));
  whole.append({.key = "k", .value = "value", .timestamp = 7, .has_key = true});
  CHECK(open.bytes() == whole.bytes());
}

TEST_CASE("a builder that was cleared starts over in the same memory") {
  RecordsBuilder records;
  for (int i = 0; i < 1000; ++i) records.append({.value = "some value", .timestamp = i});
  const char* memory = records.bytes().data();
  records.clear();
  CHECK(records.empty());
  for (int i = 0; i < 1000; ++i) records.append({.value = "some value", .timestamp = 1 + i});
  CHECK(records.bytes().data() == memory);
  CHECK(records.base_timestamp() == Millis{1});
}

TEST_CASE("the base offset can be set afterwards") {
  std::string batch = sample_batch();
  set_base_offset(batch.data(), 0x123456789a);
  const auto view = parse_batch(batch);
  REQUIRE(view);
  CHECK(view->header.base_offset == 0x123456789a);
}

TEST_CASE("every codec: round trip, output cap, damaged and cut input") {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i % 97) + ",";
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    CAPTURE(static_cast<int>(codec));
    std::string packed, back;
    REQUIRE(compress(codec, text, packed));
    if (codec != Codec::none) CHECK(packed.size() < text.size() / 3);
    CHECK(decompress(codec, packed, text.size(), back));
    CHECK(back == text);
    CHECK(!decompress(codec, packed, text.size() - 1, back));
    CHECK(!decompress(codec, packed, 100, back));
    CHECK(back.size() <= 101 + (64 << 10));
    if (codec != Codec::none) {
      CHECK(!decompress(codec, ByteView(packed).substr(0, packed.size() - 3), 1 << 20, back));
      CHECK(!decompress(codec, "not compressed at all", 1 << 20, back));
    }
    REQUIRE(compress(codec, "", packed));
    CHECK(decompress(codec, packed, 0, back));
    CHECK(back.empty());
  }
}

TEST_CASE("a compressed batch is opened within its cap") {
  const RecordsBuilder records = sample();
  BatchHeader header = records.header();
  header.codec = Codec::zstd;
  std::string packed, batch, scratch;
  REQUIRE(compress(header.codec, records.bytes(), packed));
  append_batch(batch, header, packed);
  const auto view = parse_batch(batch);
  REQUIRE(view);
  const auto opened = open_records(*view, 1 << 10, scratch);
  REQUIRE(opened);
  CHECK(*opened == records.bytes());
  CHECK(check_records(*opened, view->header) == BatchFault::none);
  CHECK(open_records(*view, 10, scratch).error() == BatchFault::decompression);
}

TEST_CASE("every flipped bit of a batch is noticed, but those of the offset and the leader epoch") {
  const std::string good = sample_batch();
  for (size_t i = 8; i < good.size(); ++i) {
    if (i >= 12 && i < 16) continue;
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      CHECK(!parse_batch(bad));
    }
  }
  for (size_t size = 0; size < good.size(); ++size) {
    CHECK(!parse_batch(ByteView(good).substr(0, size)));
  }
}

TEST_CASE("hostile records are refused") {
  const auto fault_of = [](ByteView records, uint32_t count) {
    RecordWalker walker(records, count);
    RecordView record;
    while (walker.next(record)) {
    }
    CHECK(!walker.next(record));
    return walker.fault();
  };
  const ByteView good("\x10\0\0\0\2k\2v\0", 9);
  CHECK(fault_of(good, 1) == BatchFault::none);
  CHECK(fault_of(good, 2) == BatchFault::count);
  CHECK(fault_of(good, 0xffffffff) == BatchFault::count);
  CHECK(fault_of(good, 0) == BatchFault::count);
  CHECK(fault_of({"\x10\0\0\0\2k\2v\0\x10\0\0\0\2k\2v\0", 18}, 2) == BatchFault::offsets);
  CHECK(fault_of({"\x10\0\0\0\4k\2v\0", 9}, 1) == BatchFault::record);  // key eats the value
  CHECK(fault_of({"\x10\0\0\0\3k\2v\0", 9}, 1) == BatchFault::record);  // length -2
  CHECK(fault_of({"\x10\0\0\0\2k\2v\2", 9}, 1) == BatchFault::record);  // a header, missing
  CHECK(fault_of({"\x0e\0\0\0\2k\2v\0", 9}, 1) == BatchFault::record);  // length too small
  CHECK(fault_of({"\x12\0\0\0\2k\2v\0", 9}, 1) == BatchFault::record);  // beyond the end
  CHECK(fault_of({"\0\0\0\0\2k\2v\0", 9}, 1) == BatchFault::record);    // empty record
  CHECK(fault_of(std::string(20, '\xff'), 1) == BatchFault::record);    // endless varint
}

TEST_CASE("random bytes and random damage never lead outside of the view") {
  Random random(7);
  const std::string good(sample().bytes());
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good.substr(0, random.below(good.size() + 1));
    for (uint64_t n = random.below(4); n > 0 && !bad.empty(); --n) {
      bad[random.below(bad.size())] = static_cast<char>(random.next());
    }
    const std::vector<char> exact(bad.begin(), bad.end());  // so that a sanitizer sees overreads
    RecordWalker walker({exact.data(), exact.size()}, 3);
    RecordView record;
    size_t records = 0;
    while (walker.next(record)) {
      ++records;
      CHECK(record.key.size() + record.value.size() <= exact.size());
    }
    CHECK(records <= 3);
  }
}

}  // namespace
}  // namespace penstock::wire
