#include "meter/paced_source.h"

#include "meter/meter_fixture.h"

#include <string>

namespace penstock::meter {
namespace {

class Numbers final : public RecordMaker {
 public:
  void append(int64_t offset, std::string& out) const override { out += std::to_string(offset); }
};

PacedSource source_of(Pace pace, const Clock& clock) {
  return {"meter:n",
          std::make_unique<Numbers>(),
          schema_of(R"({"type":"record","name":"R","fields":[]})"),
          avro::Framing::bare,
          pace,
          clock};
}

}  // namespace

TEST_CASE("records come when they are due, none ahead") {
  FakeClock clock;
  PacedSource source = source_of({.records = 4, .every_millis = 1'000}, clock);
  begin(source, 100);
  CHECK(take(source, 10).empty());
  clock.millis += 249;
  CHECK(take(source, 10).empty());
  clock.millis += 1;
  CHECK(take(source, 10) == std::vector<std::string>{"100"});
  clock.millis += 500;
  CHECK(take(source, 10) == std::vector<std::string>{"101", "102"});
  CHECK(source.position({0, 0}) == Offset{103});
  CHECK_FALSE(source.at_end());
}

TEST_CASE("the pace holds over a long time whatever the polling") {
  FakeClock clock;
  PacedSource source = source_of({.records = 7, .every_millis = 1'000}, clock);
  begin(source, 0);
  size_t taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    clock.millis += 17;
    taken += take(source, 100).size();
  }
  CHECK(taken == 1'190);  // 170 seconds
}

TEST_CASE("who falls behind makes up for one second, no more") {
  FakeClock clock;
  PacedSource source = source_of({.records = 10, .every_millis = 1'000}, clock);
  begin(source, 0);
  clock.millis += 3'600'000;
  CHECK(take(source, 1'000).size() == 10);
  clock.millis += 1'000;
  CHECK(take(source, 1'000).size() == 10);
  PacedSource slow = source_of({.records = 1, .every_millis = 60'000}, clock);
  begin(slow, 0);
  clock.millis += 59'999;
  CHECK(take(slow, 10).empty());
  clock.millis += 1;
  CHECK(take(slow, 10).size() == 1);
  clock.millis += 600'000;
  CHECK(take(slow, 10).size() == 1);
}

TEST_CASE("without a pace there is always a next record; pause, close and limits hold") {
  const FakeClock clock;
  PacedSource source = source_of({.records = 3, .every_millis = 0}, clock);
  begin(source, 5);
  CHECK(take(source, 3, 2) == std::vector<std::string>{"5", "6", "7"});
  const flow::SourceEvent one = source.poll({.max_records = 1'000, .max_bytes = 1});
  CHECK(std::get<row::RawBatch>(one).records.size() == 1);
  source.pause(true);
  CHECK(take(source, 1).empty());
  source.pause(false);
  source.start({0, 0}, {5});  // an abort goes back
  CHECK(take(source, 1) == std::vector<std::string>{"5"});
  source.close();
  CHECK(take(source, 1).empty());
}

}  // namespace penstock::meter
