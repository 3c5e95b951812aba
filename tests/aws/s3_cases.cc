// Our S3 client against a server that verifies signatures and checksums, behind a proxy that fails
// on demand. Run by s3.py, on the double and on MinIO alike.
#include "aws/s3.h"
#include "aws/s3_text.h"
#include "base/random.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::aws {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  REQUIRE_MESSAGE(value != nullptr, "run it by tests/aws/s3.py");
  return value;
}

// A client of its own, with the bucket that s3.py made.
struct Client {
  explicit Client(const std::string& endpoint, std::string region = "eu-north-1",
                  std::string secret = "xxxxxxxxxxxxxxxx", std::string id = "AKIDEXAMPLE0",
                  std::string name = "staging") {
    http = *http::Client::make({});
    const Surroundings here = {[=](const std::string& wanted) -> std::optional<std::string> {
                                 if (wanted == "AWS_ACCESS_KEY_ID") return id;
                                 if (wanted == "AWS_SECRET_ACCESS_KEY") return secret;
                                 return std::nullopt;
                               },
                               [](const std::string& path) -> Result<std::string> {
                                 return fail("W002"_code, path + " cannot be read");
                               },
                               ""};
    session = *Session::make(here, *http, clock);
    identity = *Identity::make(session);
    RetryOptions retry{1, 2, 16, 6, 3};
    auto opened = Bucket::open(*identity, {name, region, endpoint}, retry);
    REQUIRE(opened);
    bucket = *std::move(opened);
  }
  SystemClock clock;
  std::unique_ptr<http::Client> http;
  std::shared_ptr<Session> session;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Bucket> bucket;
};

struct World {
  World() {
    static int worlds = 0;
    prefix = fmt::format("w{}/", ++worlds);
  }
  ~World() {
    const auto left = plain.bucket->list(prefix);
    CHECK(left.has_value());
    std::vector<std::string> keys;
    for (const S3Object& each : left->objects) keys.push_back(each.key);
    CHECK(plain.bucket->remove(keys));
  }
  void arm(std::string_view method, std::string_view part, std::string_view kind, int times = 1) {
    http::Request request{.method = "POST",
                          .url = *http::parse_url(variable("PENSTOCK_TEST_S3_PROXY"))};
    request.url.path = "/-/arm";
    request.body = fmt::format(R"(["{}","{}","{}",{}])", method, part, kind, times);
    const auto armed = plain.http->perform(request);
    REQUIRE(armed.has_value());
    REQUIRE(armed->status == 200);
  }
  size_t begun() {
    const auto count = plain.bucket->abort_uploads(prefix);
    REQUIRE(count);
    return *count;
  }

  std::string prefix;
  Client plain{variable("PENSTOCK_TEST_S3")};
  Client faulty{variable("PENSTOCK_TEST_S3_PROXY")};
};

std::string bytes_of(size_t size) {
  Random random(size);
  std::string bytes(size, '\0');
  for (size_t at = 0; at + 8 <= size; at += 8) {
    const uint64_t eight = random.next();
    bytes.replace(at, 8, reinterpret_cast<const char*>(&eight), 8);
  }
  return bytes;
}

const std::array<std::string, 6> kKeys = {
    "plain", "a b+c", "d&e<f>\"g'", "\xc3\xa4/\xe5\x90\x8d.avro", "x=1&y=2?z#~", "..-/.x/a%20b"};

}  // namespace

TEST_CASE("objects come back as they were put, whatever their keys; deleting twice is once") {
  World world;
  Bucket& bucket = *world.plain.bucket;
  for (const std::string& name : kKeys) {
    CAPTURE(name);
    const std::string key = world.prefix + name;
    const std::string bytes = bytes_of(1000 + name.size());
    REQUIRE(bucket.put(key, bytes));
    REQUIRE(bucket.put(key, bytes));
    CHECK(bucket.get(key) == bytes);
    const auto head = bucket.head(key);
    REQUIRE(head);
    REQUIRE(head->has_value());
    CHECK((*head)->bytes == bytes.size());
    CHECK((*head)->crc32c == crc32c_text(bytes));
  }
  const auto listing = bucket.list(world.prefix);
  REQUIRE(listing);
  std::vector<std::string> keys;
  for (const S3Object& each : listing->objects) keys.push_back(each.key);
  CHECK(keys.size() == kKeys.size());
  for (const std::string& name : kKeys) {
    CHECK(std::ranges::find(keys, world.prefix + name) != keys.end());
  }
  CHECK(bucket.remove(keys));
  CHECK(bucket.remove(keys));
  CHECK(bucket.remove(std::array{world.prefix + "never"}));
  CHECK(bucket.list(world.prefix)->objects.empty());
  CHECK_FALSE(bucket.head(world.prefix + "plain")->has_value());
  CHECK(bucket.get(world.prefix + "plain").error().code == "S044"_code);
  CHECK(bucket.put(world.prefix + "empty", ""));
  CHECK(bucket.get(world.prefix + "empty") == "");
}

TEST_CASE("more than a page is listed and deleted") {
  World world;
  Bucket& bucket = *world.plain.bucket;
  constexpr size_t kCount = 1'003;
  std::vector<std::string> keys;
  for (size_t i = 0; i < kCount; ++i) {
    keys.push_back(fmt::format("{}{:05}", world.prefix, i));
    REQUIRE(bucket.put(keys.back(), "x"));
  }
  const auto listing = bucket.list(world.prefix);
  REQUIRE(listing);
  REQUIRE(listing->objects.size() == kCount);
  CHECK(listing->objects.back().key == keys.back());
  CHECK_FALSE(listing->more);
  CHECK(bucket.list(world.prefix, 7)->objects.size() == 7);
  CHECK(bucket.list(world.prefix, 7)->more);
  CHECK(bucket.remove(keys));
  CHECK(bucket.list(world.prefix)->objects.empty());
}

TEST_CASE("a large object goes up in parts, and its checksum is that of all of it") {
  World world;
  const std::string bytes = bytes_of(2 * kPartBytes + 12'345);
  const std::string key = world.prefix + "large a+b";
  REQUIRE(world.plain.bucket->put(key, bytes));
  CHECK(world.plain.bucket->get(key) == bytes);
  CHECK((*world.plain.bucket->head(key))->crc32c == crc32c_text(bytes));
  CHECK(world.begun() == 0);
}

TEST_CASE(
    "every request of an upload in parts may fail in every way, and the object is there once") {
  const std::string bytes = bytes_of(kPartBytes + 1'000'000);
  const std::array<std::pair<const char*, const char*>, 3> requests = {
      {{"POST", "uploads"}, {"PUT", "partNumber=2"}, {"POST", "uploadId"}}};
  for (const auto& [method, part] : requests) {
    for (const char* kind :
         {"500", "slowdown", "cut", "cut after", "slow", "damage up", "inside", "inside after"}) {
      if (std::string_view(kind).starts_with("inside") && method == std::string("PUT")) continue;
      CAPTURE(method);
      CAPTURE(part);
      CAPTURE(kind);
      World world;
      const std::string key = world.prefix + "k";
      REQUIRE(world.plain.bucket->put(key + "2", "another upload's, and no business of ours"));
      world.arm(method, part, kind);
      const auto put = world.faulty.bucket->put(key, bytes);
      REQUIRE_MESSAGE(put.has_value(), (put ? "" : one_line(put.error())));
      CHECK(world.plain.bucket->get(key) == bytes);
      CHECK(world.begun() == 0);
    }
  }
}

TEST_CASE("an upload that does not arrive leaves nothing behind") {
  const std::string bytes = bytes_of(kPartBytes + 1'000);
  for (const auto& [method, part] : std::array<std::pair<const char*, const char*>, 3>{
           {{"POST", "uploads"}, {"PUT", "partNumber=2"}, {"POST", "uploadId"}}}) {
    CAPTURE(part);
    World world;
    world.arm(method, part, method == std::string("POST") ? "inside" : "500", 6);
    const auto put = world.faulty.bucket->put(world.prefix + "k", bytes);
    REQUIRE_FALSE(put);
    CHECK(put.error().code == "S042"_code);
    CHECK(world.plain.bucket->list(world.prefix)->objects.empty());
    CHECK(world.begun() == 0);
  }
}

TEST_CASE("whole objects, lists, reads and deletions bear the same faults") {
  World world;
  Bucket& bucket = *world.faulty.bucket;
  const std::array<std::string, 2> keys = {world.prefix + "a", world.prefix + "b"};
  for (const char* kind : {"500", "slowdown", "cut", "cut after", "slow", "damage up"}) {
    CAPTURE(kind);
    world.arm("PUT", "/a", kind, 2);
    CHECK(bucket.put(keys[0], "bytes"));
    world.arm("GET", "/a", kind, 2);
    CHECK(bucket.get(keys[0]) == "bytes");
    world.arm("GET", "list-type", kind, 2);
    CHECK(bucket.list(world.prefix)->objects.size() == 1);
    CHECK(bucket.put(keys[1], "more"));
    world.arm("POST", "delete", kind, 2);
    CHECK(bucket.remove(keys));
    CHECK(world.plain.bucket->list(world.prefix)->objects.empty());
  }
  for (const char* kind : {"inside", "inside after"}) {
    CHECK(bucket.put(keys[0], "bytes"));
    CHECK(bucket.put(keys[1], "bytes"));
    world.arm("POST", "delete", kind, 2);
    CHECK(bucket.remove(keys));
    CHECK(world.plain.bucket->list(world.prefix)->objects.empty());
  }
}

TEST_CASE("bytes that changed on their way back are not taken") {
  World world;
  REQUIRE(world.plain.bucket->put(world.prefix + "k", "0123456789"));
  world.arm("GET", "/k", "damage down");
  CHECK(world.faulty.bucket->get(world.prefix + "k").error().code == "S044"_code);
}

TEST_CASE("a server's refusals") {
  World world;
  const std::string url = variable("PENSTOCK_TEST_S3");
  const auto refusal = [](const Client& client) {
    const auto put = client.bucket->put("k", "x");
    REQUIRE_FALSE(put);
    return put.error();
  };
  const Error region = refusal(Client(url, "us-west-1"));
  CHECK(region.code == "S041"_code);
  CHECK(region.cure == "write region: eu-north-1");
  const Error secret = refusal(Client(url, "eu-north-1", "another"));
  CHECK(secret.code == "S040"_code);
  CHECK(secret.message.contains("SignatureDoesNotMatch"));
  const Error id = refusal(Client(url, "eu-north-1", "x", "AKIDNOBODY"));
  CHECK(id.code == "S040"_code);
  CHECK(id.message.contains("InvalidAccessKeyId"));
  const Error name =
      refusal(Client(url, "eu-north-1", "xxxxxxxxxxxxxxxx", "AKIDEXAMPLE0", "no.such"));
  CHECK(name.code == "S041"_code);
  CHECK(name.message.contains("NoSuchBucket"));
}

TEST_CASE("the rule of a prefix") {
  World world;
  Bucket& bucket = *world.plain.bucket;
  REQUIRE(bucket.expire("p/a&b/", 3));
  REQUIRE(bucket.expire("p/other/", 5));
  REQUIRE(bucket.expire("p/a&b/", 4));
  const auto rules = bucket.lifecycle();
  REQUIRE(rules);
  REQUIRE(rules->size() == 2);
  for (const LifecycleRule& each : *rules) {
    CHECK(each.enabled);
    CHECK_FALSE(each.conditional);
    CHECK(each.expire_days == (each.prefix == "p/other/" ? 5 : 4));
    CHECK((each.prefix == "p/other/" || each.prefix == "p/a&b/"));
  }
}

}  // namespace penstock::aws
