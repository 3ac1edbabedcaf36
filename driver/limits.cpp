#include "driver/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "driver/fd_limit.h"

namespace ebbtide {
namespace {

namespace ip = boost::asio::ip;

constexpr const char* port_range_path = "/proc/sys/net/ipv4/ip_local_port_range";
constexpr std::uint32_t loopback_sources = 250;  // 127.0.0.1 to 127.0.0.250

bool has_more_sources(const ip::tcp::endpoint& server) {
  return server.address().is_v4() && server.address().is_loopback();
}

// How many connections to `server` the local ports allow.
Result<std::uint32_t> room_in_ports(std::uint32_t needed, const ip::tcp::endpoint& server) {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::ifstream range(port_range_path);
  if (!(range >> first >> last) || last < first) {
    return Error{"read", port_range_path, "it does not hold two ports", ""};
  }
  const std::uint32_t ports = last - first + 1;
  const bool rotates = has_more_sources(server) && ports >= connections_per_source;
  const std::uint32_t fit = rotates ? loopback_sources * connections_per_source : ports;
  if (needed <= fit) return fit;
  return Error{"open", fmt::format("{} connections at once", needed),
               fmt::format("this machine has {} local ports ({} to {}) for connections to {}",
                           ports, first, last, server.address().to_string()),
               fmt::format("ask for fewer connections, {}: sudo sysctl -w "
                           "net.ipv4.ip_local_port_range=\"1024 65535\"",
                           has_more_sources(server)
                               ? "or make the range wider"
                               : "drive the server on 127.0.0.1, or make the range wider")};
}

}  // namespace

ip::address source_address(const ip::tcp::endpoint& server, std::uint32_t index) {
  const std::uint32_t turn = index / connections_per_source;
  if (!has_more_sources(server)) return {};
  if (turn == 0) return ip::address_v4::any();
  return ip::address_v4(ip::address_v4::loopback().to_uint() + turn % loopback_sources);
}

Result<std::uint32_t> check_limits(std::uint32_t connections, const ip::tcp::endpoint& server) {
  const auto ports = room_in_ports(connections, server);
  if (!ports) return ports.error();
  const auto fds = raise_fd_limit(connections);
  if (!fds) return fds.error();
  return std::min(*ports, *fds);
}

}  // namespace ebbtide
