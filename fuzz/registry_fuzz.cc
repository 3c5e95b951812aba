// What a schema registry answers, Confluent's and Glue's: the first byte says which is asked what,
// then come answers with zero bytes between, each a byte (not zero) for the status and a body. A
// small server on this machine gives them; whoever asks gets a schema, an id, or an error with its
// words.
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "registry/confluent.h"
#include "registry/glue.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

using namespace penstock;  // NOLINT: a program of two pages

namespace {

constexpr unsigned kStatus[] = {200, 200, 200, 200, 400, 401, 404, 409, 422, 500};

// Gives the answers that it was told, one for each request, and then 404.
class Server {
 public:
  Server() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listener_, address, size) != 0 || ::listen(listener_, 16) != 0) std::abort();
    if (::getsockname(listener_, address, &size) != 0) std::abort();
    port_ = ntohs(at.sin_port);
    std::thread([this] { accept_all(); }).detach();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  void tell(std::string_view answers) {
    const std::lock_guard lock(mutex_);
    answers_.clear();
    while (!answers.empty()) {
      const size_t end = std::min(answers.find('\0'), answers.size());
      answers_.emplace_back(answers.substr(0, end));
      answers.remove_prefix(std::min(end + 1, answers.size()));
    }
  }

 private:
  [[noreturn]] void accept_all() {
    while (true) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer >= 0) std::thread([this, peer] { serve(peer); }).detach();
    }
  }

  void serve(int peer) {
    std::string asked;
    char piece[4096];
    for (ssize_t got = 0; (got = ::read(peer, piece, sizeof(piece))) > 0;) {
      asked.append(piece, static_cast<size_t>(got));
      const size_t head = asked.find("\r\n\r\n");
      if (head == std::string::npos || asked.size() < head + 4 + body_bytes(asked, head)) continue;
      asked.clear();
      const std::string answer = next();
      if (::write(peer, answer.data(), answer.size()) < 0) break;
    }
    ::close(peer);
  }

  static size_t body_bytes(std::string asked, size_t head) {
    std::ranges::transform(asked, asked.begin(), [](unsigned char c) { return std::tolower(c); });
    const size_t at = asked.find("content-length: ");
    size_t bytes = 0;
    if (at < head) std::from_chars(asked.data() + at + 16, asked.data() + head, bytes);
    return bytes;
  }

  std::string next() {
    const std::lock_guard lock(mutex_);
    std::string answer = "\6{}";
    if (!answers_.empty()) answer = answers_.front();
    if (!answers_.empty()) answers_.pop_front();
    const auto chosen = answer.empty() ? 0 : static_cast<unsigned char>(answer[0]);
    const unsigned status = kStatus[chosen % std::size(kStatus)];
    const std::string body = answer.substr(std::min<size_t>(1, answer.size()));
    return "HTTP/1.1 " + std::to_string(status) +
           " Said\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  const int listener_;
  int port_ = 0;
  std::mutex mutex_;
  std::deque<std::string> answers_;
};

void demand(bool held) {
  if (!held) std::abort();
}

template <class T>
void sound(const Result<T>& result) {
  if (!result && (result.error().message.empty() || render(result.error()).empty())) std::abort();
}

struct Registries {
  Server server;
  SystemClock clock;
  avro::SchemaPtr schema =
      *avro::parse(R"({"type":"record","name":"a.R","fields":[{"name":"kwh","type":"double"}]})");
  std::unique_ptr<registry::Registry> confluent, glue;

  Registries() {
    ::setenv("AWS_ACCESS_KEY_ID", "A", 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
    confluent = std::move(*registry::Confluent::make({.url = server.url(),
                                                      .subjects = registry::Subjects::topic_record,
                                                      .user = "u",
                                                      .password = Secret("p")}));
    glue = std::move(*registry::Glue::make({.name = "r",
                                            .region = "eu-central-1",
                                            .endpoint = server.url(),
                                            .subjects = registry::subjects_of("record"),
                                            .between_looks = {}},
                                           clock));
    demand(confluent->subject_of("t", *schema) == "t-a.R");
    demand(glue->subject_of("t", *schema) == "a.R");
    demand(confluent->may_register() && glue->may_register());
    demand(!confluent->speaks(avro::Framing::glue) && glue->speaks(avro::Framing::glue));
  }

  void ask(registry::Registry& whom, avro::Framing framing, unsigned what) {
    avro::SchemaId id;
    id.framing = framing;
    if (what == 0) {
      const auto fetched = whom.fetch(id);
      sound(fetched);
      demand(!fetched || fetched->schema != nullptr || !fetched->why.empty());
    }
    if (what == 1) sound(whom.look_up("s", framing, *schema));
    if (what == 2) sound(whom.enroll("s", framing, *schema));
    if (what == 3) {
      const auto past = whom.past("s");
      sound(past);
      const auto why = past ? registry::objection(*past, "s", *schema) : std::nullopt;
      // Nobody objects to nothing, and who objects says to which version.
      if (past && past->versions.empty()) demand(!why);
      if (why) demand(why->message.contains("version"));
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Registries registries;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  registries.server.tell(input.substr(1));
  const unsigned what = data[0] % 12;
  if (what < 4) registries.ask(*registries.confluent, avro::Framing::confluent, what);
  if (what >= 4 && what < 8)
    registries.ask(*registries.confluent, avro::Framing::confluent_guid, what - 4);
  if (what >= 8) registries.ask(*registries.glue, avro::Framing::glue, what - 8);
  return 0;
}
