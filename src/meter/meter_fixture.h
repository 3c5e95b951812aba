// meter_fixture.h — what the tests of paced sources share.
//
// Thread      one.
#pragma once

#include "avro/schema.h"
#include "base/clock.h"
#include "meter/paced_source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace penstock::meter {

class FakeClock final : public Clock {
 public:
  Millis now() const override { return {millis}; }
  int64_t millis = 5'000'000;
};

inline avro::SchemaPtr schema_of(std::string_view text) {
  auto parsed = avro::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : one_line(parsed.error())));
  return *parsed;
}

inline void begin(PacedSource& source, int64_t next) {
  REQUIRE(std::holds_alternative<flow::Assigned>(source.poll({})));
  CHECK(std::holds_alternative<flow::Idle>(source.poll({})));
  source.start({0, 0}, {next});
  source.answer();
}

// The values of the next records, in batches of at most `most`, until there are `count` of them or
// nothing is due.
inline std::vector<std::string> take(PacedSource& source, size_t count, uint32_t most = 4096) {
  std::vector<std::string> values;
  while (values.size() < count) {
    const auto left = static_cast<uint32_t>(std::min<size_t>(count - values.size(), most));
    const int64_t expected = source.position({0, 0}).value;
    const flow::SourceEvent event = source.poll({.max_records = left});
    const auto* batch = std::get_if<row::RawBatch>(&event);
    if (batch == nullptr) return values;
    CHECK(batch->records.size() <= left);
    for (size_t i = 0; i < batch->records.size(); ++i) {
      CHECK(batch->records[i].offset == Offset{expected + static_cast<int64_t>(i)});
      values.emplace_back(batch->records[i].value);
    }
  }
  return values;
}

}  // namespace penstock::meter
