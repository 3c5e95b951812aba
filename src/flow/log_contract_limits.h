// log_contract_limits.h — cases of log_contract.h: records as large as a topic takes, and larger.
#pragma once

#include "flow/log_contract.h"

namespace penstock::flow::contract {

// A value whose record, with `key`, has so many bytes as the only one of its batch.
inline std::string value_of_record(const std::string& key, uint64_t lone_batch_bytes) {
  std::string value(lone_batch_bytes, 'x');
  while (wire::lone_batch_bytes(key, true, value) > lone_batch_bytes) value.pop_back();
  REQUIRE(wire::lone_batch_bytes(key, true, value) == lone_batch_bytes);
  return value;
}

// Writes records of one key to output 0; the builder has to stay until the epoch is over.
inline WriteAnswer write_values(LogSink& sink, wire::RecordsBuilder& records,
                                const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    records.append({.key = "k", .value = value, .timestamp = 1, .has_key = true});
  }
  return sink.write({0, 0, records.count(), Millis{1}, Millis{1}, records.bytes()});
}

// An epoch with a record that is too large: refused when it is written, or at its commit.
inline void expect_refused(ContractWorker& worker, const std::vector<std::string>& values) {
  wire::RecordsBuilder records;
  if (write_values(worker.sink(), records, values) == WriteAnswer::accepted) {
    worker.sink().begin_commit(worker.epoch());
    std::optional<Ended> ended;
    contract_wait(worker.waker, "the refusal", [&] {
      SinkEvent event = worker.sink().poll();
      if (auto* told = std::get_if<Ended>(&event)) ended = std::move(*told);
      return ended.has_value();
    });
    CHECK(ended->end == CommitEnd::abort);
    CHECK(ended->refused);
    CHECK(!ended->error.message.empty());
  }
  worker.abort();
}

inline void a_record_may_be_as_large_as_is_said(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 2));
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(1);
  worker.turn_until_read(2);
  const uint64_t most = worker.sink().record_bytes_max(0);
  REQUIRE(most < (uint64_t{1} << 28));
  const std::string largest = value_of_record("k", most);
  expect_refused(worker, {"good", largest + "y"});
  contract_expect(log, "out", 0, {});
  worker.turn_until_read(2);
  wire::RecordsBuilder records;
  CHECK(write_values(worker.sink(), records, {"good", largest, "good too"}) ==
        WriteAnswer::accepted);
  CHECK(worker.commit() == CommitEnd::done);
  contract_expect(log, "out", 0, {"good", largest, "good too"});
}

// Lowered: what does not fit any more is refused once, then the sink says so, and many small
// records together are no large one. Raised again: said by a claim at the latest.
inline void a_limit_may_change_while_running(LogHarness& harness) {
  constexpr uint64_t kLess = 20'000;
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 2));
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(1);
  worker.turn_until_read(2);
  const uint64_t before = worker.sink().record_bytes_max(0);
  if (!harness.limit_records("out", kLess)) return;
  const std::string largest = value_of_record("k", kLess);
  expect_refused(worker, {"good", largest + "y"});
  CHECK(worker.sink().record_bytes_max(0) == kLess);
  worker.turn_until_read(2);
  const Strings many(50, largest);
  {
    wire::RecordsBuilder records;
    CHECK(write_values(worker.sink(), records, many) == WriteAnswer::accepted);
    CHECK(worker.commit() == CommitEnd::done);
  }
  contract_expect(log, "out", 0, many);
  worker.close();
  REQUIRE(harness.limit_records("out", before));
  contract_append(log, "in", 0, contract_values("b", 1));
  ContractWorker next(log, "g", {"in"}, {"out"});
  next.turn_until_assigned(1);
  next.turn_until_read(1);
  CHECK(next.sink().record_bytes_max(0) == before);
  Strings all = many;
  all.push_back(largest + "y");
  wire::RecordsBuilder records;
  CHECK(write_values(next.sink(), records, {all.back()}) == WriteAnswer::accepted);
  CHECK(next.commit() == CommitEnd::done);
  contract_expect(log, "out", 0, all);
}

}  // namespace penstock::flow::contract
