#include "tests/e2e/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace ebbtide {
namespace {

using namespace std::chrono_literals;

constexpr auto start_limit = 20s;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

}  // namespace

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

Server::Server(std::unique_ptr<Process> process, std::uint16_t port)
    : process_(std::move(process)), port_(port) {}

Server Server::node(const std::string& script,
                    const std::map<std::string, std::string>& environment,
                    const std::string& binary) {
  ProcessOptions options{environment, 0};
  options.environment["PORT"] = "0";
  options.environment["NODE_PATH"] = SOURCE_DIR "/examples/node_modules:/usr/share/nodejs";
  const std::filesystem::path path = std::filesystem::path(SOURCE_DIR) / script;
  return program({binary, path.string()}, options);
}

Server Server::program(const std::vector<std::string>& command, const ProcessOptions& options) {
  auto process = std::make_unique<Process>(command, options);
  const std::string announcement = "listening on 127.0.0.1:";
  std::uint16_t port = 0;
  process->read_until(
      [&](const std::string& out) {
        const std::size_t found = out.find(announcement);
        if (found == std::string::npos || out.find('\n', found) == std::string::npos) return false;
        const char* digits = out.data() + found + announcement.size();
        std::from_chars(digits, out.data() + out.size(), port);
        return true;
      },
      start_limit);
  if (port == 0) throw std::runtime_error(command.front() + " did not start: " + process->err());
  return {std::move(process), port};
}

Server Server::nginx(const std::filesystem::path& directory, unsigned workers) {
  const std::uint16_t port = free_port();
  const std::filesystem::path configuration = directory / "nginx.conf";
  std::ofstream(configuration) << fmt::format(
      "daemon off;\n"
      "worker_processes {2};\n"
      "pid {0}/nginx.pid;\n"
      "error_log stderr;\n"
      "worker_rlimit_nofile 16000;\n"
      "events {{ worker_connections 12000; }}\n"
      "http {{\n"
      "  access_log off;\n"
      "  client_body_temp_path {0}/body; proxy_temp_path {0}/proxy;\n"
      "  fastcgi_temp_path {0}/fastcgi; uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;\n"
      "  server {{ listen 127.0.0.1:{1}; location / {{ return 200 'hello'; }} }}\n"
      "}}\n",
      directory.string(), port, workers);
  auto process = std::make_unique<Process>(std::vector<std::string>{
      "/usr/sbin/nginx", "-e", "stderr", "-c", configuration.string(), "-p", directory.string()});
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  while (!accepts(port)) {
    if (std::chrono::steady_clock::now() > deadline) {
      process->wait(0ms);
      throw std::runtime_error("nginx did not start: " + process->err());
    }
    std::this_thread::sleep_for(20ms);
  }
  return {std::move(process), port};
}

std::string Server::url(const std::string& scheme) const {
  return fmt::format("{}://127.0.0.1:{}{}", scheme, port_, scheme == "tcp" ? "" : "/ws");
}

}  // namespace ebbtide
