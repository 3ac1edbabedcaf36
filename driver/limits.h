// Answers: may this process hold as many connections to one address open as the plan asks for?
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>

#include "recording/result.h"

namespace ebbtide {

// Connections from one source address: the kernel's search for a free port gets slow beyond.
inline constexpr std::uint32_t connections_per_source = 8000;

// From where the `index`-th connection of a cohort starts. Loopback targets in IPv4 are reached
// from 127.0.0.1, 127.0.0.2, …, a new one every connections_per_source; all others, and the first
// of these, leave the choice to the kernel: unspecified.
boost::asio::ip::address source_address(const boost::asio::ip::tcp::endpoint& server,
                                        std::uint32_t index);

// Makes room for `connections` at once (open files, raise_fd_limit) and says whether the local
// ports suffice; returns how many connections fit. An error names the limit and how to raise it.
Result<std::uint32_t> check_limits(std::uint32_t connections,
                                   const boost::asio::ip::tcp::endpoint& server);

}  // namespace ebbtide
