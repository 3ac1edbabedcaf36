#include "tracer/v8/inspector_port.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "tracer/proc.h"
#include "tracer/tcp_table.h"
#include "tracer/v8/v8_target.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint16_t default_port = 9229;
constexpr std::uint16_t last_usual_port = 9239;  // cluster workers count up from the default
constexpr milliseconds probe_timeout{1000};
constexpr milliseconds wake_timeout{1000};
constexpr milliseconds poll_interval{10};
constexpr std::string_view restart_remedy =
    "restart it with --inspect=127.0.0.1:0, or run with --no-inspector";

Error port_error(pid_t pid, std::string reason, std::string remedy) {
  return {"open the inspector of", fmt::format("process {}", pid), std::move(reason),
          std::move(remedy)};
}

struct ListeningSocket {
  tcp::endpoint endpoint;
  std::uint64_t inode = 0;
};

// Where to reach a listener from the same host: 0.0.0.0 and :: by the loopback address.
tcp::endpoint reachable(const TcpRow& row) {
  const asio::ip::address_v6 address(row.local);
  if (address.is_v4_mapped()) {
    const auto v4 = asio::ip::make_address_v4(asio::ip::v4_mapped, address);
    return {v4.is_unspecified() ? asio::ip::address_v4::loopback() : v4, row.local_port};
  }
  return {address.is_unspecified() ? asio::ip::address_v6::loopback() : address, row.local_port};
}

// The process's own listening sockets, in the order of their descriptors: Node opens an inspector
// asked for on the command line before any user code opens anything.
std::vector<ListeningSocket> listening_sockets(pid_t pid) {
  const auto rows = read_tcp_table(pid);
  const auto fds = read_fds(pid);
  std::vector<ListeningSocket> sockets;
  if (!rows || !fds) return sockets;
  std::map<std::uint64_t, const TcpRow*> listeners;
  for (const TcpRow& row : *rows) {
    if (row.state == tcp_listen && row.inode != 0) listeners[row.inode] = &row;
  }
  for (const FdEntry& fd : *fds) {
    const auto inode = socket_inode(fd.link);
    const auto listener = inode ? listeners.find(*inode) : listeners.end();
    if (listener != listeners.end()) sockets.push_back({reachable(*listener->second), *inode});
  }
  return sockets;
}

// Arguments as NUL-separated text: /proc/PID/cmdline, and NODE_OPTIONS brought into that form.
std::string node_arguments(pid_t pid) {
  std::string arguments;
  std::ifstream cmdline(fmt::format("/proc/{}/cmdline", pid));
  std::getline(cmdline, arguments, '\n');
  std::ifstream environment(fmt::format("/proc/{}/environ", pid));
  constexpr std::string_view name = "NODE_OPTIONS=";
  for (std::string variable; std::getline(environment, variable, '\0');) {
    if (!variable.starts_with(name)) continue;
    std::replace(variable.begin(), variable.end(), ' ', '\0');
    arguments += '\0' + variable.substr(name.size()) + '\0';
  }
  return '\0' + arguments;
}

bool asked_to_inspect(std::string_view arguments) {
  for (const std::string_view option : {"--inspect", "--inspect-brk", "--inspect-wait"}) {
    for (const char end : {'\0', '='}) {
      if (arguments.find('\0' + std::string(option) + end) != std::string_view::npos) return true;
    }
  }
  return false;
}

// Where SIGUSR1 would make this process listen: --inspect-port=[HOST:]PORT or the default.
std::uint16_t expected_port(const std::string& arguments) {
  for (const std::string_view option : {"--inspect-port=", "--debug-port="}) {
    const auto at = arguments.find('\0' + std::string(option));
    if (at == std::string::npos) continue;
    auto value = std::string(arguments.c_str() + at + 1 + option.size());
    value = value.substr(value.rfind(':') + 1);
    std::uint16_t port = 0;
    std::from_chars(value.data(), value.data() + value.size(), port);
    if (port != 0) return port;
  }
  return default_port;
}

bool catches_sigusr1(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigCgt:")) continue;
    const auto mask = std::strtoull(line.c_str() + std::strlen("SigCgt:"), nullptr, 16);
    return (mask >> (SIGUSR1 - 1) & 1) != 0;
  }
  return false;
}

// "process 42 (node)" of whoever else listens on that port in the namespace of pid; "" when nobody.
std::string other_listener(pid_t pid, std::uint16_t port) {
  const auto rows = read_tcp_table(pid);
  if (!rows) return "";
  std::set<std::uint64_t> inodes;
  for (const TcpRow& row : *rows) {
    if (row.state == tcp_listen && row.local_port == port) inodes.insert(row.inode);
  }
  if (inodes.empty()) return "";
  for (const auto candidate : list_processes()) {
    const auto fds = read_fds(candidate);
    if (!fds) continue;
    const bool owns = std::any_of(fds->begin(), fds->end(), [&](const FdEntry& fd) {
      const auto inode = socket_inode(fd.link);
      return inode && inodes.contains(*inode);
    });
    if (!owns || candidate == pid) continue;
    const auto identity = identify_process(candidate);
    return fmt::format("process {} ({})", candidate, identity ? identity->comm : "gone");
  }
  return "a process that /proc does not show";
}

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto member = object.is_object() ? object.find(name) : object.end();
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

// Is a Node inspector behind this address, and where does its session open?
asio::awaitable<std::optional<InspectorPort>> probe(asio::any_io_executor executor,
                                                    DevtoolsAddress address) {
  const auto version = co_await devtools_get(executor, address, "/json/version", probe_timeout);
  if (!version || !text_member(*version, "Browser").starts_with("node.js/")) co_return std::nullopt;
  const auto targets = co_await devtools_get(executor, address, "/json/list", probe_timeout);
  if (!targets || !targets->is_array()) co_return std::nullopt;
  for (const auto& target : *targets) {
    const auto url = text_member(target, "webSocketDebuggerUrl");
    const auto authority = url.find("://");
    if (authority == std::string::npos) continue;
    const auto path = url.find('/', authority + 3);
    if (path == std::string::npos) continue;
    co_return InspectorPort{address, url.substr(path), false};
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<InspectorPort>> find_open_port(
    asio::any_io_executor executor, pid_t pid, const std::vector<ListeningSocket>& sockets) {
  // Any other port belongs to the application: a request there would show up in what we measure.
  const bool any_port = asked_to_inspect(node_arguments(pid));
  for (const ListeningSocket& socket : sockets) {
    const auto port = socket.endpoint.port();
    if (!any_port && (port < default_port || port > last_usual_port)) continue;
    const DevtoolsAddress address{socket.endpoint, pid};
    auto found = co_await probe(executor, address);
    if (found) co_return found;
  }
  co_return std::nullopt;
}

// Checks and signals through one pidfd, so that the signal cannot reach a successor of the number.
Result<void> send_sigusr1(pid_t pid) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return port_error(pid, std::strerror(errno), "check that it is still running");
  auto outcome = may_wake_inspector(pid);
  if (outcome && syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, nullptr, 0) != 0) {
    outcome = port_error(pid, fmt::format("no right to send it SIGUSR1: {}", std::strerror(errno)),
                         "run as root or as the process's own user");
  }
  close(pidfd);
  return outcome;
}

Error explain_silence(pid_t pid) {
  const auto port = expected_port(node_arguments(pid));
  const auto other = other_listener(pid, port);
  if (!other.empty()) {
    return port_error(pid, fmt::format("its port {} is taken by {}", port, other),
                      "stop that one or close its inspector (one default port per network "
                      "namespace), or restart the target with --inspect-port=0");
  }
  return port_error(pid,
                    fmt::format("SIGUSR1 opened no port within {} ms; a handler of the "
                                "application's own (process.on('SIGUSR1')) swallows it",
                                wake_timeout.count()),
                    std::string(restart_remedy));
}

}  // namespace

Result<void> may_wake_inspector(pid_t pid) {
  auto target = find_v8(pid);
  if (!target) return target.error();
  if (!target->has_value() || (*target)->runtime != "node") {
    return port_error(pid, "it is no Node.js process, and SIGUSR1 might kill it",
                      "run with --no-inspector");
  }
  if (!catches_sigusr1(pid)) {
    return port_error(pid, "it does not catch SIGUSR1 (started with --disable-sigusr1?)",
                      std::string(restart_remedy));
  }
  return {};
}

asio::awaitable<Result<InspectorPort>> find_or_open_inspector(asio::any_io_executor executor,
                                                              pid_t pid) {
  const auto before = listening_sockets(pid);
  auto found = co_await find_open_port(executor, pid, before);
  if (found) co_return *found;

  if (auto sent = send_sigusr1(pid); !sent) co_return sent.error();
  std::set<std::uint64_t> known;
  for (const ListeningSocket& socket : before) known.insert(socket.inode);
  asio::steady_timer timer(executor);
  const auto deadline = steady_clock::now() + wake_timeout;
  while (steady_clock::now() < deadline) {
    timer.expires_after(poll_interval);
    co_await timer.async_wait(asio::use_awaitable);
    for (const ListeningSocket& socket : listening_sockets(pid)) {
      if (!known.insert(socket.inode).second) continue;
      const DevtoolsAddress address{socket.endpoint, pid};
      found = co_await probe(executor, address);
      if (!found) continue;
      found->opened_by_us = true;
      co_return *found;
    }
  }
  co_return explain_silence(pid);
}

}  // namespace ebbtide
