#include "tests/bench/load_cost.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <sstream>

#include "tests/e2e/process.h"

namespace ebbtide {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t connections = 10'000;
constexpr std::uint32_t subscribers = 1000;
constexpr std::uint32_t triggers = 300;
constexpr int rounds = 5;
constexpr double cpu_aim = 1.5;  // times the raw client's
constexpr double memory_aim_bytes = 8192;
constexpr auto time_limit = 120s;

// One process's figures, in the order in which it prints them.
using Sample = std::vector<double>;

// The samples of one client, a round each.
struct Series {
  std::vector<Sample> samples;

  [[nodiscard]] std::vector<double> sorted(std::size_t figure) const {
    std::vector<double> values;
    for (const Sample& sample : samples) values.push_back(sample[figure]);
    std::sort(values.begin(), values.end());
    return values;
  }
  [[nodiscard]] double median(std::size_t figure) const {
    return sorted(figure)[samples.size() / 2];
  }
};

std::string spread(const Series& series, std::size_t figure) {
  const std::vector<double> values = series.sorted(figure);
  return fmt::format("{:.0f}-{:.0f} in {} rounds", values.front(), values.back(), values.size());
}

const std::string& own_path() {
  static const std::string path = std::filesystem::read_symlink("/proc/self/exe").string();
  return path;
}

class NativeServerProcess {
 public:
  NativeServerProcess() : process_({own_path(), "native-server"}) {
    const auto has_line = [](const std::string& out) { return out.ends_with('\n'); };
    if (!process_.read_until(has_line, 10s)) throw std::runtime_error("no native server");
    port_ = process_.out().substr(0, process_.out().find('\n'));
  }
  [[nodiscard]] const std::string& port() const { return port_; }

 private:
  Process process_;
  std::string port_;
};

// Every client meets a server of its own: one that many have left is slower.
Result<Sample> run_once(const std::vector<std::string>& command, std::size_t figures) {
  const NativeServerProcess server;
  std::vector<std::string> arguments = command;
  for (std::string& argument : arguments)
    if (argument == "PORT") argument = server.port();
  ProcessOptions options;
  options.environment["NODE_PATH"] = SOURCE_DIR "/examples/node_modules:/usr/share/nodejs";
  Process client(arguments, options);
  const bool in_time = client.wait(time_limit);
  Sample sample;
  std::istringstream out(client.out());
  for (double value = 0; out >> value;) sample.push_back(value);
  if (!in_time || client.exit_code() != 0 || sample.size() != figures)
    return Error{"measure", fmt::format("{}", fmt::join(command, " ")),
                 in_time ? client.err() : "it did not end", ""};
  return sample;
}

struct LoadClient {
  std::string name;
  std::vector<std::string> command;
  Series series = {};
};

std::vector<LoadClient> load_clients() {
  const std::string count = std::to_string(connections);
  return {{"raw epoll", {own_path(), "raw", "PORT", count}},
          {"ebbtide's driver", {own_path(), "ebbtide", "PORT", count}},
          {"ws of Node", {"node", SOURCE_DIR "/tests/bench/load_cost_peer.js", "PORT", count}}};
}

bool on_path(const std::string& program) {
  std::istringstream path(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  for (std::string directory; std::getline(path, directory, ':');) {
    if (access((directory + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// These say nothing about their own CPU and memory at a moment.
Rows other_peers() {
  Rows rows;
  for (const char* program : {"k6", "artillery", "tcpkali", "websocat"})
    rows.push_back({.name = program,
                    .figure = "-",
                    .against = on_path(program) ? "installed; not measured" : "not installed"});
  return rows;
}

Row cpu_row(const LoadClient& client, const LoadClient& raw, bool has_aim) {
  constexpr std::size_t figure = 0;
  const double ratio = client.series.median(figure) / raw.series.median(figure);
  Row row{
      .name = "CPU per 1,000 opens, " + client.name,
      .figure = fmt::format("{:.1f} ms", client.series.median(figure)),
      .against = fmt::format("{:.2f} times raw epoll; {}", ratio, spread(client.series, figure))};
  if (has_aim) {
    row.aim = fmt::format("<= {:.1f} ms", cpu_aim * raw.series.median(figure));
    row.met = at_most(cpu_aim, ratio);
  }
  return row;
}

Row memory_row(const LoadClient& client, bool has_aim) {
  constexpr std::size_t figure = 1;
  const double bytes = client.series.median(figure);
  Row row{.name = "memory per idle connection, " + client.name,
          .figure = fmt::format("{:.0f} B", bytes),
          .against = fmt::format("resident, of the client; {}", spread(client.series, figure))};
  if (has_aim) {
    row.aim = fmt::format("<= {:.0f} B", memory_aim_bytes);
    row.met = at_most(memory_aim_bytes, bytes);
  }
  return row;
}

Row close_row(const LoadClient& client, const LoadClient& raw) {
  constexpr std::size_t figure = 2;
  return {.name = "CPU per 1,000 closes, " + client.name,
          .figure = fmt::format("{:.1f} ms", client.series.median(figure)),
          .against = fmt::format("{:.2f} times raw epoll; {}",
                                 client.series.median(figure) / raw.series.median(figure),
                                 spread(client.series, figure))};
}

}  // namespace

Result<Rows> measure_load_cost() {
  std::vector<LoadClient> clients = load_clients();
  for (int round = 0; round < rounds; round++) {
    for (LoadClient& client : clients) {
      auto sample = run_once(client.command, 3);
      if (!sample) return sample.error();
      client.series.samples.push_back(*std::move(sample));
    }
  }
  Rows rows;
  for (const LoadClient& client : clients)
    rows.push_back(cpu_row(client, clients[0], &client == &clients[1]));
  for (const LoadClient& client : clients)
    rows.push_back(memory_row(client, &client == &clients[1]));
  for (const LoadClient& client : clients) rows.push_back(close_row(client, clients[0]));
  for (Row& row : other_peers()) rows.push_back(std::move(row));
  return rows;
}

Result<Rows> measure_delivery_cost() {
  Series series;
  for (int round = 0; round < rounds; round++) {
    auto sample = run_once(
        {own_path(), "broadcast", "PORT", std::to_string(subscribers), std::to_string(triggers)},
        1);
    if (!sample) return sample.error();
    series.samples.push_back(*std::move(sample));
  }
  return Rows{{.name = fmt::format("{} subscribers, {} triggers", subscribers, triggers),
               .figure = fmt::format("{:.0f}", series.median(0)),
               .against = spread(series, 0)}};
}

}  // namespace ebbtide
