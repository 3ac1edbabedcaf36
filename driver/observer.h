// Answers: who else wants to know what comes in on connections, while it comes?
#pragma once

#include <cstdint>
#include <string_view>

namespace ebbtide {

// When a message's last bytes had come.
struct Receipt {
  std::uint64_t arrived_ns = 0;  // by the kernel's stamp, on CLOCK_MONOTONIC; 0: it gave none
  std::uint64_t read_ns = 0;     // when the driver had read them
};

// Told on the cohort's thread, by connection id. Calls for one connection come in this order.
class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;

  // `slow`: it will read nothing more.
  virtual void on_established(std::uint64_t id, bool slow) = 0;
  virtual void on_message(std::uint64_t id, std::string_view payload, Receipt receipt) = 0;
  // It is being closed or has ended.
  virtual void on_left(std::uint64_t id) = 0;
};

}  // namespace ebbtide
