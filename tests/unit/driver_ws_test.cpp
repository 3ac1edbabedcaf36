// WebSocket connections against real Node servers (driver_servers.js).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

using testing::AllOf;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;
using namespace std::chrono_literals;

class WebSocket : public testing::Test {
 protected:
  Connection drive_one(const NodeServer& server, ConnectionPlan plan, Load load = {},
                       const std::string& host = "127.0.0.1") {
    const auto outcomes =
        drive(io_, fmt::format("ws://{}:{}/ws", host, server.port()), std::move(plan), load);
    EXPECT_THAT(outcomes, SizeIs(1));
    return outcomes.front();
  }

  boost::asio::io_context io_{1};
};

TEST_F(WebSocket, SubscribesInSeveralStepsAndClosesByHandshake) {
  const NodeServer server("subscribe");
  ConnectionPlan plan;
  plan.steps = {send(R"({"type":"connection_init"})"), expect("connection_ack"),
                send(R"({"type":"subscribe","id":{id}})"), expect(R"("subscribed","id":{id}})")};
  const auto outcomes = drive(io_, fmt::format("ws://127.0.0.1:{}/ws", server.port()), plan,
                              {.count = 50, .window = 5});

  ASSERT_THAT(outcomes, SizeIs(50));
  std::set<std::uint16_t> ports;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Connection& one = outcomes[i];
    SCOPED_TRACE(one.error);
    EXPECT_EQ(one.id, i + 1);
    EXPECT_EQ(one.cycle, 3u);
    EXPECT_EQ(one.failed_at, Stage::none);
    EXPECT_EQ(one.http_status, 101);
    EXPECT_EQ(one.messages_received, 3u);  // ack, noise, answer
    EXPECT_TRUE(one.server_closed);
    EXPECT_FALSE(one.close_timed_out);
    EXPECT_LT(0u, one.start_ns);
    EXPECT_LT(one.start_ns, one.connected_ns);
    EXPECT_LT(one.connected_ns, one.upgraded_ns);
    EXPECT_LT(one.upgraded_ns, one.answered_ns);
    EXPECT_LT(one.answered_ns, one.established_ns);
    EXPECT_LT(one.established_ns, one.closed_ns);
    ports.insert(one.local_port);
  }
  EXPECT_THAT(ports, SizeIs(50));
}

TEST_F(WebSocket, SendsHeadersSubprotocolHostAndTarget) {
  const NodeServer server("mirror");
  ConnectionPlan plan;
  plan.headers = {{"X-Token", "secret"}, {"Host", "example.org"}};
  plan.subprotocol = "graphql-ws";
  plan.steps = {expect("secret graphql-ws example.org /ws 127.0.0.1")};
  EXPECT_EQ(drive_one(server, plan).error, "");
}

TEST_F(WebSocket, NumbersTheConnectionInPathAndHeaders) {
  const NodeServer server("mirror");
  ConnectionPlan plan;
  plan.headers = {{"X-Token", "t{id}"}};
  plan.steps = {expect(fmt::format("t{{id}}  127.0.0.1:{} /ws?n={{id}} ", server.port()))};
  const auto outcomes = drive(io_, fmt::format("ws://127.0.0.1:{}/ws?n={{id}}", server.port()),
                              plan, {.count = 3, .window = 3});
  EXPECT_THAT(outcomes, SizeIs(3));
  for (const Connection& one : outcomes) EXPECT_EQ(one.error, "");
}

TEST_F(WebSocket, SpeaksIpv6) {
  const NodeServer server("mirror", "::1");
  ConnectionPlan plan;
  plan.steps = {expect(fmt::format("[::1]:{} /ws ::1", server.port()))};
  EXPECT_EQ(drive_one(server, plan, {}, "[::1]").error, "");
}

TEST_F(WebSocket, TriesTheNextAddressOfAName) {
  const NodeServer server("mirror");  // not on [::1], which "localhost" may stand for as well
  EXPECT_EQ(drive_one(server, {}, {}, "localhost").error, "");
}

TEST_F(WebSocket, TakesMessagesThatComeWithTheUpgrade) {
  const NodeServer server("greeting_with_upgrade");
  ConnectionPlan plan;
  plan.steps = {expect("hello"), expect("again")};
  plan.close_timeout = 50ms;
  EXPECT_EQ(drive_one(server, plan).error, "");
}

TEST_F(WebSocket, NamesTheStatusOfARefusedUpgrade) {
  const Connection unauthorized = drive_one(NodeServer("unauthorized"), {});
  EXPECT_EQ(unauthorized.failed_at, Stage::upgrade);
  EXPECT_EQ(unauthorized.http_status, 401);
  EXPECT_EQ(unauthorized.error, "upgrade refused with HTTP 401");
  EXPECT_EQ(unauthorized.upgraded_ns, 0u);
  EXPECT_EQ(unauthorized.established_ns, 0u);

  const NodeServer server("silent_after_upgrade");
  const auto wrong_path = drive(io_, fmt::format("ws://127.0.0.1:{}/wrong", server.port()), {});
  EXPECT_EQ(wrong_path.front().http_status, 400);  // what `ws` says to a path that is not its own
  EXPECT_EQ(wrong_path.front().error, "upgrade refused with HTTP 400");
}

TEST_F(WebSocket, GivesUpOnAnUpgradeThatIsNeverAnswered) {
  ConnectionPlan plan;
  plan.timeout = 100ms;
  const Connection one = drive_one(NodeServer("never_answers_upgrade"), plan);
  EXPECT_EQ(one.failed_at, Stage::upgrade);
  EXPECT_EQ(one.error, "no answer to the upgrade in 100 ms");
  EXPECT_EQ(one.error_code, ETIMEDOUT);
  EXPECT_EQ(one.http_status, 0);
  EXPECT_NE(one.connected_ns, 0u);
}

TEST_F(WebSocket, IsNotEstablishedWithoutTheExpectedAnswer) {
  ConnectionPlan plan;
  plan.steps = {send("subscribe"), expect("subscribed")};
  plan.timeout = 100ms;
  const Connection one = drive_one(NodeServer("silent_after_upgrade"), plan);
  EXPECT_EQ(one.failed_at, Stage::exchange);
  EXPECT_EQ(one.error, "no answer to expect \"subscribed\" in 100 ms");
  EXPECT_NE(one.upgraded_ns, 0u);
  EXPECT_EQ(one.established_ns, 0u);
}

TEST_F(WebSocket, RecordsAServerThatClosesEarly) {
  ConnectionPlan plan;
  plan.steps = {send("subscribe"), expect("subscribed")};
  const Connection one = drive_one(NodeServer("closes_early"), plan, {.held = until_none_is_up});
  EXPECT_NE(one.established_ns, 0u);
  EXPECT_TRUE(one.server_closed);
  EXPECT_EQ(one.failed_at, Stage::hold);
  EXPECT_EQ(one.error, "server closed the connection (close code 4001)");
}

TEST_F(WebSocket, AnswersPingsAndCountsWhileHeld) {
  ConnectionPlan plan;
  plan.steps = {expect("go")};
  const Connection one = drive_one(NodeServer("pings"), plan, {.held = until_none_is_up});
  EXPECT_EQ(one.error, "server closed the connection (close code 4002)");  // the pong was right
  EXPECT_EQ(one.messages_received, 4u);
  EXPECT_EQ(one.bytes_received, 2u + 3u + 3u + 5000u);
}

TEST_F(WebSocket, EndsWhenTheServerDoesNotFinishTheClose) {
  ConnectionPlan plan;
  plan.steps = {expect("hello")};
  plan.close_timeout = 50ms;
  for (const char* behaviour : {"ignores_close", "answers_close_but_stays"}) {
    SCOPED_TRACE(behaviour);
    const Connection one = drive_one(NodeServer(behaviour), plan);
    EXPECT_TRUE(one.close_timed_out);
    EXPECT_FALSE(one.server_closed);
    EXPECT_EQ(one.failed_at, Stage::none);
  }
}

TEST_F(WebSocket, CallsAGarbageFrameAProtocolError) {
  ConnectionPlan plan;
  plan.steps = {expect("hello"), expect("never")};
  for (const char* behaviour : {"garbage", "garbage_and_stays"}) {
    const Connection one = drive_one(NodeServer(behaviour), plan);
    EXPECT_EQ(one.failed_at, Stage::exchange);
    EXPECT_EQ(one.error, "protocol error: The WebSocket frame contained an illegal opcode");
  }
  plan.steps = {expect("hello")};
  const Connection held =
      drive_one(NodeServer("garbage_and_stays"), plan, {.held = until_none_is_up});
  EXPECT_EQ(held.failed_at, Stage::hold);
  EXPECT_THAT(held.error, HasSubstr("illegal opcode"));
}

TEST_F(WebSocket, RefusesAMessageThatWouldGrowTheTool) {
  ConnectionPlan plan;
  plan.steps = {expect("hello"), expect("never")};
  const Connection one = drive_one(NodeServer("huge_message"), plan);
  EXPECT_EQ(one.failed_at, Stage::exchange);
  EXPECT_THAT(one.error, HasSubstr("protocol error: The WebSocket message exceeded"));
}

}  // namespace
}  // namespace ebbtide
