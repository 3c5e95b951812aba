#include "file/raw_source.h"

#include "file/digest.h"
#include "file/file_fixture.h"

#include <variant>

namespace penstock::file {
namespace {

class FakeClock final : public Clock {
 public:
  Millis now() const override { return {millis}; }
  int64_t millis = 777;
};

void begin(flow::Source& source, int64_t next) {
  REQUIRE(std::holds_alternative<flow::Assigned>(source.poll({})));
  CHECK(std::holds_alternative<flow::Idle>(source.poll({})));
  source.start({0, 0}, {next});
  source.answer();
}

constexpr std::string_view kLines = R"({"key":"k","value_hex":"C301ff","timestamp_millis":5})"
                                    "\n\n"
                                    R"({"value_hex":""})"
                                    "\r\n"
                                    R"({"key":""})"
                                    "\n";

}  // namespace

TEST_CASE("raw lines are records as they stand: any bytes, null values, absent keys") {
  const Folder folder;
  const FakeClock clock;
  auto file = open_raw(folder.write("a.jsonl", kLines), clock);
  REQUIRE(file.has_value());
  CHECK(file->rows_total == 3);
  CHECK(file->name == "file:" + sha256_hex(kLines));
  begin(*file->source, 0);
  const flow::SourceEvent event = file->source->poll({});
  const auto* batch = std::get_if<row::RawBatch>(&event);
  REQUIRE(batch != nullptr);
  REQUIRE(batch->records.size() == 3);
  const auto& records = batch->records;
  CHECK((records[0].has_key && records[0].key == "k"));
  CHECK((records[0].has_value && records[0].value == "\xc3\x01\xff"));
  CHECK(records[0].timestamp == Millis{5});
  CHECK((!records[1].has_key && records[1].has_value && records[1].value.empty()));
  CHECK(records[1].timestamp == Millis{777});
  CHECK((records[2].has_key && records[2].key.empty() && !records[2].has_value));
  CHECK(records[2].offset == Offset{2});
  CHECK(file->source->at_end());
  CHECK(file->source->position({0, 0}) == Offset{3});
}

TEST_CASE("a raw file goes on where it was") {
  const Folder folder;
  const FakeClock clock;
  auto file = open_raw(folder.write("a.jsonl", kLines), clock);
  REQUIRE(file.has_value());
  begin(*file->source, 2);
  const flow::SourceEvent event = file->source->poll({});
  REQUIRE(std::holds_alternative<row::RawBatch>(event));
  CHECK(std::get<row::RawBatch>(event).records.size() == 1);
  CHECK(std::get<row::RawBatch>(event).records[0].offset == Offset{2});
  CHECK(std::holds_alternative<flow::Idle>(file->source->poll({})));
}

TEST_CASE("raw records keep to a rate") {
  const Folder folder;
  FakeClock clock;
  auto file = open_raw(folder.write("a.jsonl", kLines), clock, 10);
  REQUIRE(file.has_value());
  begin(*file->source, 0);
  CHECK(std::holds_alternative<flow::Idle>(file->source->poll({})));
  clock.millis += 200;
  const flow::SourceEvent event = file->source->poll({});
  REQUIRE(std::holds_alternative<row::RawBatch>(event));
  CHECK(std::get<row::RawBatch>(event).records.size() == 2);
  CHECK(std::holds_alternative<flow::Idle>(file->source->poll({})));
  CHECK_FALSE(file->source->at_end());
}

TEST_CASE("a wrong raw line is named before anything is sent") {
  const Folder folder;
  const FakeClock clock;
  for (const char* bad :
       {"{", "[]", "5", R"({"value_hex":"abc"})", R"({"value_hex":"zz"})", R"({"value_hex":5})",
        R"({"key":null})", R"({"key":"a","key":"b"})", R"({"timestamp_millis":"5"})",
        R"({"timestamp_millis":1.5})", R"({"timestamp_millis":1e99})",
        R"({"timestamp_millis":99999999999999999999})", R"({"timestamp_millis":-1})",
        R"({"valuehex":"00"})"}) {
    INFO(bad);
    const auto file =
        open_raw(folder.write("a.jsonl", std::string("{}\n") + bad + "\n{}\n"), clock);
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().code == "F005"_code);
    CHECK(file.error().place.line == 2);
  }
  CHECK(open_raw(folder.path("none"), clock).error().code == "F001"_code);
}

}  // namespace penstock::file
