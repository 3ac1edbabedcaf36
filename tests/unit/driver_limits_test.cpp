// Schedules and windows of opening, source addresses, and the limits of this machine.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <utility>
#include <vector>

#include "driver/connection.h"
#include "driver/limits.h"
#include "driver/resolve.h"
#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::AllOf;
using testing::HasSubstr;

// Answers nobody before `together` clients wait, and then reads until they leave.
class Gate {
 public:
  Gate(asio::io_context& io, std::size_t together)
      : server_(io, [this, &io, together](tcp::socket socket) -> asio::awaitable<void> {
          waiting_.push_back(std::move(socket));
          if (waiting_.size() < together) co_return;
          for (tcp::socket& one : std::exchange(waiting_, {})) {
            asio::co_spawn(io, serve(std::move(one)),
                           [](const std::exception_ptr& fault) { ASSERT_FALSE(fault); });
          }
        }) {}

  [[nodiscard]] std::string url() const {
    return fmt::format("tcp://127.0.0.1:{}", server_.port());
  }

 private:
  static asio::awaitable<void> serve(tcp::socket socket) {
    const auto as_value = asio::as_tuple(asio::use_awaitable);
    std::array<char, 16> discarded;
    co_await asio::async_write(socket, asio::buffer("ready", 5), as_value);
    co_await socket.async_read_some(asio::buffer(discarded), as_value);
  }

  std::vector<tcp::socket> waiting_;
  ScriptedServer server_;
};

ConnectionPlan expecting_ready() {
  ConnectionPlan plan;
  plan.steps = {expect("ready")};
  return plan;
}

TEST(Schedule, IsKeptWhateverTheServerDoes) {
  asio::io_context io(1);
  Gate gate(io, 2);  // of four clients, the third waits for the first two
  const auto outcomes =
      drive(io, gate.url(), expecting_ready(), {.count = 4, .window = 2, .rate = 400});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(outcomes[i].error, "");
    EXPECT_EQ(outcomes[i].scheduled_ns, outcomes[0].scheduled_ns + i * 2'500'000);
    EXPECT_GE(outcomes[i].start_ns, outcomes[i].scheduled_ns);
  }
  EXPECT_GE(outcomes[2].start_ns, outcomes[0].established_ns);
}

TEST(Schedule, ThereIsNoneWithoutARate) {
  asio::io_context io(1);
  Gate gate(io, 1);
  EXPECT_EQ(drive(io, gate.url(), expecting_ready())[0].scheduled_ns, 0u);
}

TEST(Window, NoneOpensAllAtOnce) {
  asio::io_context io(1);
  Gate gate(io, 300);
  const auto outcomes = drive(io, gate.url(), expecting_ready(), {.count = 300, .window = 0});
  EXPECT_TRUE(
      std::ranges::all_of(outcomes, [](const Connection& one) { return one.error.empty(); }));
}

std::string source_of(const char* server, std::uint32_t index) {
  return source_address({asio::ip::make_address(server), 80}, index).to_string();
}

TEST(SourceAddress, IsANewOneEvery8000OnLoopback) {
  EXPECT_EQ(source_of("127.0.0.1", 0), "0.0.0.0");
  EXPECT_EQ(source_of("127.0.0.1", 7999), "0.0.0.0");
  EXPECT_EQ(source_of("127.0.0.1", 8000), "127.0.0.2");
  EXPECT_EQ(source_of("127.0.0.1", 15'999), "127.0.0.2");
  EXPECT_EQ(source_of("127.0.0.1", 49'999), "127.0.0.7");
  EXPECT_EQ(source_of("192.0.2.1", 8000), "0.0.0.0");
  EXPECT_EQ(source_of("::1", 8000), "0.0.0.0");
}

TEST(SourceAddress, IsWhereTheServerSeesTheConnectionComeFrom) {
  const NodeServer server("mirror");
  asio::io_context io(1);
  CohortContext cohort;
  cohort.plan.url = *parse_url(fmt::format("ws://127.0.0.1:{}/ws", server.port()));
  cohort.plan.steps = {expect("/ws 127.0.0.3")};
  cohort.endpoints = *resolve(cohort.plan.url, false);
  ConnectionHandle handle(io.get_executor());
  Connection outcome;
  outcome.id = 16'000;
  asio::co_spawn(io, run_connection(cohort, handle, outcome, [&] { handle.leave(); }),
                 [](const std::exception_ptr& fault) { ASSERT_FALSE(fault); });
  io.run();
  EXPECT_EQ(outcome.error, "");
  EXPECT_NE(outcome.established_ns, 0u);
}

TEST(Limits, NameTheLocalPortsAndHowToGetMore) {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last;
  const std::uint32_t ports = last - first + 1;
  const auto beyond = check_limits(ports + 1, {asio::ip::make_address("::1"), 80});
  ASSERT_FALSE(beyond.has_value());
  EXPECT_THAT(beyond.error().message(),
              AllOf(HasSubstr(fmt::format("{} connections at once", ports + 1)),
                    HasSubstr(fmt::format("{} local ports", ports))));
  EXPECT_THAT(beyond.error().remedy, HasSubstr("net.ipv4.ip_local_port_range"));

  const auto few = check_limits(10, {asio::ip::make_address("::1"), 80});
  ASSERT_TRUE(few.has_value());
  EXPECT_GE(*few, 10u);
  EXPECT_LE(*few, ports);
}

TEST(Limits, NameTheOpenFiles) {
  // More than most hard limits of open files, and fewer than loopback has ports for.
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max > 1'900'000) GTEST_SKIP() << "this process may open any number of files";
  const auto beyond = check_limits(1'900'000, {asio::ip::make_address("127.0.0.1"), 80});
  ASSERT_FALSE(beyond.has_value());
  EXPECT_THAT(beyond.error().message(), HasSubstr("files at most"));
  EXPECT_THAT(beyond.error().remedy, HasSubstr("--nofile="));
}

}  // namespace
}  // namespace ebbtide
