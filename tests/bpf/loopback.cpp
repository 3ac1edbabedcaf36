#include "tests/bpf/loopback.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace ebbtide {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Address loopback_address(int family, std::uint16_t port, bool any) {
  Address address;
  if (family == AF_INET) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.length = sizeof(*v4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    v6->sin6_addr = any ? in6addr_any : in6addr_loopback;
    address.length = sizeof(*v6);
  }
  return address;
}

int check(int result) {
  if (result < 0) std::abort();
  return result;
}

}  // namespace

int listen_on_loopback(int family, bool dual, std::uint16_t port, bool shared) {
  const int fd = check(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = shared ? 1 : 0;
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
  const Address address = loopback_address(family, port, dual);
  check(bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length));
  check(listen(fd, 512));
  return fd;
}

std::uint16_t local_port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  check(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length));
  return ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);  // same place in sockaddr_in6
}

int connect_to_loopback(int family, std::uint16_t port) {
  const int fd = check(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address address = loopback_address(family, port, false);
  check(connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length));
  return fd;
}

int accept_one(int listener) { return check(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)); }

void read_to_end(int fd) {
  char buffer[256];
  while (read(fd, buffer, sizeof buffer) > 0) {
  }
}

void close_by_reset(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

}  // namespace ebbtide
