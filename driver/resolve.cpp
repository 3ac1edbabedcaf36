#include "driver/resolve.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

namespace ebbtide {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using boost::asio::ip::tcp;

std::optional<address> address_of(const sockaddr* from) {
  if (from == nullptr) return std::nullopt;
  if (from->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(from);
    return address_v4(ntohl(v4->sin_addr.s_addr));
  }
  if (from->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(from);
    address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
    const address_v6 result(bytes, v6->sin6_scope_id);
    if (result.is_v4_mapped()) {
      return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, result);
    }
    return result;
  }
  return std::nullopt;
}

std::vector<address> interface_addresses() {
  std::vector<address> result;
  ifaddrs* list = nullptr;
  // Without the list only loopback passes: the safe side.
  if (getifaddrs(&list) != 0) return result;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (const auto found = address_of(entry->ifa_addr)) result.push_back(*found);
  }
  return result;
}

}  // namespace

Result<std::vector<tcp::endpoint>> resolve(const Url& url, bool allow_remote) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int status = getaddrinfo(url.host.c_str(), nullptr, &hints, &list);
  if (status != 0) {
    const char* reason = status == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(status);
    return Error{"resolve", url.host, reason, "check the host's spelling, or give its address"};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);

  const std::vector<address> own = interface_addresses();
  // connect() to the unspecified address (0.0.0.0, ::) reaches this machine.
  const auto is_local = [&](const address& candidate) {
    return candidate.is_loopback() || candidate.is_unspecified() ||
           std::ranges::find(own, candidate) != own.end();
  };
  std::vector<tcp::endpoint> endpoints;
  std::string remote;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const auto candidate = address_of(entry->ai_addr);
    if (!candidate) continue;
    if (allow_remote || is_local(*candidate)) {
      endpoints.emplace_back(*candidate, url.port);
    } else {
      remote = candidate->to_string();
    }
  }
  if (endpoints.empty()) {
    return Error{"send load to", url.host,
                 fmt::format("{} is not an address of this machine", remote),
                 "run Ebbtide on the server's machine; to drive a server elsewhere that you are "
                 "allowed to load, name it with --allow-remote"};
  }
  return endpoints;
}

}  // namespace ebbtide
