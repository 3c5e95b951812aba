#include "avro/container.h"

#include "avro/write.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::avro {
namespace {

const Sync kSync = {'s', 'i', 'x', 't', 'e', 'e', 'n', ' ', 'b', 'y', 't', 'e', 's', '.', '.', '.'};
constexpr ContainerCodec kCodecs[] = {ContainerCodec::null_, ContainerCodec::deflate,
                                      ContainerCodec::snappy, ContainerCodec::zstandard};

SchemaPtr schema() {
  return *parse(R"({"type":"record","name":"R","fields":[
    {"name":"id","type":"long"},{"name":"text","type":"string"}]})");
}

std::string datum(int64_t id) {
  std::string out;
  append_long(id, out);
  append_bytes("text " + std::to_string(id), out);
  return out;
}

std::string file_of(int64_t records, ContainerCodec codec) {
  ContainerWriter writer(*schema(), codec, kSync);
  for (int64_t id = 0; id < records; ++id) writer.add(datum(id));
  std::string out = writer.take();  // may be taken piece by piece
  return out + std::move(writer).finish();
}

// The datums, or the error's message.
Result<std::vector<std::string>> read_all(ByteView bytes) {
  PENSTOCK_TRY(reader, ContainerReader::open(bytes));
  std::vector<std::string> all;
  while (true) {
    PENSTOCK_TRY(next, reader.next());
    if (!next) return all;
    all.emplace_back(*next);
  }
}

TEST_CASE("what was written is read, with every codec, over many blocks") {
  for (const ContainerCodec codec : kCodecs) {
    for (const int64_t records : {0, 1, 20'000}) {
      CAPTURE(codec_name(codec));
      CAPTURE(records);
      const std::string bytes = file_of(records, codec);
      const auto all = read_all(bytes);
      REQUIRE(all.has_value());
      REQUIRE(all->size() == static_cast<size_t>(records));
      bool same = true;
      for (int64_t id = 0; id < records; ++id) same = same && (*all)[id] == datum(id);
      CHECK(same);
    }
  }
}

TEST_CASE("a file cut off anywhere is refused, or ends between two blocks") {
  for (const ContainerCodec codec : kCodecs) {
    const std::string bytes = file_of(40, codec);
    const size_t header = file_of(0, codec).size();
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto all = read_all(ByteView(bytes).substr(0, size));
      CAPTURE(size);
      CHECK(all.has_value() == (size == header));
      if (!all) CHECK(all.error().code == "A008"_code);
    }
  }
}

TEST_CASE("no changed byte of a compressed block goes unnoticed") {
  const std::string good = file_of(200, ContainerCodec::snappy);
  const size_t header = file_of(0, ContainerCodec::snappy).size();
  const auto whole = read_all(good);
  REQUIRE(whole.has_value());
  size_t wrong = 0;
  for (size_t at = header; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    const auto all = read_all(bad);
    wrong += all.has_value() && *all != *whole ? 1 : 0;
  }
  CHECK(wrong == 0);  // the CRC sees to it; some changes say the same in another way
}

TEST_CASE("a block that claims much costs nothing") {
  std::string bytes = file_of(0, ContainerCodec::deflate);
  append_long(INT64_MAX, bytes);
  append_long(INT64_MAX, bytes);
  CHECK(read_all(bytes).error().code == "A008"_code);

  bytes = ContainerWriter(**parse("\"null\""), ContainerCodec::null_, kSync).take();
  append_long(int64_t{1} << 40, bytes);  // datums of no size
  append_long(0, bytes);
  bytes.append(kSync.data(), kSync.size());
  CHECK(read_all(bytes).error().code == "A008"_code);
}

TEST_CASE("bytes behind the last datum of a block are damage") {
  std::string bytes = file_of(0, ContainerCodec::null_);
  append_long(1, bytes);
  append_bytes(datum(7) + "x", bytes);
  bytes.append(kSync.data(), kSync.size());
  CHECK(read_all(bytes).error().code == "A008"_code);
}

TEST_CASE("a codec that is not here is named") {
  std::string bytes = file_of(1, ContainerCodec::snappy);
  bytes.replace(bytes.find("snappy"), 6, "bzip22");
  const auto all = read_all(bytes);
  REQUIRE(!all.has_value());
  CHECK(all.error().code == "A009"_code);
  CHECK(all.error().message.find("bzip22") != std::string::npos);
}

}  // namespace
}  // namespace penstock::avro
