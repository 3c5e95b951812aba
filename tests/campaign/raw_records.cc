// Prints every record of an embedded log that nobody owns, a JSON object a line: topic, partition,
// offset, and in hex the key and the value with its framing. `raw_records FOLDER/log`
#include "log/embedded/embedded_log.h"

#include <fmt/format.h>

#include <cstdint>
#include <iostream>
#include <iterator>
#include <string>

namespace {

using namespace penstock;

std::string hex(bool there, ByteView bytes) {
  if (!there) return "null";
  std::string text = "\"";
  for (const char byte : bytes)
    fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<uint8_t>(byte));
  return text + '"';
}

Result<void> print_partition(flow::Log& log, const std::string& topic, int32_t partition) {
  for (Offset next{0};;) {
    PENSTOCK_TRY(batch, log.read(topic, partition, next, {}, &next));
    if (batch.records.empty()) return {};
    for (const row::RawRecord& record : batch.records) {
      std::cout << fmt::format(R"({{"topic":"{}","partition":{},"offset":{},"key":{},"value":{}}})"
                               "\n",
                               topic, partition, record.offset.value,
                               hex(record.has_key, record.key),
                               hex(record.has_value, record.value));
    }
  }
}

Result<void> print_all(const std::string& folder) {
  PENSTOCK_TRY(log, log::open_embedded_log({.folder = folder, .read_only = true}));
  PENSTOCK_TRY(topics, log->topics());
  for (const flow::TopicState& topic : topics) {
    for (const flow::PartitionState& partition : topic.partitions)
      PENSTOCK_TRY_VOID(print_partition(*log, topic.name, partition.index));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: raw_records FOLDER\n";
    return 64;
  }
  const auto done = print_all(argv[1]);
  if (!done) std::cerr << done.error().message << '\n';
  return done ? 0 : 1;
}
