#include "file/file_source.h"

#include "avro/container.h"
#include "avro/json.h"
#include "file/digest.h"
#include "file/file_fixture.h"

#include <fmt/format.h>

#include <string>
#include <variant>
#include <vector>

namespace penstock::file {
namespace {

class FakeClock final : public Clock {
 public:
  Millis now() const override { return {millis}; }
  int64_t millis = 1'000'000;
};

avro::SchemaPtr schema() {
  auto parsed =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"},)"
                  R"({"name":"n","type":"long"}]})");
  REQUIRE(parsed.has_value());
  return *parsed;
}

std::unique_ptr<FileSource> open(FileSourceSpec spec) {
  spec.schema = schema();
  auto source = FileSource::open(std::move(spec));
  REQUIRE_MESSAGE(source.has_value(), (source ? "" : one_line(source.error())));
  return *std::move(source);
}

void begin(FileSource& source, int64_t next) {
  REQUIRE(std::holds_alternative<flow::Assigned>(source.poll({})));
  CHECK(std::holds_alternative<flow::Idle>(source.poll({})));
  source.start({0, 0}, {next});
  source.answer();
}

// "offset:{json}" of every record until the source has no more; a fault ends it as "F002 3:1".
std::vector<std::string> drain(FileSource& source, flow::PollLimits limits = {}) {
  const avro::SchemaPtr records = schema();
  std::vector<std::string> all;
  while (!source.at_end()) {
    const flow::SourceEvent event = source.poll(limits);
    if (const auto* fault = std::get_if<flow::SourceFault>(&event)) {
      CHECK_FALSE(fault->retry);
      all.push_back(std::string(catalogue_entry(fault->error.code).name) + " " +
                    std::to_string(fault->error.place.line) + ":" +
                    std::to_string(fault->error.place.column));
      return all;
    }
    const auto* batch = std::get_if<row::RawBatch>(&event);
    if (batch == nullptr) break;
    CHECK(batch->records.size() <= limits.max_records);
    for (const row::RawRecord& record : batch->records) {
      REQUIRE(record.value.size() > avro::kSingleObjectHeaderBytes);
      const auto json =
          avro::to_json(records->root(), record.value.substr(avro::kSingleObjectHeaderBytes),
                        avro::JsonStyle::plain);
      REQUIRE(json.has_value());
      all.push_back(std::to_string(record.offset.value) + ":" + *json);
    }
  }
  return all;
}

using SentRows = std::vector<std::string>;
constexpr std::string_view kThree = "id,n\na,1\nb,2\nc,3\n";
const std::string kA = R"(0:{"id":"a","n":1})", kB = R"(1:{"id":"b","n":2})",
                  kC = R"(2:{"id":"c","n":3})";

}  // namespace

TEST_CASE("a file's rows are records; its name is its content") {
  const Folder folder;
  auto source = open({.path = folder.write("a.csv", kThree)});
  CHECK(source->name() == "file:" + sha256_hex(kThree));
  CHECK(open({.path = folder.write("b.csv", kThree)})->name() == source->name());
  CHECK(open({.path = folder.write("c.csv", "id,n\na,1\n")})->name() != source->name());
  CHECK(source->rows_total() == 3);
  begin(*source, 0);
  CHECK(drain(*source) == SentRows{kA, kB, kC});
  CHECK(source->position({0, 0}) == Offset{3});
  CHECK(source->at_end());
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a restart at any offset gives exactly the remaining rows") {
  const Folder folder;
  const std::string path = folder.write("a.csv", kThree);
  const SentRows all{kA, kB, kC};
  for (size_t next = 0; next <= 4; ++next) {
    auto source = open({.path = path});
    begin(*source, static_cast<int64_t>(next));
    CHECK(drain(*source, {.max_records = 2}) ==
          SentRows(all.begin() + std::min<size_t>(next, 3), all.end()));
  }
  // Also while it runs: an abort goes back.
  auto source = open({.path = path});
  begin(*source, 0);
  CHECK(drain(*source).size() == 3);
  source->start({0, 0}, {1});
  CHECK_FALSE(source->at_end());
  CHECK(drain(*source) == SentRows{kB, kC});
}

TEST_CASE("records of an Avro container file are rows, resolved into the topic's schema") {
  const Folder folder;
  const auto older = avro::parse(R"({"type":"record","name":"R","fields":[
    {"name":"n","type":"int"},{"name":"gone","type":"string"},{"name":"id","type":"string"}]})");
  REQUIRE(older.has_value());
  avro::ContainerWriter writer(**older, avro::ContainerCodec::deflate, {});
  int64_t n = 0;
  for (const char* id : {"a", "b", "c"}) {
    std::string datum;
    const std::string json = fmt::format(R"({{"n":{},"gone":"x","id":"{}"}})", ++n, id);
    REQUIRE(avro::from_json((*older)->root(), json, avro::JsonStyle::plain, datum).has_value());
    writer.add(datum);
  }
  const std::string bytes = std::move(writer).finish();
  auto source = open({.path = folder.write("a.avro", bytes)});
  CHECK(source->rows_total() == 3);
  begin(*source, 1);
  CHECK(drain(*source) == SentRows{kB, kC});

  const auto cut = FileSource::open(
      {.path = folder.write("cut.avro", bytes.substr(0, bytes.size() - 3)), .schema = schema()});
  REQUIRE(!cut.has_value());
  CHECK(cut.error().code == "A008"_code);
  const auto other = avro::parse(R"({"type":"record","name":"R","fields":[]})");
  const auto unlike = FileSource::open(
      {.path = folder.write("unlike.avro",
                            avro::ContainerWriter(**other, avro::ContainerCodec::null_, {}).take()),
       .schema = schema()});
  REQUIRE(!unlike.has_value());
  CHECK(unlike.error().code == "A020"_code);
}

TEST_CASE("a bad row stops the source behind the good ones before it") {
  const Folder folder;
  auto source = open({.path = folder.write("a.csv", "id,n\na,1\nb,x\nc,3\n")});
  begin(*source, 0);
  CHECK(drain(*source) == SentRows{kA, "F002 3:3"});
  CHECK(source->position({0, 0}) == Offset{1});
  CHECK_FALSE(source->at_end());
  CHECK(std::holds_alternative<flow::SourceFault>(source->poll({})));
}

TEST_CASE("skip_bad leaves bad rows out, tells them, and keeps the others' offsets") {
  const Folder folder;
  const std::string path = folder.write("a.csv", "id,n\na,1\nb,x\nc,3\nd\n");
  auto source = open({.path = path, .skip_bad = true});
  begin(*source, 0);
  CHECK(drain(*source) == SentRows{kA, kC});
  CHECK(source->position({0, 0}) == Offset{4});
  CHECK(source->at_end());
  CHECK(source->bad_count() == 2);
  const auto skipped = source->bad_rows();
  source.reset();  // as with a worker that ended
  REQUIRE(skipped->size() == 2);
  CHECK((*skipped)[1].place.line == 5);
  // Only bad rows are left, one at a time: it still comes to the end.
  auto last = open({.path = path, .skip_bad = true});
  begin(*last, 3);
  CHECK(
      std::holds_alternative<row::RawBatch>(last->poll({.max_records = 1})));  // it goes on at once
  CHECK(last->position({0, 0}) == Offset{4});
  CHECK(last->at_end());
}

TEST_CASE("the rate holds by the clock, also after a restart") {
  const Folder folder;
  std::string text = "id,n\n";
  for (int i = 0; i < 100; ++i) text += "a," + std::to_string(i) + "\n";
  FakeClock clock;
  auto source = open({.path = folder.write("a.csv", text), .rate_per_second = 20, .clock = &clock});
  begin(*source, 10);
  CHECK(drain(*source).empty());
  clock.millis += 500;
  CHECK(drain(*source).size() == 10);
  CHECK(drain(*source).empty());
  clock.millis += 50;
  CHECK(drain(*source).size() == 1);
  clock.millis -= 3'600'000;  // set back: the pace begins anew, it does not wait for an hour
  CHECK(drain(*source).empty());
  clock.millis += 100;
  CHECK(drain(*source).size() == 2);
  clock.millis += 60'000;
  CHECK(drain(*source).size() == 77);
  CHECK(source->at_end());
}

TEST_CASE("pause, close, limits of bytes") {
  const Folder folder;
  auto source = open({.path = folder.write("a.csv", kThree)});
  begin(*source, 0);
  source->pause(true);
  CHECK(std::holds_alternative<flow::Idle>(source->poll({})));
  source->pause(false);
  const flow::SourceEvent one = source->poll({.max_records = 100, .max_bytes = 1});
  REQUIRE(std::holds_alternative<row::RawBatch>(one));
  CHECK(std::get<row::RawBatch>(one).records.size() == 1);
  source->close();
  CHECK(std::holds_alternative<flow::Idle>(source->poll({})));
}

TEST_CASE("files that cannot be a source") {
  const Folder folder;
  const auto code = [&](const std::string& path) {
    const auto source = FileSource::open({.path = path, .schema = schema()});
    REQUIRE_FALSE(source.has_value());
    return source.error().code;
  };
  CHECK(code(folder.path("none.csv")) == "F001"_code);
  CHECK(code(folder.write("a.txt", kThree)) == "F001"_code);
  CHECK(code(folder.write("a.csv", "id,n,m\n")) == "F006"_code);
  CHECK(code(folder.write("b.csv", "")) == "F003"_code);
  CHECK(code(folder.write("c.csv", "id,n\na,1\n\"a")) == "F003"_code);
  auto empty = open({.path = folder.write("d.csv", "id,n\n")});
  begin(*empty, 0);
  CHECK(empty->at_end());
}

}  // namespace penstock::file
