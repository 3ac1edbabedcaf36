#include "tests/unit/driver_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "driver/resolve.h"

namespace ebbtide {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// A completion handler for coroutines of which a test expects no exception.
void rethrow(const std::exception_ptr& exception) {
  if (exception) std::rethrow_exception(exception);
}

[[noreturn]] void become_node(const std::string& script, const std::string& behaviour,
                              const std::string& host) {
  const char* inherited = std::getenv("NODE_PATH");
  std::string path = SOURCE_DIR "/examples/node_modules";
  if (inherited != nullptr) path = path + ":" + inherited;
  setenv("NODE_PATH", path.c_str(), 1);
  execlp("node", "node", (SOURCE_DIR "/tests/unit/" + script).c_str(), behaviour.c_str(),
         host.c_str(), nullptr);
  _exit(127);
}

}  // namespace

NodeServer::NodeServer(const std::string& behaviour, const std::string& host,
                       const std::string& script) {
  std::array<int, 2> to_child{};
  std::array<int, 2> from_child{};
  if (pipe2(to_child.data(), O_CLOEXEC) != 0 || pipe2(from_child.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe");
  }
  pid_ = fork();
  if (pid_ == 0) {
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    become_node(script, behaviour, host);
  }
  ::close(to_child[0]);
  ::close(from_child[1]);
  stdin_ = to_child[1];
  std::array<char, 16> line{};
  const ssize_t size = read(from_child[0], line.data(), line.size() - 1);
  ::close(from_child[0]);
  if (size > 0) port_ = static_cast<std::uint16_t>(std::atoi(line.data()));
  if (port_ == 0) throw std::runtime_error("the Node server \"" + behaviour + "\" did not start");
}

NodeServer::~NodeServer() {
  ::close(stdin_);
  waitpid(pid_, nullptr, 0);
}

ScriptedServer::ScriptedServer(asio::io_context& io, Script script)
    : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      script_(std::move(script)) {
  asio::co_spawn(io, accept_all(), rethrow);
}

asio::awaitable<void> ScriptedServer::accept_all() {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    asio::co_spawn(executor, script_(std::move(socket)), rethrow);
  }
}

std::vector<Connection> drive(asio::io_context& io, const std::string& url, ConnectionPlan plan,
                              Load load) {
  plan.url = parse_url(url).value();
  Cohort cohort(io.get_executor(), plan, resolve(plan.url, false).value(), 3, 1, load.observer);
  const auto run = [&]() -> asio::awaitable<void> {
    co_await cohort.open({.count = load.count, .window = load.window, .rate = load.rate});
    if (load.held) co_await load.held(cohort);
    co_await cohort.close();
  };
  bool done = false;
  asio::co_spawn(io, run, [&](const std::exception_ptr& exception) {
    rethrow(exception);
    done = true;
  });
  io.restart();
  while (!done && io.run_one() > 0) {
  }
  if (!done) throw std::runtime_error("nothing left to run, yet the cohort has not ended");
  return cohort.outcomes();
}

asio::awaitable<void> until_none_is_up(Cohort& cohort) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (cohort.status().established > 0) {
    pause.expires_after(std::chrono::milliseconds(2));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

Step send(std::string text) { return {Step::Kind::send, std::move(text)}; }
Step expect(std::string text) { return {Step::Kind::expect, std::move(text)}; }

}  // namespace ebbtide
