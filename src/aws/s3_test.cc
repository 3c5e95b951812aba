#include "aws/s3.h"

#include "aws/aws_fixture.h"
#include "aws/s3_text.h"

#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <functional>
#include <string>
#include <utility>

namespace penstock::aws {
namespace {

std::string answer(unsigned status, std::string_view body, std::string_view headers = "") {
  return fmt::format("HTTP/1.1 {} x\r\n{}Content-Length: {}\r\n\r\n{}", status, headers,
                     body.size(), body);
}

std::string error(std::string_view code, std::string_view more = "") {
  return fmt::format("<Error><Code>{}</Code><Message>m</Message>{}</Error>", code, more);
}

// A bucket whose server says what it is told to, and the last of it for ever.
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
    auto opened = Bucket::open(*identity, {.name = "bucket"}, {1, 2, 8, 4, 3});
    REQUIRE(opened);
    bucket = *std::move(opened);
  }
  std::mutex mutex;
  std::deque<std::string> say;
  std::function<void()> asked;
  TestWorld aws;
  std::shared_ptr<Session> session;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Bucket> bucket;
};

template <class T>
Error failure(const Result<T>& result) {
  REQUIRE_FALSE(result);
  CHECK_FALSE(render(result.error()).contains(kCanary));
  return result.error();
}

}  // namespace

TEST_CASE("S3: where a bucket is") {
  TestWorld world;
  world.variables.erase("AWS_ENDPOINT_URL");
  const auto session = world.session();
  const auto url = [&](BucketPlace place, std::string_view key) {
    const auto made = S3Address::make(*session, place);
    REQUIRE(made);
    return http::text_of(made->url(key, "q="));
  };
  CHECK(url({"stage"}, "a b/c+d") == "https://stage.s3.eu-north-1.amazonaws.com/a%20b/c%2Bd?q=");
  CHECK(url({"stage"}, "") == "https://stage.s3.eu-north-1.amazonaws.com/?q=");
  CHECK(url({"stage", "cn-north-1"}, "k") == "https://stage.s3.cn-north-1.amazonaws.com.cn/k?q=");
  // A dot in the host is not in AWS's certificate.
  CHECK(url({"a.stage"}, "k") == "https://s3.eu-north-1.amazonaws.com/a.stage/k?q=");
  CHECK(url({"stage", "", "http://127.0.0.1:9000/s3/"}, "k") ==
        "http://127.0.0.1:9000/s3/stage/k?q=");
  CHECK(url({"stage", "", "http://h:9"}, "") == "http://h:9/stage?q=");
  for (const char* name : {"", "ab", "Stage", "s3://stage", "stage/p", "-ab", "a..b", "a_b"}) {
    CAPTURE(name);
    const auto refused = S3Address::make(*session, {name});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "S021"_code);
  }
}

TEST_CASE("S3: what a refusal means, and its cure") {
  struct Case {
    std::string says;
    Code code;
    std::string_view told;
  };
  const Case cases[] = {
      {answer(403, error("AccessDenied")), "S040"_code,
       "allow s3:PutObject on arn:aws:s3:::bucket/* "},
      {answer(403, error("InvalidAccessKeyId")), "S040"_code, "InvalidAccessKeyId"},
      {answer(403, error("SignatureDoesNotMatch")), "S040"_code, "SignatureDoesNotMatch: m"},
      {answer(404, error("NoSuchBucket")), "S041"_code, "NoSuchBucket"},
      {answer(400, error("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
       "S041"_code, "write region: eu-west-1"},
      {answer(301, error("PermanentRedirect"), "x-amz-bucket-region: us-west-2\r\n"), "S041"_code,
       "the bucket is in us-west-2"},
      {answer(301, "", "x-amz-bucket-region: ../evil\r\n"), "S041"_code, "HTTP 301"},
      {answer(403, error("AccessDenied"), "x-amz-bucket-region: eu-north-1\r\n"), "S040"_code,
       "AccessDenied"},
      {answer(500, error("InternalError")), "S042"_code, "InternalError"},
      {answer(503, error("SlowDown")), "S042"_code, "SlowDown"},
      {answer(502, "<html>"), "S042"_code, "HTTP 502"},
      {answer(403, error("RequestTimeTooSkewed")), "S042"_code, "RequestTimeTooSkewed"},
      {answer(400, error("ExpiredToken")), "S042"_code, "ExpiredToken"},
      {"nonsense\r\n\r\n", "S043"_code, "not HTTP"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.says);
    World world({one.says});
    const Error refused = failure(world.bucket->put("k", "bytes"));
    CHECK(refused.code == one.code);
    CHECK_MESSAGE(render(refused).contains(one.told), render(refused));
    // What passes is tried as often as it may be; the rest once.
    CHECK(world.aws.seen().size() == (one.code == "S042"_code ? 4 : 1));
  }
}

TEST_CASE("S3: what passes is repeated until it has passed, with the same bytes") {
  World world({answer(500, ""), answer(503, error("SlowDown")), answer(400, error("BadDigest")),
               answer(200, "", "x-amz-checksum-crc32c: " + crc32c_text("bytes") + "\r\n")});
  CHECK(world.bucket->put("k", "bytes"));
  const auto seen = world.aws.seen();
  REQUIRE(seen.size() == 4);
  for (const std::string& each : seen) {
    CHECK(each.starts_with("PUT /bucket/k HTTP/1.1"));
    CHECK(each.contains("x-amz-checksum-crc32c: " + crc32c_text("bytes")));
    CHECK(each.ends_with("\r\n\r\nbytes"));
  }
}

TEST_CASE("S3: a clock that is wrong is set by the answer's date") {
  const std::string skewed =
      answer(403, error("RequestTimeTooSkewed"), "Date: Fri, 02 Jan 2026 09:00:00 GMT\r\n");
  World world({skewed, answer(200, "")});
  CHECK(world.bucket->put("k", "x"));
  CHECK(world.aws.seen()[0].contains("X-Amz-Date: 20260102T030405Z"));
  CHECK(world.aws.seen()[1].contains("X-Amz-Date: 20260102T0900"));
}

TEST_CASE("S3: bytes that are not those that were put") {
  const std::string header = "x-amz-checksum-crc32c: " + crc32c_text("bytes") + "\r\n";
  World whole({answer(200, "bytes", header)});
  CHECK(whole.bucket->get("k") == "bytes");
  World damaged({answer(200, "bytEs", header)});
  CHECK(failure(damaged.bucket->get("k")).code == "S044"_code);
  World other({answer(200, "", header)});
  CHECK(failure(other.bucket->put("k", "other")).code == "S044"_code);
  World gone({answer(404, error("NoSuchKey"))});
  CHECK(failure(gone.bucket->get("k")).code == "S044"_code);
  World large({answer(200, "bytes", header)});
  CHECK(failure(large.bucket->get("k", 4)).code == "S043"_code);
  World parts({answer(200, "bytes", "x-amz-checksum-crc32c: AAAAAA==-3\r\n")});
  CHECK(parts.bucket->get("k") ==
        "bytes");  // of the parts' checksums: it says nothing of the whole
}

TEST_CASE("S3: a list goes on where it was cut, and its keys are decoded") {
  const auto page = [](std::string_view keys, std::string_view end) {
    return answer(200, fmt::format("<ListBucketResult>{}{}</ListBucketResult>", keys, end));
  };
  const std::string one = "<Contents><Key>p%2Fa+b</Key><Size>7</Size></Contents>";
  const std::string two = "<Contents><Key>p/%C3%A4</Key><Size>8</Size></Contents>";
  const std::string next =
      "<IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;/=</NextContinuationToken>";
  World world({page(one, next), page(two, "<IsTruncated>false</IsTruncated>")});
  const auto listing = world.bucket->list("p/");
  REQUIRE(listing);
  REQUIRE(listing->objects.size() == 2);
  CHECK(listing->objects[0].key == "p/a b");
  CHECK(listing->objects[1].key == "p/\xc3\xa4");
  CHECK(listing->objects[1].bytes == 8);
  CHECK_FALSE(listing->more);
  CHECK(world.aws.seen()[1].contains("&continuation-token=t%26%2F%3D "));

  World cut({page(one, next)});
  CHECK(cut.bucket->list("p/", 1)->more);
  for (const std::string& bad :
       {page(one, "<IsTruncated>true</IsTruncated>"), page("<Contents><Key>q</Key></Contents>", ""),
        page("<Contents><Key>p/%zz</Key><Size>1</Size></Contents>", ""), answer(200, "<a></b>"),
        answer(200, "<Other/>")}) {
    CAPTURE(bad);
    World hostile({bad});
    CHECK(failure(hostile.bucket->list("p/")).code == "S043"_code);
  }
  World endless({page(one, next)});  // the same place for ever
  CHECK(failure(endless.bucket->list("p/")).code == "S043"_code);
}

TEST_CASE("S3: 200 may hold an error") {
  const std::array<std::string, 2> keys = {"a", "b<"};
  const auto deleted = [](std::string_view inside) {
    return answer(200, fmt::format("<DeleteResult>{}</DeleteResult>", inside));
  };
  World passes({answer(200, error("InternalError")),
                deleted("<Error><Key>b&lt;</Key><Code>SlowDown</Code></Error>"
                        "<Error><Key>a</Key><Code>NoSuchKey</Code></Error>"),
                deleted("")});
  CHECK(passes.bucket->remove(keys));
  CHECK(passes.aws.seen().size() == 3);
  CHECK(passes.aws.seen()[2].ends_with(
      "<Quiet>true</Quiet><Object><Key>b&lt;</Key></Object></Delete>"));
  World refused({deleted("<Error><Key>a</Key><Code>AccessDenied</Code></Error>")});
  const Error told = failure(refused.bucket->remove(keys));
  CHECK(told.code == "S040"_code);
  CHECK(told.cure.contains("s3:DeleteObject"));
  World foreign({deleted("<Error><Key>c</Key><Code>InternalError</Code></Error>")});
  CHECK(failure(foreign.bucket->remove(keys)).code == "S043"_code);
  World never(
      {deleted("<Error><Key>a</Key><Code>InternalError</Code></Error>"
               "<Error><Key>b&lt;</Key><Code>InternalError</Code></Error>")});
  CHECK(failure(never.bucket->remove(keys)).code == "S042"_code);
}

TEST_CASE("S3: an upload that is gone at its end is done, or begun anew") {
  const std::string bytes(kPartBytes + 1, 'x');
  const auto begun = [](std::string_view id) {
    return answer(200, fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                                   "</InitiateMultipartUploadResult>",
                                   id));
  };
  const std::string part = answer(200, "", "ETag: \"t\"\r\n");
  const std::string gone = answer(404, error("NoSuchUpload"));
  const std::string done = answer(200, "<CompleteMultipartUploadResult/>");
  const auto head = [](std::string_view checksum, size_t size) {
    return fmt::format("HTTP/1.1 200 x\r\nx-amz-checksum-crc32c: {}\r\nContent-Length: {}\r\n\r\n",
                       checksum, size);
  };
  const auto requests = [&](std::deque<std::string> says) {
    World world(std::move(says));
    CHECK(world.bucket->put("k", bytes));
    const auto seen = world.aws.seen();
    CHECK(seen.back().starts_with("POST /bucket/k?uploadId=b ") == (seen.size() == 9));
    return seen.size();
  };
  const std::string checksum = crc32c_text(bytes);
  CHECK(requests({begun("a"), part, part, done}) == 4);
  CHECK(requests({begun("a"), part, part, gone, head(checksum, bytes.size())}) == 5);
  for (const std::string& other :
       {answer(404, ""), head(checksum, bytes.size() - 1), head("AAAAAA==", bytes.size())}) {
    CHECK(requests({begun("a"), part, part, gone, other, begun("b"), part, part, done}) == 9);
  }
  World never({begun("a"), part, gone, begun("b"), gone, begun("c"), gone});
  CHECK(failure(never.bucket->put("k", bytes)).code == "S042"_code);
}

TEST_CASE("S3: other rules of the lifecycle stay as they are") {
  const std::string theirs =
      "<Rule><ID>theirs</ID><Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>"
      "</And></Filter><Status>Enabled</Status><Transition><Days>30</Days></Transition></Rule>";
  const auto config = [](std::string_view rules) {
    return answer(200, fmt::format("<LifecycleConfiguration>{}</LifecycleConfiguration>", rules),
                  "x-amz-transition-default-minimum-object-size: varies_by_storage_class\r\n");
  };
  World world({config(theirs), answer(200, "")});
  CHECK(world.bucket->expire("p/", 3));
  const std::string put = world.aws.seen()[1];
  CHECK(put.contains(theirs));
  CHECK(put.contains("<Prefix>p/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3<"));
  CHECK(put.contains("minimum-object-size: varies_by_storage_class"));
  const size_t at = put.rfind("<Rule>");
  const std::string ours = put.substr(at, put.find("</Rule>", at) + 7 - at);

  World again({config(theirs + ours)});
  CHECK(again.bucket->expire("p/", 3));
  CHECK(again.aws.seen().size() == 1);
  World changed({config(theirs + ours), answer(200, "")});
  CHECK(changed.bucket->expire("p/", 4));
  CHECK_FALSE(changed.aws.seen()[1].contains("<Days>3<"));

  World read({config(theirs + ours)});
  const auto rules = read.bucket->lifecycle();
  REQUIRE(rules);
  REQUIRE(rules->size() == 2);
  CHECK(rules->at(0).conditional);
  CHECK(rules->at(1).prefix == "p/");
  CHECK(rules->at(1).expire_days == 3);
  CHECK(rules->at(1).abort_days == 1);
  World none({answer(404, error("NoSuchLifecycleConfiguration"))});
  CHECK(none.bucket->lifecycle()->empty());
}

TEST_CASE("S3: stop() ends a call that waits, and those after it") {
  World world({answer(503, error("SlowDown"))});
  auto slow = Bucket::open(*world.identity, {.name = "bucket"}, {1, 600'000, 600'000, 1000, 3});
  REQUIRE(slow);
  world.asked = [&] { (*slow)->stop(); };
  CHECK(failure((*slow)->put("k", "x")).code == "S042"_code);
  CHECK(failure((*slow)->put("k", "x")).code == "S042"_code);
  CHECK(world.aws.seen().size() == 1);
  const std::scoped_lock lock(world.mutex);  // stop() is done before its bucket ends
}

TEST_CASE("S3: keys that none can have") {
  World world({answer(200, "")});
  for (const std::string& key : {std::string(), std::string(1025, 'k'), std::string("a\nb")}) {
    CHECK(failure(world.bucket->put(key, "x")).code == "S021"_code);
  }
  CHECK(world.aws.seen().empty());
}

}  // namespace penstock::aws
