// Ids in records: asked once, strange for a minute, waiting while the registry is away.
#include "registry/lookup.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <thread>

namespace penstock::registry {
namespace {

avro::SchemaId id_of(uint64_t number) { return {avro::Framing::confluent, 0, number}; }

avro::SchemaPtr any_schema() {
  auto schema = avro::parse(R"({"type":"record","name":"R","fields":[]})");
  REQUIRE(schema.has_value());
  return *schema;
}

// Knows the id 7; counts what it is asked.
class Seven final : public Registry {
 public:
  std::string where() const override { return "seven"; }
  bool speaks(avro::Framing framing) const override { return avro::needs_registry(framing); }
  bool may_register() const override { return true; }
  std::string subject_of(std::string_view topic, const avro::Schema&) const override {
    return std::string(topic);
  }
  Result<Fetched> fetch(const avro::SchemaId& id) override {
    {
      const std::lock_guard lock(mutex);
      ++asked[id.low];
    }
    ++requests;
    if (away) return fail("L140"_code, "seven is away");
    if (id.low == 7) return Fetched{any_schema(), {}};
    return Fetched{nullptr, "seven knows no such schema"};
  }
  Result<std::optional<avro::SchemaId>> look_up(const std::string&, avro::Framing,
                                                const avro::Schema&) override {
    return std::optional<avro::SchemaId>();
  }
  Result<avro::SchemaId> enroll(const std::string&, avro::Framing, const avro::Schema&) override {
    return id_of(7);
  }
  Result<Past> past(const std::string&) override { return Past(); }

  std::atomic<bool> away = false;
  std::atomic<int> requests = 0;
  std::mutex mutex;
  std::map<uint64_t, int> asked;
};

struct Place {
  explicit Place(size_t ids_max = kMaxIds)
      : lookup(registry, {.now = [this] { return Lookup::Time() + std::chrono::seconds(seconds); },
                          .first_pause = std::chrono::milliseconds(1),
                          .last_pause = std::chrono::milliseconds(1),
                          .refused_pause = std::chrono::milliseconds(1),
                          .ids_max = ids_max}) {}
  flow::SchemaSource::Found settled(uint64_t number) {
    while (true) {
      auto found = lookup.find(id_of(number));
      if (found.final) return found;
      std::this_thread::yield();
    }
  }
  std::atomic<int> seconds = 0;
  Seven registry;
  Lookup lookup;
};

TEST_CASE("a known id costs one request for ever, a strange one a request a minute") {
  Place place;
  CHECK(place.settled(7).schema != nullptr);
  for (const int now : {0, 1, 59}) {
    place.seconds = now;
    for (uint64_t number = 100; number < 120; ++number) {
      for (int again = 0; again < 50; ++again) {
        const auto found = place.settled(number);
        CHECK(found.schema == nullptr);
        REQUIRE(found.why != nullptr);
        CHECK(found.why->message == "seven knows no such schema");
      }
    }
    CHECK(place.settled(7).schema != nullptr);
  }
  for (const auto& [number, times] : place.registry.asked) CHECK(times == 1);
  CHECK(place.registry.requests == 21);
  place.seconds = 200;
  CHECK_FALSE(place.lookup.find(id_of(100)).final);  // it may have been registered since
  CHECK(place.settled(100).schema == nullptr);
  CHECK(place.settled(7).schema != nullptr);
  CHECK(place.registry.asked[100] == 2);
  CHECK(place.registry.asked[7] == 1);
}

TEST_CASE("while the registry is away the known goes on, and the rest waits with the reason") {
  Place place;
  CHECK(place.settled(7).schema != nullptr);
  place.registry.away = true;
  CHECK_FALSE(place.lookup.find(id_of(8)).final);
  while (place.lookup.find(id_of(8)).why == nullptr) std::this_thread::yield();
  const auto waiting = place.lookup.find(id_of(8));
  CHECK_FALSE(waiting.final);
  CHECK(waiting.why->message == "seven is away");
  CHECK(place.lookup.find(id_of(7)).schema != nullptr);
  place.registry.away = false;
  CHECK(place.settled(8).schema == nullptr);
  CHECK(place.lookup.find(id_of(9)).why == nullptr);
}

TEST_CASE("strange ids are bounded: more of them wait until a minute is over") {
  Place place(10);
  for (uint64_t number = 100; number < 110; ++number) CHECK(place.settled(number).final);
  CHECK_FALSE(place.lookup.find(id_of(200)).final);
  // What is asked for later is answered later: had 200 been asked for, that would be over now.
  place.seconds = 61;
  CHECK(place.settled(100).schema == nullptr);
  CHECK(place.registry.requests == 11);
  CHECK(place.settled(200).schema == nullptr);
  CHECK(place.registry.requests == 12);
}

}  // namespace
}  // namespace penstock::registry
