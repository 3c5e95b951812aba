#include "http/client.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace penstock::http {
namespace {

// A folder with certificates: good.pem for localhost and 127.0.0.1, other.pem for another name,
// old.pem like good.pem, whose time is over. Each signs itself; x.key is the key of x.pem.
class Certificates {
 public:
  Certificates() {
    std::string name = std::filesystem::temp_directory_path() / "penstock-tls-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    make("good", "DNS:localhost,IP:127.0.0.1");
    make("other", "DNS:elsewhere.invalid");
    make("old", "DNS:localhost,IP:127.0.0.1");
    std::ofstream(folder_ / "ca.conf") << "[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=serial\n"
                                          "policy=p\ndefault_md=sha256\ncopy_extensions=copyall\n"
                                          "new_certs_dir=.\nunique_subject=no\n[p]\n"
                                          "commonName=supplied\n";
    shell(
        "touch index && echo 01 > serial && openssl req -new -key old.key -subj /CN=penstock "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -out old.csr");
    shell(
        "openssl ca -batch -config ca.conf -selfsign -keyfile old.key -in old.csr -out old.pem "
        "-notext -startdate 20200101000000Z -enddate 20200201000000Z");
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& file) const { return folder_ / file; }

 private:
  void make(const std::string& name, const std::string& alternatives) {
    shell(
        fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                    "-days 2 -subj /CN=penstock -addext subjectAltName={1} -keyout {0}.key "
                    "-out {0}.pem",
                    name, alternatives));
  }
  void shell(const std::string& command) {
    const std::string whole = fmt::format("cd {} && ({}) 2> log", folder_.string(), command);
    REQUIRE_MESSAGE(std::system(whole.c_str()) == 0, command);
  }
  std::filesystem::path folder_;
};

const Certificates& certificates() {
  static const Certificates made;
  return made;
}

// openssl's own server; answers each request with a page.
class TlsServer {
 public:
  explicit TlsServer(const std::string& certificate, std::vector<std::string> options = {}) {
    std::array<int, 2> out{};
    REQUIRE(pipe(out.data()) == 0);
    const std::string pem = certificates().path(certificate + ".pem");
    const std::string key = certificates().path(certificate + ".key");
    std::vector<std::string> words = {
        "openssl", "s_server", "-accept", "127.0.0.1:0",       "-cert", pem, "-key",
        key,       "-www",     "-cipher", "DEFAULT@SECLEVEL=0"};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(out[1], STDOUT_FILENO);
      if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
      execvp("openssl", arguments.data());
      _exit(127);
    }
    close(out[1]);
    FILE* lines = fdopen(out[0], "r");
    int port = 0;
    std::array<char, 256> line{};
    while (port == 0 && std::fgets(line.data(), line.size(), lines) != nullptr) {
      std::sscanf(line.data(), "ACCEPT 127.0.0.1:%d", &port);
    }
    out_ = lines;
    port_ = static_cast<uint16_t>(port);
    REQUIRE(port != 0);
  }
  ~TlsServer() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    std::fclose(out_);
  }
  // `ours`: the certificate that we show, "" = none.
  Outcome ask(const std::string& authorities, const std::string& host = "127.0.0.1",
              const std::string& ours = {}) const {
    const auto path = [&](const char* end) {
      return ours.empty() ? std::string() : certificates().path(ours + end);
    };
    auto client = Client::make({.authorities = certificates().path(authorities),
                                .certificate = path(".pem"),
                                .key = path(".key")});
    REQUIRE(client);
    return (*client)->perform({.url = {.host = host, .port = port_, .path = "/"}});
  }

 private:
  pid_t child_ = 0;
  FILE* out_ = nullptr;
  uint16_t port_ = 0;
};

// Nothing was sent, and the message says why.
void check_refused(const Outcome& outcome, const std::string& why) {
  REQUIRE(!outcome);
  CHECK(outcome.error().kind == FailureKind::tls);
  CHECK(!outcome.error().sent);
  CHECK_MESSAGE(outcome.error().message.contains(why), outcome.error().message);
}

}  // namespace

TEST_CASE("a server with a certificate that is trusted, by its name and by its address") {
  const TlsServer server("good");
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const Outcome outcome = server.ask("good.pem", host);
    REQUIRE_MESSAGE(outcome, (outcome ? "" : outcome.error().message));
    CHECK(outcome->status == 200);
  }
}

TEST_CASE("an authority that is not ours") {
  check_refused(TlsServer("good").ask("other.pem"), "self-signed certificate");
}

TEST_CASE("a certificate of another name") {
  check_refused(TlsServer("other").ask("other.pem"), "IP address mismatch");
  check_refused(TlsServer("other").ask("other.pem", "localhost"), "hostname mismatch");
}

TEST_CASE("a certificate whose time is over") {
  check_refused(TlsServer("old").ask("old.pem"), "certificate has expired");
}

TEST_CASE("a protocol that is too old") {
  check_refused(TlsServer("good", {"-tls1_1"}).ask("good.pem"), "protocol");
}

TEST_CASE("a server that asks who we are: our certificate, another one, none") {
  const TlsServer server("good", {"-Verify", "1", "-verify_return_error", "-CAfile",
                                  certificates().path("other.pem")});
  const Outcome ours = server.ask("good.pem", "127.0.0.1", "other");
  REQUIRE_MESSAGE(ours, (ours ? "" : ours.error().message));
  CHECK(ours->status == 200);
  CHECK_FALSE(server.ask("good.pem", "127.0.0.1", "good"));
  CHECK_FALSE(server.ask("good.pem"));
}

TEST_CASE("a key that is not the certificate's") {
  const auto client = Client::make(
      {.certificate = certificates().path("good.pem"), .key = certificates().path("other.key")});
  REQUIRE(!client);
  CHECK(one_line(client.error()).contains("other.key"));
}

TEST_CASE("a list of authorities that is not there") {
  const auto client = Client::make({.authorities = certificates().path("none.pem")});
  REQUIRE(!client);
  CHECK(one_line(client.error()).contains("none.pem"));
}

}  // namespace penstock::http
