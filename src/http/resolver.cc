#include "http/resolver.h"

#include <fmt/format.h>

#include <netdb.h>

#include <cstring>
#include <thread>
#include <utility>

namespace penstock::http {
namespace {

Addresses resolve(const std::string& host, uint16_t port, int flags) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* all = nullptr;
  const int failed = getaddrinfo(host.c_str(), fmt::to_string(port).c_str(), &wanted, &all);
  if (failed != 0) {
    return std::unexpected(
        fmt::format("the name {} has no address: {}", host, gai_strerror(failed)));
  }
  std::vector<Address> found;
  for (const addrinfo* each = all; each != nullptr; each = each->ai_next) {
    Address& address = found.emplace_back();
    address.size = each->ai_addrlen;
    std::memcpy(&address.bytes, each->ai_addr, each->ai_addrlen);
  }
  freeaddrinfo(all);
  return found;
}

}  // namespace

void look_up(const std::string& host, uint16_t port, std::function<void(Addresses)> found) {
  if (Addresses numeric = resolve(host, port, AI_NUMERICHOST)) {
    found(std::move(numeric));
    return;
  }
  std::thread([host, port, found = std::move(found)] { found(resolve(host, port, 0)); }).detach();
}

}  // namespace penstock::http
