#include "driver/stamped_socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "recording/clock.h"

namespace ebbtide {
namespace {

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t to_monotonic(const timespec& stamp) {
  timespec real{};
  clock_gettime(CLOCK_REALTIME, &real);
  const std::uint64_t now = monotonic_ns();
  const std::uint64_t age = nanoseconds(real) - std::min(nanoseconds(real), nanoseconds(stamp));
  return now - std::min(now, age);
}

}  // namespace

StampedSocket::StampedSocket(boost::asio::ip::tcp::socket& socket, bool with_stamps)
    : socket_(socket), with_stamps_(with_stamps) {
  if (!with_stamps) return;
  const int on = 1;
  setsockopt(socket.native_handle(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

std::size_t StampedSocket::receive(std::span<char> into, boost::system::error_code& error) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control;
  iovec piece{into.data(), into.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = with_stamps_ ? control.data() : nullptr;
  message.msg_controllen = with_stamps_ ? control.size() : 0;
  const ssize_t size = recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT);
  if (size < 0) {
    error = {errno, boost::system::system_category()};
    return 0;
  }
  if (size == 0) {
    error = boost::asio::error::eof;
    return 0;
  }
  arrived_ns_ = 0;
  for (const cmsghdr* note = CMSG_FIRSTHDR(&message); note != nullptr;
       note = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(note))) {
    if (note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec stamp{};
    std::memcpy(&stamp, CMSG_DATA(note), sizeof stamp);
    arrived_ns_ = to_monotonic(stamp);
  }
  return static_cast<std::size_t>(size);
}

}  // namespace ebbtide
