// What an observer of a cohort is told, and by which clock (driver_servers.js).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "driver/driver_load.h"
#include "recording/clock.h"
#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::Gt;
using namespace std::chrono_literals;

struct Told {
  std::string text;
  Receipt receipt;
};

class Notes : public ConnectionObserver {
 public:
  void on_established(std::uint64_t id, bool slow) override {
    EXPECT_TRUE(calls[id].empty());
    calls[id] = slow ? "slow " : "up ";
  }
  void on_message(std::uint64_t id, std::string_view payload, Receipt receipt) override {
    calls[id] += fmt::format("{} ", payload.substr(0, 8));
    messages.push_back({std::string(payload), receipt});
  }
  void on_left(std::uint64_t id) override { calls[id] += "left"; }

  std::map<std::uint64_t, std::string> calls;
  std::vector<Told> messages;
};

// Returns when `count` messages have come.
Load until_told(const Notes& notes, std::size_t count) {
  return {.held = [&notes, count](Cohort&) -> asio::awaitable<void> {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (notes.messages.size() < count) {
      pause.expires_after(1ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }};
}

class Observer : public testing::Test {
 protected:
  std::vector<Connection> watch(const NodeServer& server, ConnectionPlan plan, Load load) {
    load.observer = &notes_;
    return drive(io_, fmt::format("ws://127.0.0.1:{}/ws", server.port()), std::move(plan), load);
  }

  asio::io_context io_{1};
  Notes notes_;
};

TEST_F(Observer, IsToldWholeMessagesInOrderBetweenComingAndGoing) {
  const NodeServer server("stories");
  ConnectionPlan plan;
  plan.steps = {expect("begin")};
  Load load = until_told(notes_, 2 * 3);
  load.count = 2;
  const auto outcomes = watch(server, plan, load);
  EXPECT_THAT(notes_.calls, ElementsAre(std::pair(1, "up one xxxxxxxx three left"),
                                        std::pair(2, "up one xxxxxxxx three left")));
  for (const Told& told : notes_.messages) {
    const bool is_short = told.text.size() <= 8;
    EXPECT_TRUE(is_short || told.text == std::string(300'000, 'x'));
  }
  for (const Connection& one : outcomes) {
    EXPECT_EQ(one.error, "");
    EXPECT_TRUE(one.server_closed);
    EXPECT_EQ(one.messages_received, 4u);
    EXPECT_EQ(one.bytes_received, 5u + 3u + 300'000u + 5u);
  }
}

// The server writes each message's time by the same clock; the driver is kept from reading for a
// while, which the kernel's stamp must not show.
TEST_F(Observer, TellsArrivalByTheKernelAndNotByItsOwnLag) {
  const NodeServer server("clock");
  ConnectionPlan plan;
  plan.steps = {send("now"), expect("begin")};
  constexpr std::uint64_t lag_ns = 50'000'000;
  Load load = until_told(notes_, 1);
  load.held = [&, wait = load.held](Cohort& cohort) -> asio::awaitable<void> {
    const std::uint64_t from = monotonic_ns();
    while (monotonic_ns() < from + lag_ns) {
    }
    co_await wait(cohort);
  };
  watch(server, plan, load);
  ASSERT_EQ(notes_.messages.size(), 1u);
  const std::uint64_t sent_ns = std::strtoull(notes_.messages[0].text.c_str(), nullptr, 10);
  const Receipt receipt = notes_.messages[0].receipt;
  ASSERT_NE(receipt.arrived_ns, 0u);
  EXPECT_GE(receipt.arrived_ns + 1000, sent_ns);
  EXPECT_GT(receipt.read_ns, receipt.arrived_ns);
  // The message was sent 10 ms after the lag had begun.
  EXPECT_GT(receipt.read_ns - receipt.arrived_ns, lag_ns / 5);
}

TEST_F(Observer, IsToldThatSlowConnectionsAreSlowAndNothingMore) {
  const NodeServer server("stories");
  ConnectionPlan plan;
  plan.steps = {expect("begin")};
  plan.slow = 2;
  plan.close_timeout = 500ms;
  Load load = until_told(notes_, 3);
  load.count = 3;
  const auto outcomes = watch(server, plan, load);
  EXPECT_THAT(notes_.calls, ElementsAre(std::pair(1, "slow left"), std::pair(2, "slow left"),
                                        std::pair(3, "up one xxxxxxxx three left")));
  EXPECT_TRUE(outcomes[0].slow && outcomes[1].slow && !outcomes[2].slow);
  EXPECT_TRUE(outcomes[0].server_closed);  // it reads what is left when it says goodbye
}

// What a read for the answer took with it belongs to the connection all the same.
TEST_F(Observer, LosesNoBytesThatComeWithAnAnswerOfHttp) {
  const NodeServer server("talks_on");
  for (ConnectionObserver* const with :
       {static_cast<ConnectionObserver*>(nullptr), static_cast<ConnectionObserver*>(&notes_)}) {
    const auto outcomes =
        drive(io_, fmt::format("http://127.0.0.1:{}/", server.port()), {}, {.observer = with});
    EXPECT_EQ(outcomes.front().error, "");
    EXPECT_EQ(outcomes.front().bytes_received, 2u + 100'000u);
  }
}

TEST(DriverLoad, CountsTrafficAndTheCpuTimeOfItsThread) {
  const NodeServer server("subscribe");
  asio::io_context io(1);
  ConnectionPlan plan;
  plan.steps = {send(R"({"type":"connection_init"})"), expect("connection_ack")};
  Traffic traffic;
  const DriverMoment before = driver_moment({});
  const auto outcomes = drive(io, fmt::format("ws://127.0.0.1:{}/ws", server.port()), plan,
                              {.count = 20, .held = [&](Cohort& cohort) -> asio::awaitable<void> {
                                 traffic = cohort.status().traffic;
                                 co_return;
                               }});
  const DriverLoad load = driver_load(4, Phase::open, before, driver_moment(traffic));
  EXPECT_EQ(load.cycle, 4u);
  EXPECT_EQ(load.messages_sent, 20u);
  EXPECT_EQ(traffic.bytes_sent, 20 * plan.steps[0].text.size());
  EXPECT_EQ(load.messages_received, 20u);
  EXPECT_EQ(load.bytes_received, 20 * std::string(R"({"type":"connection_ack"})").size());
  EXPECT_EQ(outcomes.front().messages_sent, 1u);
  EXPECT_THAT(load.cpu_ns, Gt(0u));
  EXPECT_GE(load.span_ns, load.cpu_ns);
}

}  // namespace
}  // namespace ebbtide
