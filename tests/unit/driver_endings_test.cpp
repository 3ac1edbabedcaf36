// How connections end, as the server sees it (driver_servers.js), and unread ones.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <string>

#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using namespace std::chrono_literals;

struct Ended {
  Connection client;
  std::string seen;  // why the question for it failed; "" when the server saw what was expected
};

class Ending : public testing::Test {
 protected:
  // Ends one WebSocket of a witness in `mode`; the witness must then have seen `expected`.
  Ended end_in(CloseMode mode, const std::string& expected) {
    const NodeServer server("witness");
    ConnectionPlan plan;
    plan.steps = {send("subscribe"), expect("ready")};
    plan.close_mode = mode;
    Ended ended;
    ended.client = one(fmt::format("ws://127.0.0.1:{}/ws", server.port()), plan);
    EXPECT_EQ(ended.client.close_mode, mode);
    ConnectionPlan question;
    question.steps = {expect(fmt::format("seen: {}.", expected))};
    ended.seen = one(fmt::format("http://127.0.0.1:{}/seen", server.port()), question).error;
    return ended;
  }

  Connection one(const std::string& url, const ConnectionPlan& plan) {
    return drive(io_, url, plan).front();
  }

  asio::io_context io_{1};
};

TEST_F(Ending, CleanIsACloseFrameAndTheServersFin) {
  const auto [client, seen] = end_in(CloseMode::clean, "message, FIN, close 1000");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(client.error, "");
  EXPECT_TRUE(client.server_closed);
}

TEST_F(Ending, FinComesWithoutACloseFrame) {
  const auto [client, seen] = end_in(CloseMode::fin, "message, FIN, close 1006");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(client.error, "");
  EXPECT_TRUE(client.server_closed);
}

TEST_F(Ending, RstIsAReset) {
  const auto [client, seen] = end_in(CloseMode::rst, "message, ECONNRESET, close 1006");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(client.error, "");
  EXPECT_FALSE(client.server_closed || client.close_timed_out);
}

TEST_F(Ending, TerminateIsACloseFrameAndAReset) {
  const auto [client, seen] = end_in(CloseMode::terminate, "message, ECONNRESET, close 1000");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(client.error, "");
  EXPECT_FALSE(client.server_closed || client.close_timed_out);
}

TEST_F(Ending, EarlyIsAResetAfterTheFirstMessage) {
  const auto [client, seen] = end_in(CloseMode::early, "message, ECONNRESET, close 1006");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(client.error, "");
  EXPECT_EQ(client.messages_sent, 1u);
  EXPECT_EQ(client.established_ns, 0u);
}

TEST_F(Ending, AbortHandshakeStopsWithinTheRequest) {
  const auto [client, seen] = end_in(CloseMode::abort_handshake, "HPE_INVALID_EOF_STATE, FIN");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(client.error, "");
  EXPECT_TRUE(client.server_closed);
  EXPECT_EQ(client.upgraded_ns + client.established_ns, 0u);
}

TEST_F(Ending, WrongPathIsAsPlannedWhateverTheServerAnswers) {
  const Connection refused = end_in(CloseMode::wrong_path, "FIN").client;
  EXPECT_EQ(refused.error, "");
  EXPECT_EQ(refused.http_status, 400);
  EXPECT_TRUE(refused.server_closed);
  EXPECT_EQ(refused.established_ns, 0u);

  const NodeServer forgetful("forgets_upgrades");
  ConnectionPlan plan;
  plan.close_mode = CloseMode::wrong_path;
  plan.timeout = 50ms;
  const Connection kept = one(fmt::format("ws://127.0.0.1:{}/ws", forgetful.port()), plan);
  EXPECT_EQ(kept.error, "");
  EXPECT_EQ(kept.http_status, 0);
  EXPECT_TRUE(kept.close_timed_out);
}

TEST_F(Ending, HalfOpenStaysUntilTheServerLetsGo) {
  const NodeServer server("heartbeat");
  ConnectionPlan plan;
  plan.steps = {expect("ready")};
  plan.close_mode = CloseMode::half_open;
  plan.half_open_limit = 20s;
  const auto outcomes = drive(io_, fmt::format("ws://127.0.0.1:{}/ws", server.port()), plan,
                              {.count = 20, .window = 20});
  EXPECT_THAT(outcomes, Each(Field(&Connection::error, "")));
  EXPECT_THAT(outcomes, Each(Field(&Connection::server_closed, true)));
  EXPECT_THAT(outcomes, Each(Field(&Connection::close_timed_out, false)));
}

TEST_F(Ending, HalfOpenEndsAtItsLimitWhereTheServerHasNoHeartbeat) {
  const NodeServer server("silent_after_upgrade");
  ConnectionPlan plan;
  plan.close_mode = CloseMode::half_open;
  plan.half_open_limit = 100ms;
  const Connection kept = one(fmt::format("ws://127.0.0.1:{}/ws", server.port()), plan);
  EXPECT_EQ(kept.error, "");
  EXPECT_TRUE(kept.close_timed_out);
  EXPECT_FALSE(kept.server_closed);
  EXPECT_GE(kept.closed_ns - kept.established_ns, 100'000'000u);
}

TEST_F(Ending, HalfOpenTcpSeesTheServersFinBehindUnreadBytes) {
  ScriptedServer server(io_, [](asio::ip::tcp::socket socket) -> asio::awaitable<void> {
    const std::string unread(10'000, 'x');
    co_await asio::async_write(socket, asio::buffer(unread), asio::use_awaitable);
    socket.shutdown(asio::socket_base::shutdown_send);
  });
  ConnectionPlan plan;
  plan.slow = 0;
  plan.close_mode = CloseMode::half_open;
  plan.half_open_limit = 20s;
  const Connection one_end = one(fmt::format("tcp://127.0.0.1:{}", server.port()), plan);
  EXPECT_TRUE(one_end.server_closed);
  EXPECT_FALSE(one_end.close_timed_out);
}

TEST_F(Ending, ASlowConnectionNoticesThatTheServerLeft) {
  const NodeServer server("heartbeat");
  ConnectionPlan plan;
  plan.steps = {expect("ready")};
  plan.slow = 1;
  const auto outcomes = drive(io_, fmt::format("ws://127.0.0.1:{}/ws", server.port()), plan,
                              {.count = 1, .held = until_none_is_up});
  EXPECT_EQ(outcomes[0].failed_at, Stage::hold);
  EXPECT_THAT(outcomes[0].error, HasSubstr("server closed the connection"));
}

TEST_F(Ending, FinAndRstWorkForTcpAndHttp) {
  const NodeServer web("web");
  for (const CloseMode mode : {CloseMode::fin, CloseMode::rst, CloseMode::terminate}) {
    ConnectionPlan plan;
    plan.close_mode = mode;
    const Connection http = one(fmt::format("http://127.0.0.1:{}/", web.port()), plan);
    EXPECT_EQ(http.error, "");
    EXPECT_EQ(http.server_closed, mode == CloseMode::fin);
    EXPECT_EQ(http.http_status, 200);
  }
  int reset = 0;
  ScriptedServer tcp(io_, [&](asio::ip::tcp::socket socket) -> asio::awaitable<void> {
    char byte = 0;
    const auto [error, size] = co_await socket.async_read_some(asio::buffer(&byte, 1),
                                                               asio::as_tuple(asio::use_awaitable));
    reset = error.value();
  });
  ConnectionPlan plan;
  plan.close_mode = CloseMode::rst;
  one(fmt::format("tcp://127.0.0.1:{}", tcp.port()), plan);
  while (reset == 0 && io_.run_one() > 0) {
  }
  EXPECT_EQ(reset, ECONNRESET);
}

}  // namespace
}  // namespace ebbtide
