// Answers: how does a test run a cohort against a real server, a Node process or a scripted one?
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>
#include <vector>

#include "driver/cohort.h"
#include "driver/plan.h"
#include "recording/run.h"

namespace ebbtide {

// A script of this folder with one behaviour, as a child process on an ephemeral port of `host`.
// Fails the test by an exception when Node or a module of it is missing.
class NodeServer {
 public:
  explicit NodeServer(const std::string& behaviour, const std::string& host = "127.0.0.1",
                      const std::string& script = "driver_servers.js");
  ~NodeServer();
  NodeServer(const NodeServer&) = delete;
  NodeServer& operator=(const NodeServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int stdin_ = -1;
  int pid_ = -1;
  std::uint16_t port_ = 0;
};

// Listens on an ephemeral port of 127.0.0.1 and runs `script` for each accepted connection.
class ScriptedServer {
 public:
  using Script = std::function<boost::asio::awaitable<void>(boost::asio::ip::tcp::socket)>;
  ScriptedServer(boost::asio::io_context& io, Script script);

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void stop() { acceptor_.close(); }

 private:
  boost::asio::awaitable<void> accept_all();

  boost::asio::ip::tcp::acceptor acceptor_;
  Script script_;
};

struct Load {
  std::uint32_t count = 1;
  std::uint32_t window = 1;
  double rate = 0;
  ConnectionObserver* observer = nullptr;
  // Runs between open() and close().
  std::function<boost::asio::awaitable<void>(Cohort&)> held = {};
};

// Opens, holds and closes one cohort against `url`, ids from 1, and runs `io` until that is done.
std::vector<Connection> drive(boost::asio::io_context& io, const std::string& url,
                              ConnectionPlan plan, Load load = {});

// For Load::held: returns when no connection of the cohort is up any more.
boost::asio::awaitable<void> until_none_is_up(Cohort& cohort);

Step send(std::string text);
Step expect(std::string text);

}  // namespace ebbtide
