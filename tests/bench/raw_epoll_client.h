// Answers: what must a client of so many WebSocket connections cost at least? Only the system calls
// that a connection cannot do without, and a byte of memory for each.
#pragma once

#include <cstdint>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

class RawEpollClient {
 public:
  explicit RawEpollClient(std::uint16_t port);  // of 127.0.0.1
  ~RawEpollClient();
  RawEpollClient(const RawEpollClient&) = delete;
  RawEpollClient& operator=(const RawEpollClient&) = delete;

  // Returns when `count` connections are upgraded; at most `window` are opening at once.
  Result<void> open(std::uint32_t count, std::uint32_t window);

  // A close frame on each; returns when the server has ended them all.
  Result<void> close();

 private:
  enum class State : std::uint8_t { none, connecting, upgrading, up };

  Result<void> start_one();
  Result<void> take_events();
  Result<void> advance(int fd);
  Result<void> take_answer(int fd);

  std::uint16_t port_;
  int epoll_;
  std::uint32_t opening_ = 0;
  std::uint32_t up_ = 0;
  std::vector<State> states_;  // by fd
};

}  // namespace ebbtide
