#include "aws/redshift_data.h"

#include "aws/aws_fixture.h"

#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <functional>
#include <string>

namespace penstock::aws {
namespace {

// Says what it is told to, and the last of it for ever; the forms are those of botocore 1.44.8's
// model, redshift-data-2019-12-20.
struct World {
  explicit World(std::deque<std::string> says)
      : say(std::move(says)), aws([this](const std::string&) {
          const std::scoped_lock lock(mutex);
          std::string text = say.front();
          if (say.size() > 1) say.pop_front();
          if (asked) asked();
          return text;
        }) {
    aws.variables["AWS_ACCESS_KEY_ID"] = "AKIA";
    aws.variables["AWS_SECRET_ACCESS_KEY"] = "canary-key";
    session = aws.session();
    identity = *Identity::make(session);
    auto opened =
        RedshiftData::open(*identity, {{false, "main", ""}, "energy", "loader"}, {1, 2, 8, 4, 3});
    REQUIRE(opened);
    data = *std::move(opened);
  }
  std::mutex mutex;
  std::deque<std::string> say;
  std::function<void()> asked;
  TestWorld aws;
  std::shared_ptr<Session> session;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<RedshiftData> data;
};

std::string refusal(unsigned status, std::string_view code) {
  const std::string body = fmt::format(R"({{"__type":"{}","Message":"m"}})", code);
  return fmt::format("HTTP/1.1 {} x\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

std::string status(std::string_view text) {
  return http::ok(fmt::format(R"({{"Id":"i-1","Status":"{}"}})", text));
}

const std::array<std::string, 2> kSqls = {"UPDATE \"p\" SET n = 1", "SELECT 1"};
const std::string kBegun = http::ok(R"({"Id":"i-1","CreatedAt":1.7E9})");

}  // namespace

TEST_CASE("the Data API: one transaction, waited for; its statements and their rows") {
  World world(
      {kBegun, status("SUBMITTED"), status("STARTED"),
       http::ok(R"({"Id":"i-1","Status":"FINISHED","SubStatements":[)"
                R"({"Id":"i-1:1","Status":"FINISHED","ResultRows":7,"HasResultSet":false},)"
                R"({"Id":"i-1:2","Status":"FINISHED","ResultRows":2,"HasResultSet":true}]})"),
       http::ok(R"({"Records":[[{"longValue":-5},{"isNull":true},{"stringValue":"ä"}]],)"
                R"("NextToken":"n=1"})"),
       http::ok(R"({"Records":[[{"booleanValue":true},{"doubleValue":0.5},)"
                R"({"stringValue":""}]]})")});
  const auto run = world.data->run(kSqls, "token-1", 60'000);
  REQUIRE(run);
  CHECK(run->end == DataEnd::finished);
  REQUIRE(run->statements.size() == 2);
  CHECK(run->statements[0].rows == 7);
  CHECK_FALSE(run->statements[0].has_rows);
  const auto rows = world.data->rows(run->statements[1]);
  REQUIRE(rows);
  CHECK(*rows == std::vector<DataRow>{{"-5", std::nullopt, "ä"}, {"t", "0.5", ""}});
  const auto seen = world.aws.seen();
  REQUIRE(seen.size() == 6);
  CHECK(seen[0].contains("X-Amz-Target: RedshiftData.BatchExecuteStatement\r\n"));
  CHECK(seen[0].contains("/eu-north-1/redshift-data/aws4_request"));
  CHECK(seen[0].ends_with(
      R"({"ClusterIdentifier":"main","Database":"energy","DbUser":"loader",)"
      R"("ClientToken":"token-1","Sqls":["UPDATE \"p\" SET n = 1","SELECT 1"]})"));
  CHECK(seen[1].contains("X-Amz-Target: RedshiftData.DescribeStatement\r\n"));
  CHECK(seen[5].ends_with(R"({"Id":"i-1:2","NextToken":"n=1"})"));
}

TEST_CASE(
    "the Data API: an answer that is lost, throttled or faulty is asked for again, the same") {
  World world({refusal(500, "InternalServerException"),
               refusal(400, "ActiveStatementsExceededException"),
               refusal(400, "ExpiredTokenException"), kBegun,
               http::ok(R"({"Id":"i-1","Status":"FINISHED","ResultRows":1,"HasResultSet":true})")});
  const auto run = world.data->run(std::span(kSqls).subspan(1), "t", 60'000);
  REQUIRE(run);
  REQUIRE(run->statements.size() == 1);
  CHECK(run->statements[0].id == "i-1");
  const auto seen = world.aws.seen();
  REQUIRE(seen.size() == 5);
  for (int i = 0; i < 4; ++i) {
    CHECK(seen[i].contains("RedshiftData.ExecuteStatement\r\n"));
    CHECK(seen[i].ends_with(R"("DbUser":"loader","ClientToken":"t","Sql":"SELECT 1"})"));
  }
}

TEST_CASE("the Data API: what the database refuses is the run's, what AWS refuses an error") {
  World failed({kBegun, http::ok(R"({"Id":"i-1","Status":"FAILED","Error":"ERROR: 1023",)"
                                 R"("SubStatements":[{"Id":"i-1:1","Status":"FAILED"},)"
                                 R"({"Id":"i-1:2","Status":"ABORTED"}]})")});
  const auto run = failed.data->run(kSqls, "t", 60'000);
  REQUIRE(run);
  CHECK(run->end == DataEnd::failed);
  CHECK(run->error == "ERROR: 1023");
  CHECK(run->statements[1].end == DataEnd::aborted);
  const auto code = [](std::deque<std::string> says) {
    World world(std::move(says));
    const auto refused = world.data->run(kSqls, "t", 60'000);
    REQUIRE_FALSE(refused);
    CHECK_FALSE(render(refused.error()).contains(kCanary));
    return refused.error().code;
  };
  CHECK(code({refusal(400, "AccessDeniedException")}) == "W003"_code);
  CHECK(code({refusal(400, "ValidationException")}) == "W004"_code);
  CHECK(code({refusal(500, "InternalServerException")}) == "W004"_code);
  for (const char* text : {"<html>", "[]", "{}", R"({"Id":7})"}) {
    CAPTURE(text);
    CHECK(code({http::ok(text)}) == "W006"_code);
    CHECK(code({kBegun, http::ok(text)}) == "W006"_code);
  }
  CHECK(code({kBegun, status("SLEEPING")}) == "W006"_code);
  World large({kBegun});
  CHECK(large.data->run(std::array{std::string(kDataStatementBytesMax + 1, 'x')}, "t", 1)
            .error()
            .code == "W004"_code);
  CHECK(large.aws.seen().empty());
}

TEST_CASE("the Data API: rows that are none") {
  for (const char* text :
       {"{}", R"({"Records":7})", R"({"Records":[7]})", R"({"Records":[[{}]]})",
        R"({"Records":[[{"blobValue":"AA=="}]]})", R"({"Records":[[{"stringValue":[]}]]})",
        R"({"Records":[],"NextToken":"n"})", R"({"Records":[[],[],[]]})"}) {
    CAPTURE(text);
    World world({http::ok(text)});
    const auto rows = world.data->rows({.id = "i-1:1"}, 2);
    REQUIRE_FALSE(rows);
    CHECK(rows.error().code == "W006"_code);
  }
}

TEST_CASE("the Data API: a run that does not end is cancelled, and its end counts") {
  World world({kBegun, status("STARTED"), http::ok(R"({"Status":true})"), status("ABORTED")});
  const auto run = world.data->run(kSqls, "t", 0);
  REQUIRE(run);
  CHECK(run->end == DataEnd::aborted);
  CHECK(world.aws.seen()[2].contains("RedshiftData.CancelStatement\r\n"));
  World ended({kBegun, status("STARTED"), refusal(400, "ValidationException"), status("FINISHED")});
  CHECK(ended.data->run(kSqls, "t", 0)->end == DataEnd::finished);
  World never({kBegun, status("STARTED")});
  CHECK(never.data->run(kSqls, "t", 0).error().code == "W004"_code);
}

TEST_CASE("the Data API: stop() ends what waits") {
  World world({kBegun, status("STARTED")});
  world.asked = [&] {
    if (world.say.size() == 1) world.data->stop();
  };
  CHECK(world.data->run(kSqls, "t", 600'000).error().code == "W004"_code);
  const std::scoped_lock lock(world.mutex);  // stop() is done before its client ends
}

}  // namespace penstock::aws
