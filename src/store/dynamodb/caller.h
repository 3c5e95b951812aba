// caller.h — one operation of DynamoDB: signed, sent, and what its answer means.
//
// Thread      a Caller has one owner (it signs); an Access is shared by all of a store.
// Lifetime    the Access outlives its Callers.
// Limits      kAnswerMillis for an answer.
// Errors      to_error(): S006 (later), S030 (refused), S031 (no table).
//
//     Caller caller(access);
//     const Reply reply = caller.perform("GetItem", body);
//     if (reply.trouble != Trouble::none) return to_error(reply, access->where);
#pragma once

#include "aws/identity.h"
#include "aws/signer.h"
#include "http/client.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::store::dynamodb {

inline constexpr int64_t kAnswerMillis = 10'000;

enum class Trouble : uint8_t {
  none,
  condition,  // the item is not as the condition says
  throttled,  // later, more slowly
  passing,    // later; it may have been done
  unreached,  // later; it was not done
  data,       // this item, never
  settings,   // rights, credentials, a table that is not there: somebody has to change something
};

struct Reply {
  Trouble trouble = Trouble::none;
  int64_t after_millis = -1;  // the service's own wish when to come again, or -1
  std::string code;           // "ThrottlingException"
  std::string message;        // the service's own
  std::string body;
};

// What the requests of one store cost and met, for metrics.
struct Usage {
  std::atomic<uint64_t> millis_of_units{0};  // consumed write units, times 1,000
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> throttled{0};
};

struct Access {
  std::unique_ptr<http::Client> client;
  std::shared_ptr<aws::Session> session;
  std::unique_ptr<aws::Identity> identity;
  http::Url url;
  std::string region;
  std::string where;  // for people: "DynamoDB in eu-north-1", "DynamoDB at http://…"
  std::unique_ptr<Usage> usage = std::make_unique<Usage>();
};

class Caller {
 public:
  explicit Caller(std::shared_ptr<const Access> access);
  // `done` as in http/client.h.
  void begin(std::string_view operation, std::string body, http::Done done);
  // Waits. Nothing is repeated.
  Reply perform(std::string_view operation, std::string body);
  Reply read(http::Outcome outcome) const;
  const Access& access() const { return *access_; }

 private:
  http::Request request(std::string_view operation, std::string body);
  std::shared_ptr<const Access> access_;
  aws::Signer signer_;
};

Error to_error(const Reply& reply, std::string_view where);

}  // namespace penstock::store::dynamodb
