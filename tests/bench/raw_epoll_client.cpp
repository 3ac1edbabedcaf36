#include "tests/bench/raw_epoll_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "driver/fd_limit.h"

namespace ebbtide {
namespace {

constexpr std::string_view request =
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view close_frame{"\x88\x82\0\0\0\0\x03\xe8", 8};  // 1000, masked with 0

Error failure(std::string_view operation, std::string_view reason) {
  return {std::string(operation), "a raw connection", std::string(reason), ""};
}

}  // namespace

RawEpollClient::RawEpollClient(std::uint16_t port)
    : port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

RawEpollClient::~RawEpollClient() { ::close(epoll_); }

Result<void> RawEpollClient::open(std::uint32_t count, std::uint32_t window) {
  if (auto room = raise_fd_limit(count); !room) return room.error();
  for (std::uint32_t started = 0; started < count; started++) {
    if (auto one = start_one(); !one) return one;
    const std::uint32_t most_opening = started + 1 < count ? window - 1 : 0;
    while (opening_ > most_opening) {
      if (auto some = take_events(); !some) return some;
    }
  }
  return {};
}

Result<void> RawEpollClient::close() {
  for (int fd = 0; fd < static_cast<int>(states_.size()); fd++) {
    if (states_[fd] == State::up && send(fd, close_frame.data(), close_frame.size(), 0) < 0)
      return failure("close", std::strerror(errno));
  }
  while (up_ > 0) {
    if (auto some = take_events(); !some) return some;
  }
  return {};
}

Result<void> RawEpollClient::start_one() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure("open", std::strerror(errno));
  if (states_.size() <= static_cast<std::size_t>(fd)) states_.resize(fd + 1);
  states_[fd] = State::connecting;
  opening_++;
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(port_);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0 &&
      errno != EINPROGRESS)
    return failure("connect", std::strerror(errno));
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {.fd = fd}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
    return failure("watch", std::strerror(errno));
  return {};
}

Result<void> RawEpollClient::take_events() {
  std::array<epoll_event, 64> events{};
  const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
  for (int i = 0; i < count; i++) {
    if (auto one = advance(events[i].data.fd); !one) return one;
  }
  return {};
}

Result<void> RawEpollClient::advance(int fd) {
  State& state = states_[fd];
  if (state == State::connecting) {
    state = State::upgrading;
    if (send(fd, request.data(), request.size(), 0) < 0)
      return failure("upgrade", std::strerror(errno));
    return {};
  }
  if (state == State::upgrading) return take_answer(fd);
  std::array<char, 1024> bytes;
  ssize_t size = 0;
  while ((size = recv(fd, bytes.data(), bytes.size(), 0)) > 0) {
  }
  if (size < 0) {
    if (errno == EAGAIN) return {};
    return failure("read", std::strerror(errno));
  }
  state = State::none;
  up_--;
  ::close(fd);
  return {};
}

// Taken for one segment, as the native server sends it.
Result<void> RawEpollClient::take_answer(int fd) {
  std::array<char, 1024> bytes;
  const ssize_t size = recv(fd, bytes.data(), bytes.size(), 0);
  if (size < 0 && errno == EAGAIN) return {};
  if (size < 0) return failure("upgrade", std::strerror(errno));
  const std::string_view answer(bytes.data(), static_cast<std::size_t>(size));
  if (!answer.starts_with("HTTP/1.1 101 ") || !answer.ends_with("\r\n\r\n"))
    return failure("upgrade", answer);
  states_[fd] = State::up;
  opening_--;
  up_++;
  return {};
}

}  // namespace ebbtide
