// Servers that refuse, lie, flood or stay silent (driver_servers.js): each failure has its words,
// and none makes the tool grow.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <string>

#include "driver/session.h"
#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

class Ignores : public ConnectionObserver {
 public:
  void on_established(std::uint64_t, bool) override {}
  void on_message(std::uint64_t, std::string_view, Receipt) override { ++messages; }
  void on_left(std::uint64_t) override {}
  int messages = 0;
};

long peak_rss_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

class Hostile : public testing::Test {
 protected:
  std::vector<Connection> meet(const std::string& behaviour, const ConnectionPlan& plan, Load load,
                               const std::string& target = "/ws") {
    const NodeServer server(behaviour);
    return drive(io_, fmt::format("ws://127.0.0.1:{}{}", server.port(), target), plan, load);
  }

  boost::asio::io_context io_{1};
};

TEST_F(Hostile, HalfOfTheUpgradesRefused) {
  const auto outcomes = meet("refuses_half", {}, {.count = 10, .window = 1});
  for (const Connection& one : outcomes) {
    const bool refused = one.id % 2 == 0;
    EXPECT_EQ(one.error, refused ? "upgrade refused with HTTP 503" : "");
    EXPECT_EQ(one.http_status, refused ? 503 : 101);
  }
}

TEST_F(Hostile, HalfOfTheClientsClosedAtOnce) {
  ConnectionPlan plan;
  plan.steps = {expect("welcome")};
  const auto outcomes = meet("closes_half", plan, {.count = 10, .window = 1});
  for (const Connection& one : outcomes) {
    const bool closed = one.id % 2 == 0;
    EXPECT_EQ(one.error, closed ? "server closed the connection (close code 1013)" : "");
    EXPECT_EQ(one.failed_at, closed ? Stage::exchange : Stage::none);
  }
}

TEST_F(Hostile, AMessageOf100MbFailsAndIsNotKept) {
  const long before = peak_rss_kb();
  Ignores observer;
  for (ConnectionObserver* const with :
       {static_cast<ConnectionObserver*>(nullptr), static_cast<ConnectionObserver*>(&observer)}) {
    const Connection one =
        meet("large_message", {}, {.observer = with, .held = until_none_is_up}).front();
    EXPECT_EQ(one.failed_at, Stage::hold);
    EXPECT_THAT(
        one.error,
        StartsWith("protocol error: The WebSocket message exceeded the locally configured"));
  }
  ConnectionPlan plan;
  plan.steps = {expect("never")};
  EXPECT_EQ(meet("large_message", plan, {}).front().failed_at, Stage::exchange);
  EXPECT_EQ(observer.messages, 0);
  EXPECT_LT(peak_rss_kb() - before, 20'000);
}

TEST_F(Hostile, AMessageThatNeverEndsFailsAtTheLimit) {
  const long before = peak_rss_kb();
  Ignores observer;
  const Connection one =
      meet("endless_fragments", {}, {.observer = &observer, .held = until_none_is_up}).front();
  EXPECT_THAT(one.error, HasSubstr("message exceeded"));
  EXPECT_EQ(observer.messages, 0);
  EXPECT_LT(peak_rss_kb() - before, 3 * static_cast<long>(max_message_bytes / 1024));
}

TEST_F(Hostile, DeflateIsOfferedWhenPlannedOnly) {
  ConnectionPlan plan;
  plan.steps = {expect("offer none")};
  EXPECT_EQ(meet("deflated_message", plan, {}).front().error, "");
  plan.deflate = true;
  const std::string text(5000, 'y');
  plan.steps = {expect("offer permessage-deflate"), send(text), expect(text)};
  const Connection one = meet("deflated_message", plan, {}).front();
  EXPECT_EQ(one.error, "");
  EXPECT_GE(one.bytes_received, text.size());
}

TEST_F(Hostile, ADeflatedMessageIsLimitedByWhatItBecomes) {
  ConnectionPlan plan;
  plan.deflate = true;
  plan.steps = {expect("offer")};
  const Connection one =
      meet("deflated_message", plan, {.held = until_none_is_up}, "/ws?bomb").front();
  EXPECT_EQ(one.failed_at, Stage::hold);
  EXPECT_THAT(one.error, HasSubstr("message exceeded"));
}

TEST_F(Hostile, GarbageInsteadOfAnAnswer) {
  const Connection one = meet("speaks_garbage", {}, {}).front();
  EXPECT_EQ(one.failed_at, Stage::upgrade);
  EXPECT_THAT(one.error, StartsWith("protocol error: "));
}

TEST_F(Hostile, TextThatIsNotUtf8AndACloseCodeThatNobodyMaySend) {
  ConnectionPlan plan;
  plan.steps = {expect("hello")};
  const Connection text = meet("latin1_text", plan, {.held = until_none_is_up}).front();
  EXPECT_EQ(text.failed_at, Stage::hold);
  EXPECT_EQ(text.error, "protocol error: The WebSocket frame payload was not valid utf8");
  EXPECT_EQ(text.messages_received, 1u);
  const Connection code = meet("closes_with_1006", plan, {.held = until_none_is_up}).front();
  EXPECT_EQ(code.error, "protocol error: The WebSocket close frame reason code was invalid");
}

TEST_F(Hostile, AnExtensionThatWasNotAskedFor) {
  const Connection one = meet("compresses_unasked", {}, {}).front();
  EXPECT_EQ(one.failed_at, Stage::upgrade);
  EXPECT_EQ(one.http_status, 101);
  EXPECT_EQ(one.error,
            "the server agreed to the extension \"permessage-deflate\", which was not asked for");
}

TEST_F(Hostile, PongsThatItDoesNotTake) {
  ConnectionPlan plan;
  plan.timeout = 300ms;
  const Connection one = meet("pings_and_reads_nothing", plan, {.held = until_none_is_up}).front();
  EXPECT_EQ(one.failed_at, Stage::hold);
  EXPECT_EQ(one.error, "the server did not take a pong in 300 ms");
  EXPECT_EQ(one.error_code, ETIMEDOUT);
  EXPECT_FALSE(one.close_timed_out);
  EXPECT_FALSE(one.server_closed);
}

TEST_F(Hostile, NothingAtAll) {
  ConnectionPlan plan;
  plan.timeout = 100ms;
  const auto outcomes = meet("says_nothing", plan, {.count = 20, .window = 20});
  for (const Connection& one : outcomes) {
    EXPECT_EQ(one.error, "no answer to the upgrade in 100 ms");
    EXPECT_NE(one.connected_ns, 0u);
  }
}

}  // namespace
}  // namespace ebbtide
