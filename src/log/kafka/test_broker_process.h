// test_broker_process.h — stops and starts the broker that the tests run against.
//
// Thread      one. Whatever a case does, the broker runs again at its end.
//
//     BrokerProcess broker;
//     broker.kill();  …  broker.start();
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace penstock::log::kafka {

class BrokerProcess {
 public:
  BrokerProcess()
      : tool_(fact("PENSTOCK_TEST_KAFKA_TOOL")), folder_(fact("PENSTOCK_TEST_KAFKA_DIR")) {}
  BrokerProcess(const BrokerProcess&) = delete;
  ~BrokerProcess() {
    if (!runs_) call("start");
  }

  void kill() { runs_ = !call("kill"); }
  // SIGTERM, and waits until it has written everything and is gone.
  void stop() { runs_ = !call("stop"); }
  // Comes back when it answers again.
  void start() {
    runs_ = call("start");
    REQUIRE(runs_);
  }
  // Where its partitions lie.
  std::filesystem::path data() const { return std::filesystem::path(folder_) / "1" / "data"; }

 private:
  static std::string fact(const char* name) {
    const char* value = std::getenv(name);  // NOLINT: nobody sets it meanwhile
    if (value == nullptr)
      FAIL(name, " is not set; cure: run this test by tools/with_kafka COMMAND");
    return value;
  }
  bool call(const std::string& verb) const {
    const std::string command = "'" + tool_ + "' " + verb + " '" + folder_ + "' 1";
    const bool good = std::system(command.c_str()) == 0;  // NOLINT: a test's own words
    CHECK(good);
    return good;
  }

  std::string tool_, folder_;
  bool runs_ = true;
};

}  // namespace penstock::log::kafka
