#include "analysis_recordings.h"

#include <utility>

#include "analysis/design.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t ms = 1'000'000;

}  // namespace

RunBuilder::Level constant(double value) {
  return [value](double, double) { return value; };
}

RunBuilder::RunBuilder(std::uint32_t dose, std::string runtime) : dose_(dose) {
  RunInfo& run = recording.run;
  run.tool_version = "0.1.0";
  run.command_line = "ebbtide leak ws://127.0.0.1:8000/ws --cycles 10 --connections 100";
  run.started_unix_s = 1'760'000'000;
  run.start_ns = now_ns_;
  run.url = "ws://127.0.0.1:8000/ws";
  run.pid = 4242;
  run.comm = "node";
  run.cmdline = "node server.js";
  run.exe = "/usr/bin/node";
  run.runtime = std::move(runtime);
  run.runtime_version = run.runtime.empty() ? "" : "v20.20.2";
  run.kernel = "6.1.0-37-amd64";
  run.machine = "x86_64";
  run.cpus = 2;
  run.page_size = 4096;
  run.plan = {.cycles = 10,
              .connections = dose,
              .window = 10,
              .hold_ms = 100,
              .timeout_ms = 5000,
              .settle_cap_ms = 5000,
              .steps = {R"(send {"type":"subscribe","matchId":1})", "expect subscribed"}};
  recording.end = {EndReason::completed, "", 0};
  recording.phases.push_back({0, Phase::before, now_ns_, now_ns_ + second_ns, false, 0});
  now_ns_ += second_ns;
}

Cycle& RunBuilder::add(std::uint32_t dose, std::uint32_t established) {
  const auto number = static_cast<std::uint32_t>(recording.cycles.size() + 1);
  const std::uint64_t start = now_ns_;
  recording.phases.push_back({number, Phase::open, start, start + 300 * ms, false, 0});
  recording.phases.push_back({number, Phase::hold, start + 300 * ms, start + 400 * ms, false, 0});
  recording.phases.push_back({number, Phase::close, start + 400 * ms, start + 600 * ms, false, 0});
  recording.phases.push_back({number, Phase::settle, start + 600 * ms, start + 900 * ms, false, 0});
  now_ns_ += second_ns;
  recording.cycles.push_back({number, dose, established, start, now_ns_, close_mode_});
  recording.end.end_ns = now_ns_;
  return recording.cycles.back();
}

RunBuilder& RunBuilder::cycle() {
  add(dose_, dose_);
  return *this;
}

RunBuilder& RunBuilder::cycles(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) cycle();
  return *this;
}

RunBuilder& RunBuilder::idle() {
  add(0, 0);
  return *this;
}

RunBuilder& RunBuilder::cool_down(std::uint64_t seconds) {
  Cycle& cycle = add(0, 0);
  now_ns_ = cycle.start_ns + seconds * second_ns;
  cycle.end_ns = now_ns_;
  recording.end.end_ns = now_ns_;
  for (PhaseSpan& span : recording.phases) {
    if (span.cycle == cycle.number && span.phase == Phase::hold) span.phase = Phase::cool_down;
  }
  return *this;
}

RunBuilder& RunBuilder::designed(std::uint32_t count) {
  for (const std::uint32_t dose : plan_doses(count, dose_)) add(dose, dose);
  return *this;
}

RunBuilder& RunBuilder::ending(CloseMode mode) {
  std::string& planned = recording.run.plan.close_modes;
  if (planned.empty()) planned = name_of(close_mode_);
  planned += "," + std::string(name_of(mode));
  close_mode_ = mode;
  return *this;
}

RunBuilder& RunBuilder::cut_off(std::uint32_t established) {
  const Cycle cycle = add(dose_, established);
  recording.cycles.pop_back();
  recording.phases.pop_back();
  for (std::uint32_t i = 0; i < established; ++i) {
    Connection connection;
    connection.id = recording.connections.size() + 1;
    connection.cycle = cycle.number;
    connection.close_mode = cycle.close_mode;
    connection.local_port = static_cast<std::uint16_t>(50'000 + i);
    connection.start_ns = cycle.start_ns + i * ms;
    connection.connected_ns = connection.start_ns + ms / 2;
    connection.established_ns = connection.start_ns + ms;
    recording.connections.push_back(connection);
  }
  return *this;
}

RunBuilder& RunBuilder::gauge(GaugeKind kind, const Level& level) {
  const std::uint64_t origin = recording.run.start_ns + second_ns;
  double connections = 0;
  const auto read = [&](std::uint32_t cycle, std::uint64_t ts_ns) {
    const double seconds = static_cast<double>(ts_ns - origin) * 1e-9;
    recording.gauges.push_back({cycle, Point::settled, kind, ts_ns,
                                static_cast<std::int64_t>(level(connections, seconds))});
  };
  read(0, origin);
  for (const Cycle& cycle : recording.cycles) {
    connections += cycle.established;
    read(cycle.number, cycle.end_ns);
  }
  return *this;
}

RunBuilder& RunBuilder::gauge(GaugeKind kind, Point point, std::uint32_t cycle,
                              std::int64_t value) {
  recording.gauges.push_back({cycle, point, kind, recording.run.start_ns + cycle, value});
  return *this;
}

RunBuilder& RunBuilder::sockets(const Kept& kept, std::uint8_t state) {
  for (const Cycle& cycle : recording.cycles) {
    for (std::uint32_t i = 0; i < cycle.established; ++i) {
      Connection connection;
      connection.id = recording.connections.size() + 1;
      connection.cycle = cycle.number;
      connection.close_mode = cycle.close_mode;
      connection.local_port = static_cast<std::uint16_t>(40'000 + i);
      connection.start_ns = cycle.start_ns + i * ms;
      connection.connected_ns = connection.start_ns + ms / 10;
      connection.upgraded_ns = connection.start_ns + ms;
      connection.answered_ns = connection.start_ns + 2 * ms;
      connection.established_ns = connection.answered_ns;
      connection.closed_ns = cycle.start_ns + 500 * ms;
      connection.messages_received = 1;
      connection.bytes_received = 64;
      connection.server_closed = !kept(cycle.number, i);
      connection.close_timed_out = !connection.server_closed;
      recording.connections.push_back(connection);
      add_socket(connection, !connection.server_closed, state);
    }
  }
  return *this;
}

void RunBuilder::add_socket(const Connection& connection, bool kept, std::uint8_t state) {
  Resource resource;
  resource.id = next_resource_++;
  resource.kind = ResourceKind::accepted_socket;
  resource.birth_cycle = connection.cycle;
  resource.birth_phase = Phase::open;
  resource.birth_ns = connection.connected_ns;
  resource.death_ns = kept ? 0 : connection.closed_ns + ms;
  recording.resources.push_back(resource);
  SocketLife life;
  life.resource_id = resource.id;
  life.local_address = life.remote_address = "127.0.0.1";
  life.local_port = 8000;
  life.remote_port = connection.local_port;
  life.established_ns = connection.connected_ns;
  life.end_ns = resource.death_ns;
  life.closed_first = ClosedFirst::peer;
  life.state = kept ? state : 7;
  life.fd = kept ? static_cast<std::int32_t>(20 + resource.id) : -1;
  life.ns_in_state[1] = connection.closed_ns - connection.connected_ns;
  const std::size_t last = kept ? state : 9;
  if (last < life.ns_in_state.size()) life.ns_in_state[last] = kept ? second_ns : ms / 5;
  recording.sockets.push_back(life);
}

RunBuilder& RunBuilder::resources(ResourceKind kind, std::uint32_t cycle, std::uint32_t count,
                                  std::uint64_t death_ns, std::uint64_t size_bytes,
                                  std::uint64_t stack_id) {
  for (std::uint32_t i = 0; i < count; ++i) {
    Resource resource;
    resource.id = next_resource_++;
    resource.kind = kind;
    resource.birth_cycle = cycle;
    resource.birth_phase = Phase::open;
    resource.birth_ns = recording.cycles.at(cycle - 1).start_ns + i;
    resource.death_ns = death_ns;
    resource.size_bytes = size_bytes;
    resource.stack_id = stack_id;
    resource.label = kind == ResourceKind::mapping ? "rw-p" : "";
    recording.resources.push_back(resource);
  }
  return *this;
}

}  // namespace ebbtide
