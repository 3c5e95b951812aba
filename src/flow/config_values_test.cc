#include "flow/config_values.h"

#include <doctest/doctest.h>

namespace penstock::flow {

TEST_CASE("durations are a count and a unit, nothing else") {
  CHECK(duration_millis("500ms") == 500);
  CHECK(duration_millis("10s") == 10'000);
  CHECK(duration_millis("15m") == 900'000);
  CHECK(duration_millis("24h") == 86'400'000);
  CHECK(duration_millis("7d") == 604'800'000);
  CHECK(duration_millis("0s") == 0);
  for (const char* bad : {"", "5", "m", "-5s", "5 s", "5S", "5s ", "1.5h", "5sm", "٣s",
                          "999999999999999999d", "1000000000000000000ms"})
    CHECK_MESSAGE(!duration_millis(bad), bad);
}

TEST_CASE("sizes are bytes, or a count of powers of 1024") {
  CHECK(size_bytes("512") == 512);
  CHECK(size_bytes("512B") == 512);
  CHECK(size_bytes("64KiB") == 65'536);
  CHECK(size_bytes("1MiB") == 1'048'576);
  CHECK(size_bytes("2GiB") == 2'147'483'648);
  for (const char* bad : {"", "KiB", "1KB", "1kib", "-1", "1 MiB", "999999999999999999GiB"})
    CHECK_MESSAGE(!size_bytes(bad), bad);
}

TEST_CASE("counts are digits") {
  CHECK(count_value("0") == 0);
  CHECK(count_value("999999999999999999") == 999'999'999'999'999'999);
  CHECK_FALSE(count_value("1000000000000000000"));
  CHECK_FALSE(count_value("1e3"));
  CHECK_FALSE(count_value("+1"));
}

}  // namespace penstock::flow
