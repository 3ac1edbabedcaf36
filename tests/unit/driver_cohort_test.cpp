// Cohorts of tcp and http connections: windows, aborts, closing, and the errors on the way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <fstream>
#include <utility>
#include <vector>

#include "driver/resolve.h"
#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::Each;
using testing::Field;
using testing::SizeIs;
using namespace std::chrono_literals;

std::string tcp_url(std::uint16_t port) { return fmt::format("tcp://127.0.0.1:{}", port); }

asio::awaitable<void> write(tcp::socket& socket, std::string text) {
  co_await asio::async_write(socket, asio::buffer(text), asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> wait_for_end(tcp::socket socket) {
  std::array<char, 256> discarded;
  for (;;) {
    const auto [error, size] = co_await socket.async_read_some(asio::buffer(discarded),
                                                               asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
  }
}

asio::awaitable<void> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

TEST(Tcp, FindsExpectedBytesAcrossReadsAndConsumesThem) {
  asio::io_context io(1);
  ScriptedServer server(io, [](tcp::socket socket) -> asio::awaitable<void> {
    socket.set_option(tcp::no_delay(true));
    for (const char* piece : {"xxab", "ca", "bcab", "c<", "1>"}) {
      co_await write(socket, piece);
      co_await pause(2ms);
    }
    co_await wait_for_end(std::move(socket));
  });
  ConnectionPlan plan;
  plan.timeout = 300ms;
  plan.steps = {expect("abc"), expect("abc"), expect("abc"), expect("<{id}>")};
  EXPECT_EQ(drive(io, tcp_url(server.port()), plan).front().error, "");

  plan.steps = {expect("abc"), expect("abc"), expect("abc"), expect("abc")};
  EXPECT_EQ(drive(io, tcp_url(server.port()), plan).front().error,
            "no answer to expect \"abc\" in 300 ms");
}

TEST(Tcp, NamesARefusedConnection) {
  asio::io_context io(1);
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const std::uint16_t port = acceptor.local_endpoint().port();
  acceptor.close();
  const Connection one = drive(io, tcp_url(port), {}).front();
  EXPECT_EQ(one.failed_at, Stage::connect);
  EXPECT_EQ(one.error, "connection refused");
  EXPECT_EQ(one.error_code, ECONNREFUSED);
  EXPECT_EQ(one.connected_ns, 0u);
}

TEST(Tcp, TellsAResetFromAClose) {
  asio::io_context io(1);
  ScriptedServer server(io, [](tcp::socket socket) -> asio::awaitable<void> {
    co_await write(socket, "ready");
    socket.set_option(asio::socket_base::linger(true, 0));
    socket.close();
  });
  ConnectionPlan plan;
  plan.steps = {expect("ready"), expect("never")};
  const Connection one = drive(io, tcp_url(server.port()), plan).front();
  EXPECT_EQ(one.failed_at, Stage::exchange);
  EXPECT_EQ(one.error, "server reset the connection");
  EXPECT_EQ(one.error_code, ECONNRESET);
  EXPECT_FALSE(one.server_closed);
}

TEST(Tcp, RecordsAServerThatClosesEarly) {
  asio::io_context io(1);
  ScriptedServer server(io, [](tcp::socket) -> asio::awaitable<void> { co_return; });
  const Connection one = drive(io, tcp_url(server.port()), {}, {.held = until_none_is_up}).front();
  EXPECT_TRUE(one.server_closed);
  EXPECT_EQ(one.failed_at, Stage::hold);
  EXPECT_EQ(one.error, "server closed the connection");
}

// Sockets of this machine in CLOSE_WAIT (state 08) whose local port is `port`.
int close_wait_sockets(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  const std::string local = fmt::format(":{:04X} ", port);
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    const std::size_t at = line.find(local);
    // The state stands behind the remote address; "0100007F:1F90 0100007F:A3C2 08".
    if (at < 20 && line.compare(at + local.size() + 14, 2, "08") == 0) ++count;
  }
  return count;
}

TEST(Tcp, LeavesAServerThatNeverClosesInCloseWait) {
  const NodeServer server("half_open");
  asio::io_context io(1);
  ConnectionPlan plan;
  plan.steps = {send("hello"), expect("ready")};
  plan.close_timeout = 50ms;
  const auto outcomes = drive(io, tcp_url(server.port()), plan, {.count = 5, .window = 5});
  EXPECT_THAT(outcomes, Each(Field(&Connection::close_timed_out, true)));
  EXPECT_THAT(outcomes, Each(Field(&Connection::failed_at, Stage::none)));
  EXPECT_EQ(close_wait_sockets(server.port()), 5);
}

TEST(Cohort, OpensAsManyAtOnceAsItsWindowAndNoMore) {
  constexpr std::uint32_t window = 7;
  asio::io_context io(1);
  std::vector<tcp::socket> opening;
  std::size_t most = 0;
  // Answers only when the whole window waits, and after a while in which one too many may come.
  ScriptedServer server(io, [&](tcp::socket socket) -> asio::awaitable<void> {
    opening.push_back(std::move(socket));
    if (opening.size() != window) co_return;
    co_await pause(5ms);
    most = std::max(most, opening.size());
    for (tcp::socket& waiting : std::exchange(opening, {})) {
      co_await write(waiting, "ready");
      asio::co_spawn(io, wait_for_end(std::move(waiting)),
                     [](const std::exception_ptr& exception) { ASSERT_FALSE(exception); });
    }
  });
  ConnectionPlan plan;
  plan.steps = {expect("ready")};
  CohortStatus held;
  const auto note_status = [&](Cohort& cohort) -> asio::awaitable<void> {
    held = cohort.status();
    co_return;
  };
  const auto outcomes = drive(io, tcp_url(server.port()), plan,
                              {.count = 6 * window, .window = window, .held = note_status});
  EXPECT_EQ(most, window);
  EXPECT_EQ(held.established, 6 * window);
  EXPECT_EQ(held.opening + held.failed + held.finished, 0u);
  EXPECT_THAT(outcomes, Each(Field(&Connection::server_closed, true)));
}

TEST(Cohort, FailuresMakeRoomInTheWindow) {
  asio::io_context io(1);
  int accepted = 0;
  ScriptedServer server(io, [&](tcp::socket socket) -> asio::awaitable<void> {
    if (++accepted % 2 == 0) co_return;
    co_await write(socket, "ready");
    co_await wait_for_end(std::move(socket));
  });
  ConnectionPlan plan;
  plan.steps = {expect("ready")};
  CohortStatus held;
  const auto note_status = [&](Cohort& cohort) -> asio::awaitable<void> {
    held = cohort.status();
    co_return;
  };
  drive(io, tcp_url(server.port()), plan, {.count = 10, .window = 1, .held = note_status});
  EXPECT_EQ(held.established, 5u);
  EXPECT_EQ(held.failed, 5u);
}

TEST(Cohort, AbortEndsOpenAndClose) {
  asio::io_context io(1);
  ScriptedServer server(io, [](tcp::socket socket) -> asio::awaitable<void> {
    co_await wait_for_end(std::move(socket));
  });
  ConnectionPlan plan;
  plan.url = *parse_url(tcp_url(server.port()));
  plan.steps = {expect("never")};
  plan.timeout = 1h;
  Cohort cohort(io.get_executor(), plan, *resolve(plan.url, false), 1, 1);
  bool done = false;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        co_await cohort.open(20, 3);
        co_await cohort.close();
      },
      [&](const std::exception_ptr& exception) { done = exception == nullptr; });
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        co_await pause(20ms);
        EXPECT_EQ(cohort.status().opening, 3u);
        cohort.abort();
      },
      [](const std::exception_ptr& exception) { ASSERT_FALSE(exception); });
  while (!done && io.run_one() > 0) {
  }
  ASSERT_TRUE(done);
  EXPECT_THAT(cohort.outcomes(), SizeIs(3));  // the others never started
  EXPECT_THAT(cohort.outcomes(), Each(Field(&Connection::error, "aborted")));
}

TEST(Cohort, AbortEndsHeldWebSockets) {
  const NodeServer server("silent_after_upgrade");
  asio::io_context io(1);
  const auto outcomes =
      drive(io, fmt::format("ws://127.0.0.1:{}/ws", server.port()), {},
            {.count = 10, .window = 10, .held = [](Cohort& cohort) -> asio::awaitable<void> {
               cohort.abort();
               co_return;
             }});
  EXPECT_THAT(outcomes, Each(Field(&Connection::error, "aborted")));
}

TEST(Cohort, BlamesItsOwnFdLimitOnItself) {
  asio::io_context io(1);
  // Connections of a listening socket are up without accept(), so only the client needs fds.
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  // Three free numbers below the limit, wherever inherited fds leave gaps.
  const std::array free_fds{dup(0), dup(0), dup(0)};
  for (const int fd : free_fds) close(fd);
  const rlimit low{static_cast<rlim_t>(free_fds[2]) + 1, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  ConnectionPlan plan;
  plan.close_timeout = 10ms;
  const auto outcomes =
      drive(io, tcp_url(acceptor.local_endpoint().port()), plan, {.count = 5, .window = 5});
  setrlimit(RLIMIT_NOFILE, &before);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(outcomes[i].error, i < 3 ? "" : "the tool's own fd limit");
    EXPECT_EQ(outcomes[i].error_code, i < 3 ? 0 : EMFILE);
  }
}

class Http : public testing::Test {
 protected:
  Connection drive_one(const std::string& target, ConnectionPlan plan) {
    return drive(io_, fmt::format("http://127.0.0.1:{}{}", server_.port(), target), plan).front();
  }

  NodeServer server_{"web"};
  asio::io_context io_{1};
};

TEST_F(Http, GetsOnceWithoutSteps) {
  const Connection one = drive_one("/x?y=1", {});
  EXPECT_EQ(one.error, "");
  EXPECT_EQ(one.http_status, 200);
  EXPECT_EQ(one.messages_received, 1u);
  EXPECT_LE(one.answered_ns, one.established_ns);
  EXPECT_TRUE(one.server_closed);
}

TEST_F(Http, PostsEachSendOnOneConnectionAndChecksTheAnswers) {
  ConnectionPlan plan;
  plan.headers = {{"X-Token", "secret{id}"}};
  plan.steps = {expect("GET /m?c=1 undefined secret1"),
                send(R"({"n":{id}})"),
                expect(R"(POST /m?c=1 application/json secret1 {"n":1})"),
                send("plain"),
                expect("POST /m?c=1 undefined"),
                expect("plain")};
  const Connection one = drive_one("/m?c={id}", plan);
  EXPECT_EQ(one.error, "");
  EXPECT_EQ(one.messages_received, 3u);
}

TEST_F(Http, FailsOnAnErrorStatusAndOnAnAnswerWithoutTheText) {
  const Connection missing = drive_one("/missing", {});
  EXPECT_EQ(missing.failed_at, Stage::exchange);
  EXPECT_EQ(missing.http_status, 404);
  EXPECT_EQ(missing.error, "answered with HTTP 404");

  ConnectionPlan plan;
  plan.steps = {expect("no such text")};
  const Connection other = drive_one("/", plan);
  EXPECT_EQ(other.error, "the answer has no \"no such text\"");
  EXPECT_EQ(other.established_ns, 0u);
}

}  // namespace
}  // namespace ebbtide
