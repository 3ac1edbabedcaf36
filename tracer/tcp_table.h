// Answers: which TCP sockets does a network namespace have, by /proc/net/tcp and tcp6? Used to find
// who listens, and for the connection counts of a run without eBPF.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

// IPv4 as IPv4-mapped IPv6, network byte order.
using IpAddress = std::array<std::uint8_t, 16>;

struct TcpRow {
  IpAddress local{};
  IpAddress remote{};
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::uint8_t state = 0;  // TCP_*
  std::uint32_t send_queue_bytes = 0;
  std::uint64_t inode = 0;  // 0: no fd holds it (TIME_WAIT, orphans, not yet accepted)
};

inline constexpr std::uint8_t tcp_established = 1;
inline constexpr std::uint8_t tcp_listen = 10;
inline constexpr std::uint8_t tcp_time_wait = 6;
inline constexpr std::uint8_t tcp_close = 7;
inline constexpr std::uint8_t tcp_close_wait = 8;
inline constexpr std::uint8_t tcp_fin_wait2 = 5;

// The sockets of the network namespace that `pid` lives in.
Result<std::vector<TcpRow>> read_tcp_table(std::int32_t pid);

// Is this 0.0.0.0 or ::?
bool is_any_address(const IpAddress& address);

// "127.0.0.1", "::1"; IPv4-mapped addresses as IPv4.
std::string address_text(const IpAddress& address);

}  // namespace ebbtide
