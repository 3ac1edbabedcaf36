// Answers: which server does the tool measure in this test, and where does it listen?
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace ebbtide {

// A server on an ephemeral port of 127.0.0.1, up when the constructor returns and gone after the
// destructor. Constructors throw std::runtime_error when it does not come up.
class Server {
 public:
  // A script, absolute or below the source tree: "tests/e2e/servers/clean.js".
  static Server node(const std::string& script,
                     const std::map<std::string, std::string>& environment = {},
                     const std::string& binary = "node");

  // Any program that prints "listening on 127.0.0.1:PORT".
  static Server program(const std::vector<std::string>& command,
                        const ProcessOptions& options = {});

  // Debian's nginx with a configuration of its own: a master and its workers, "hello" for every
  // path.
  static Server nginx(const std::filesystem::path& directory, unsigned workers = 1);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] Process& process() { return *process_; }
  [[nodiscard]] std::string url(const std::string& scheme) const;

 private:
  Server(std::unique_ptr<Process> process, std::uint16_t port);

  std::unique_ptr<Process> process_;
  std::uint16_t port_;
};

// A port on which nothing listens; free a moment ago.
std::uint16_t free_port();

}  // namespace ebbtide
