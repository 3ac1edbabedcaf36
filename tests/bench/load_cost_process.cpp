#include "tests/bench/load_cost_process.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <fstream>
#include <functional>
#include <optional>

#include "driver/broadcast.h"
#include "driver/cohort.h"
#include "driver/fd_limit.h"
#include "driver/resolve.h"
#include "tests/bench/native_server.h"
#include "tests/bench/raw_epoll_client.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t window = 10;  // opening at once, the driver's default
constexpr std::uint64_t first_trigger = 1;

double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Measures one client's opening, idling and closing, and prints the three figures.
class Meter {
 public:
  explicit Meter(std::uint32_t count) : count_(count) {}

  void opened() {
    open_s_ = cpu_s() - begin_s_;
    held_bytes_ = resident_bytes() - begin_bytes_;
    begin_s_ = cpu_s();
  }

  void closed() const {
    const double close_s = cpu_s() - begin_s_;
    fmt::print("{} {} {}\n", open_s_ * 1e6 / count_, held_bytes_ / count_, close_s * 1e6 / count_);
  }

 private:
  std::uint32_t count_;
  double begin_bytes_ = resident_bytes();
  double begin_s_ = cpu_s();
  double open_s_ = 0;
  double held_bytes_ = 0;
};

Result<void> run_raw(std::uint16_t port, std::uint32_t count) {
  RawEpollClient client(port);
  Meter meter(count);
  if (auto opened = client.open(count, window); !opened) return opened;
  meter.opened();
  if (auto closed = client.close(); !closed) return closed;
  meter.closed();
  return {};
}

Result<std::vector<asio::ip::tcp::endpoint>> prepare(ConnectionPlan& plan, std::uint16_t port,
                                                     std::uint32_t count) {
  if (auto room = raise_fd_limit(count); !room) return room.error();
  plan.url = parse_url(fmt::format("ws://127.0.0.1:{}/ws", port)).value();
  return resolve(plan.url, false);
}

void run(asio::io_context& context, asio::awaitable<void> task) {
  std::exception_ptr thrown;
  asio::co_spawn(context, std::move(task),
                 [&](const std::exception_ptr& failure) { thrown = failure; });
  context.run();
  if (thrown) std::rethrow_exception(thrown);
}

Result<void> check(const Cohort& cohort) {
  for (const Connection& outcome : cohort.outcomes()) {
    if (outcome.established_ns == 0 || !outcome.server_closed)
      return Error{"hold", fmt::format("connection {}", outcome.id), outcome.error, ""};
  }
  return {};
}

Result<void> run_driver(std::uint16_t port, std::uint32_t count) {
  ConnectionPlan plan;
  const auto endpoints = prepare(plan, port, count);
  if (!endpoints) return endpoints.error();
  asio::io_context context(1);
  Cohort cohort(context.get_executor(), plan, *endpoints, 1, 1);
  Meter meter(count);
  const auto round = [&]() -> asio::awaitable<void> {
    co_await cohort.open(count, window);
    meter.opened();
    co_await cohort.close();
  };
  run(context, round());
  meter.closed();
  return check(cohort);
}

Result<void> run_broadcast(std::uint16_t port, std::uint32_t clients, std::uint64_t triggers) {
  ConnectionPlan plan;
  const auto endpoints = prepare(plan, port, clients + 1);
  if (!endpoints) return endpoints.error();
  TriggerPlan trigger;
  trigger.url = plan.url;
  trigger.body = R"({"type":"comment","token":"{token}"})";
  trigger.count = triggers;
  trigger.duration = std::chrono::milliseconds(0);
  asio::io_context context(1);
  Broadcast broadcast(context.get_executor(), trigger, *endpoints, 1, first_trigger, "bench");
  Cohort cohort(context.get_executor(), plan, *endpoints, 1, 1, &broadcast);
  double spent_s = 0;
  const auto round = [&]() -> asio::awaitable<void> {
    co_await cohort.open(clients, window);
    const double begin_s = cpu_s();
    co_await broadcast.run();
    spent_s = cpu_s() - begin_s;
    co_await cohort.close();
  };
  run(context, round());
  const std::uint64_t delivered = broadcast.status().delivered;
  if (delivered != clients * triggers)
    return Error{"broadcast to", fmt::format("{} clients", clients),
                 fmt::format("{} of {} messages came", delivered, clients * triggers), ""};
  fmt::print("{}\n", static_cast<double>(delivered) / spent_s);
  return check(cohort);
}

}  // namespace

int run_load_process(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t index) {
    return static_cast<std::uint32_t>(std::stoul(arguments.at(index)));
  };
  const std::string& role = arguments.at(0);
  if (role == "native-server") return serve_natively();
  const auto port = static_cast<std::uint16_t>(number(1));
  const Result<void> done = role == "raw"       ? run_raw(port, number(2))
                            : role == "ebbtide" ? run_driver(port, number(2))
                                                : run_broadcast(port, number(2), number(3));
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().message());
  return 1;
}

}  // namespace ebbtide
