// Answers: how does a test make exactly the TCP connections it means to? Plain sockets on loopback.
#pragma once

#include <cstdint>

namespace ebbtide {

// AF_INET: 127.0.0.1; AF_INET6: ::1; dual: a socket of :: that takes IPv4 as well. Port 0: any.
// shared: by SO_REUSEPORT. Returns the fd.
int listen_on_loopback(int family, bool dual = false, std::uint16_t port = 0, bool shared = false);
std::uint16_t local_port_of(int fd);
int connect_to_loopback(int family, std::uint16_t port);
int accept_one(int listener);

// Reads until the peer's FIN or a reset.
void read_to_end(int fd);

// Closes with a reset instead of a FIN.
void close_by_reset(int fd);

}  // namespace ebbtide
