// Raw records from a file: what is read, what is refused, and where it stands.
#include "file/raw_source.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <variant>

namespace penstock::file {
namespace {

struct FixedClock final : Clock {
  Millis now() const override { return {77}; }
};

struct TextFile {
  explicit TextFile(std::string_view text)
      : path(std::filesystem::temp_directory_path() /
             fmt::format("penstock-raw-{}.jsonl", ::getpid())) {
    std::ofstream(path, std::ios::binary) << text;
  }
  ~TextFile() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

Result<RawFile> opened(std::string_view text) {
  static const FixedClock clock;
  const TextFile file(text);
  return open_raw(file.path.string(), clock);
}

// A source that was assigned and begins at `next`.
RawFile started(std::string_view text, int64_t next) {
  auto file = opened(text);
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  REQUIRE(std::holds_alternative<flow::Assigned>(file->source->poll({})));
  CHECK(std::holds_alternative<flow::Idle>(file->source->poll({})));  // not answered
  file->source->start({0, 0}, {next});
  file->source->answer();
  return std::move(*file);
}

std::string error_of(std::string_view text) {
  const auto file = opened(text);
  REQUIRE(!file.has_value());
  return fmt::format("{} {}", catalogue_entry(file.error().code).name, file.error().place.line);
}

}  // namespace

TEST_CASE("raw records are handed over as they are") {
  RawFile file = started(
      "{\"key\":\"k\",\"value_hex\":\"C301ff00\",\"timestamp_millis\":5}\n\n{}\n{\"value_hex\":"
      "\"\"}",
      0);
  CHECK(file.rows_total == 3);
  CHECK(file.name.starts_with("file:"));
  flow::SourceEvent event = file.source->poll({});
  REQUIRE(std::holds_alternative<row::RawBatch>(event));
  const auto& records = std::get<row::RawBatch>(event).records;
  REQUIRE(records.size() == 3);
  CHECK(records[0].key == "k");
  CHECK(records[0].value == std::string_view("\xc3\x01\xff\x00", 4));
  CHECK(records[0].timestamp == Millis{5});
  CHECK(!records[1].has_key);
  CHECK(!records[1].has_value);
  CHECK(records[1].timestamp == Millis{77});
  CHECK(records[2].has_value);
  CHECK(records[2].value.empty());
  CHECK(records[2].offset == Offset{2});
  CHECK(file.source->position({0, 0}) == Offset{3});
  CHECK(file.source->at_end());
  CHECK(std::holds_alternative<flow::Idle>(file.source->poll({})));
}

TEST_CASE("raw records go on where they were, in batches of bounded size") {
  RawFile file = started("{\"key\":\"0\"}\n{\"key\":\"1\"}\n{\"key\":\"2\"}\n{\"key\":\"3\"}\n", 1);
  const auto next_keys = [&](const flow::PollLimits& limits) {
    std::string keys;
    flow::SourceEvent event = file.source->poll(limits);
    REQUIRE(std::holds_alternative<row::RawBatch>(event));
    for (const auto& record : std::get<row::RawBatch>(event).records) keys += record.key;
    return keys;
  };
  CHECK(next_keys({.max_records = 1}) == "1");
  CHECK(file.source->position({0, 0}) == Offset{2});
  CHECK(next_keys({.max_records = 9, .max_bytes = 1}) == "2");
  CHECK(next_keys({.max_records = 9, .max_bytes = 0}) == "3");  // a larger one still comes
  file.source->start({0, 0}, {2});
  CHECK(next_keys({}) == "23");
  file.source->start({0, 0}, {99});
  CHECK(file.source->at_end());
}

TEST_CASE("what is no raw record is refused with its line, before anything is sent") {
  for (const char* line :
       {"x", "[]", "1", "{\"value_hex\":\"c\"}", "{\"value_hex\":\"0g\"}", "{\"value_hex\":7}",
        "{\"kee\":\"k\"}", "{\"timestamp_millis\":\"5\"}", "{\"timestamp_millis\":1.5}",
        "{\"timestamp_millis\":-1}", "{\"timestamp_millis\":99999999999999999999}",
        "{\"key\":null}", "{} {}"}) {
    INFO(line);
    CHECK(error_of(std::string("{}\n") + line + "\n{}") == "F005 2");
  }
  static const FixedClock clock;
  CHECK(!open_raw("/no/such/file", clock).has_value());
}

TEST_CASE("a file is named by what is in it") {
  CHECK(opened("{}\n")->name == opened("{}\n")->name);
  CHECK(opened("{}\n")->name != opened("{}")->name);
}

}  // namespace penstock::file
