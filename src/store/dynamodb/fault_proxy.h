// fault_proxy.h — a proxy before DynamoDB Local, which never throttles and never fails by itself.
// For tests.
//
// It loses requests before or after they were done, is away, throttles, leaves items of a batch
// unprocessed, answers 500, refuses values, rewrites requests as a store with a bug would send
// them;
// and it fails the test when a batch breaks the limits of the real service.
//
// Thread      a thread for each connection; the calls from any.
#pragma once

#include "base/random.h"
#include "flow/store_contract.h"
#include "http/client.h"
#include "http/http_fixture.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::store::dynamodb {

// The items' texts of a BatchWriteItem as this store writes it.
inline std::vector<std::string> items_of_batch(const std::string& body) {
  constexpr std::string_view kHead = R"({"PutRequest":{"Item":)";
  std::vector<std::string> items;
  for (size_t at = body.find(kHead); at != body.npos; at = body.find(kHead, at)) {
    at += kHead.size();
    size_t end = at;
    int depth = 0;
    bool text = false;
    for (; end < body.size(); ++end) {
      const char c = body[end];
      if (text && c == '\\') {
        ++end;
      } else if (c == '"') {
        text = !text;
      } else if (!text && c == '{') {
        ++depth;
      } else if (!text && c == '}' && --depth == 0) {
        break;
      }
    }
    items.push_back(body.substr(at, end + 1 - at));
  }
  return items;
}

class FaultProxy {
 public:
  explicit FaultProxy(const std::string& server)
      : server_(*http::parse_url(server)),
        client_(*http::Client::make({})),
        front_([this](http::TestPeer& peer) {
          for (std::string text = peer.request(); !text.empty(); text = peer.request()) {
            if (!serve(peer, text)) return;
          }
        }) {}
  std::string url() const { return http::text_of(front_.url()); }

  void arm(const flow::StoreCut& cut) {
    with_lock([&] { cut_ = cut; });
  }
  bool disarm() {
    bool was_cut = false;
    with_lock([&] { was_cut = !std::exchange(cut_, std::nullopt).has_value(); });
    return was_cut;
  }
  void set_away(bool away) {
    with_lock([&] { away_ = away; });
  }
  void refuse_above(double value) {
    with_lock([&] { refuse_above_ = value; });
  }
  // Of the writes, this share is throttled, and as many fail with 500, before or after being done.
  void set_trouble(double share) {
    with_lock([&] { trouble_ = share; });
  }
  // Throttles each write whose body has this text.
  void throttle(std::string text) {
    with_lock([&] { throttled_text_ = std::move(text); });
  }
  // What a store with a bug would send instead.
  using Rewrite = std::function<void(std::string_view operation, std::string& body)>;
  void set_rewrite(Rewrite rewrite) {
    with_lock([&] { rewrite_ = std::move(rewrite); });
  }
  uint64_t count(std::string_view what) {
    uint64_t count = 0;
    with_lock([&] { count = counts_[std::string(what)]; });
    return count;
  }

 private:
  template <class F>
  void with_lock(F work) {
    const std::lock_guard lock(mutex_);
    work();
  }

  static std::string answer(unsigned status, std::string_view body) {
    return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
  }
  static std::string refusal(unsigned status, std::string_view code) {
    return answer(
        status,
        fmt::format(R"({{"__type":"com.amazonaws.dynamodb.v20120810#{}","message":"by the test"}})",
                    code));
  }

  enum class Fate { pass, cut_before, cut_after, throttle, fail_before, fail_after };
  Fate fate(bool is_write, const std::string& body) {
    if (away_) return Fate::cut_before;
    if (cut_ && cut_->after-- == 0) {
      const bool applied = cut_->applied;
      cut_.reset();
      return applied ? Fate::cut_after : Fate::cut_before;
    }
    if (!is_write) return Fate::pass;
    if (!throttled_text_.empty() && body.find(throttled_text_) != body.npos) return Fate::throttle;
    if (trouble_ <= 0 || !random_.chance(trouble_ * 2)) return Fate::pass;
    constexpr Fate kFates[] = {Fate::throttle, Fate::throttle, Fate::fail_before, Fate::fail_after,
                               Fate::cut_after};
    return kFates[random_.below(std::size(kFates))];
  }

  // False: the connection ends.
  bool serve(http::TestPeer& peer, const std::string& text) {
    const size_t head = text.find("\r\n\r\n") + 4;
    std::string body = text.substr(head);
    const auto header = [&](std::string_view name) {
      const size_t at = text.find(std::string(name) + ": ");
      if (at > head) return std::string();
      const size_t from = at + name.size() + 2;
      return text.substr(from, text.find("\r\n", from) - from);
    };
    const std::string target = header("X-Amz-Target");
    const std::string operation = target.substr(target.find('.') + 1);
    const bool is_write =
        operation == "PutItem" || operation == "UpdateItem" || operation == "BatchWriteItem";
    Fate what = Fate::pass;
    std::string unprocessed;
    with_lock([&] {
      ++counts_[operation];
      what = fate(is_write, body);
      if (what == Fate::pass && rewrite_) rewrite_(operation, body);
      if (what == Fate::pass && operation == "BatchWriteItem") unprocessed = keep_some(body);
    });
    if (what == Fate::cut_before) return false;
    if (what == Fate::throttle)
      return peer.say(refusal(400, "ProvisionedThroughputExceededException")), true;
    if (what == Fate::fail_before) return peer.say(refusal(500, "InternalServerError")), true;
    if (is_refused(operation, body)) return peer.say(refusal(400, "ValidationException")), true;
    std::string reply = forward(header, std::move(body));
    if (what == Fate::cut_after) return false;
    if (what == Fate::fail_after) reply = refusal(500, "InternalServerError");
    if (!unprocessed.empty()) {
      const std::string none = R"("UnprocessedItems":{})";
      const size_t at = reply.find(none);
      REQUIRE(at != reply.npos);
      std::string json = reply.substr(reply.find("\r\n\r\n") + 4);
      json.replace(json.find(none), none.size(), unprocessed);
      reply = answer(200, json);
    }
    peer.say(reply);
    return true;
  }

  bool is_refused(const std::string& operation, const std::string& body) {
    if (operation != "PutItem" && operation != "BatchWriteItem") return false;
    if (operation == "BatchWriteItem") check_limits(body);
    const std::lock_guard lock(mutex_);
    if (!refuse_above_) return false;
    constexpr std::string_view kValue = R"("v":{"N":")";
    for (size_t at = body.find(kValue); at != body.npos; at = body.find(kValue, at)) {
      at += kValue.size();
      if (std::strtod(body.c_str() + at, nullptr) > *refuse_above_) return true;
    }
    return false;
  }

  // What the service refuses and its local twin may not.
  static void check_limits(const std::string& body) {
    const std::vector<std::string> items = items_of_batch(body);
    std::set<std::string> keys;
    for (const std::string& item : items) keys.insert(key_of(item));
    const bool keeps = !items.empty() && items.size() <= 25 && keys.size() == items.size() &&
                       body.size() <= 16u * 1024 * 1024;
    CHECK_MESSAGE(keeps, "a batch beyond the service's limits: ", items.size(), " items, ",
                  keys.size(), " keys");
  }
  static std::string key_of(const std::string& item) {
    for (const std::string_view name : {R"("penstock_row":)", R"("id":)"}) {
      const size_t at = item.find(name);
      if (at != item.npos) return item.substr(at, item.find('}', at) - at);
    }
    return item;
  }

  // Takes some of the items out of the body; what is to be said of them, or "".
  std::string keep_some(std::string& body) {
    const std::vector<std::string> items = items_of_batch(body);
    std::string kept, left;
    for (const std::string& item : items) {
      std::string& to = trouble_ > 0 && random_.chance(trouble_) ? left : kept;
      to += fmt::format(R"({}{{"PutRequest":{{"Item":{}}}}})", to.empty() ? "" : ",", item);
    }
    if (left.empty() || kept.empty()) return {};
    const size_t from = body.find('[') + 1;
    const std::string head = body.substr(0, from);
    const size_t name = head.find(R"("RequestItems":{)") + 16;
    const std::string table = head.substr(name, head.find(':', name) - name);
    body = head + kept + "]}}";
    ++counts_["unprocessed"];
    return fmt::format(R"("UnprocessedItems":{{{}:[{}]}})", table, left);
  }

  template <class Header>
  std::string forward(const Header& header, std::string body) {
    http::Request request{.method = "POST", .url = server_, .body = std::move(body)};
    for (const char* name : {"X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date"})
      request.headers.push_back({name, header(name)});
    request.timeout_millis = 60'000;
    const http::Outcome outcome = client_->perform(std::move(request));
    if (!outcome) return refusal(503, "ServiceUnavailable");
    return answer(outcome->status, outcome->body);
  }

  http::Url server_;
  std::unique_ptr<http::Client> client_;
  std::mutex mutex_;
  Random random_{7};
  std::optional<flow::StoreCut> cut_;
  bool away_ = false;
  std::optional<double> refuse_above_;
  double trouble_ = 0;
  std::string throttled_text_;
  Rewrite rewrite_;
  std::map<std::string, uint64_t> counts_;
  http::TestServer front_;  // the last to be made, the first to end
};

}  // namespace penstock::store::dynamodb
