// resolver.h — addresses of a host; the system's look-up blocks, so it has a thread for each.
//
// Thread      look_up() from any thread; `found` is called on another one, or on the caller's when
//             the host is a number already.
// Lifetime    the look-up may outlive whoever began it: `found` owns what it needs.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

namespace penstock::http {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};
// Or why there are none.
using Addresses = std::expected<std::vector<Address>, std::string>;

void look_up(const std::string& host, uint16_t port, std::function<void(Addresses)> found);

}  // namespace penstock::http
