#include "load_recordings.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t us = 1'000;
constexpr std::uint64_t ms = 1'000'000;
constexpr double mib = 1024 * 1024;

RunInfo run_info(RunKind kind, const std::string& command_line) {
  RunInfo run;
  run.kind = kind;
  run.tool_version = "0.1.0";
  run.command_line = command_line;
  run.started_unix_s = 1'760'000'000;
  run.start_ns = 1'000'000'000'000;
  run.url = "ws://127.0.0.1:8000/ws";
  run.pid = 4242;
  run.comm = "node";
  run.cmdline = "node server.js";
  run.runtime = "node";
  run.runtime_version = "v20.20.2";
  run.kernel = "6.1.0-37-amd64";
  run.machine = "x86_64";
  run.cpus = 2;
  run.page_size = 4096;
  run.plan = {.cycles = 5,
              .connections = 1000,
              .window = 10,
              .hold_ms = 2000,
              .timeout_ms = 5000,
              .settle_cap_ms = 5000,
              .steps = {R"(send {"type":"subscribe","matchId":1})", "expect subscribed"}};
  return run;
}

std::vector<Tier> tiers() {
  return {{"proc", true, "gauges at every measuring point"},
          {"ebpf", true, "sockets, event loops and waits"},
          {"inspector", true, "a full GC before each gauge"}};
}

}  // namespace

LevelsRun::LevelsRun() {
  recording.run =
      run_info(RunKind::connections, "ebbtide connections ws://127.0.0.1:8000/ws --hold 2");
  recording.tiers = tiers();
  recording.end = {EndReason::completed, "", 0};
  recording.losses = {{"ring buffer records", 0}};
  gauges(0, Point::settled, 0);
}

void LevelsRun::gauge(std::uint32_t cycle, Point point, GaugeKind kind, double value) {
  recording.gauges.push_back({cycle, point, kind, now_ns_, static_cast<std::int64_t>(value)});
}

void LevelsRun::gauges(std::uint32_t cycle, Point point, double open) {
  // What earlier levels left in use, a little noise that is the same in every run, and, when all
  // are closed, half of what they took: free, but kept by the allocator for the next level.
  const double leak = 300'000.0 * (point == Point::settled ? cycle : cycle - 1);
  most_open_ = std::max(most_open_, open);
  const double first = cycle > 0 ? 2 * mib : 0;
  const double resident =
      leak + first + (cycle % 2 == 0 ? 40'000.0 : 0) + 9000 * std::max(open, 0.5 * most_open_);
  gauge(cycle, point, GaugeKind::rss, 60 * mib + resident);
  gauge(cycle, point, GaugeKind::pss, 57 * mib + resident);
  gauge(cycle, point, GaugeKind::heap_live, 5 * mib + leak + 4000 * open);
  gauge(cycle, point, GaugeKind::heap_live_external, 1 * mib + 1000 * open);
  gauge(cycle, point, GaugeKind::socket_memory, 3000 * open);
  gauge(cycle, point, GaugeKind::fds, 27 + open);
  const double step = 4.0 * cycle + (point == Point::opened   ? 0
                                     : point == Point::held   ? 1
                                     : point == Point::closed ? 2
                                                              : 3);
  gauge(cycle, point, GaugeKind::cpu_user, step * 4e6);
  gauge(cycle, point, GaugeKind::cpu_system, step * 2e6);
  gauge(cycle, point, GaugeKind::listen_overflows, static_cast<double>(overflows_));
  gauge(cycle, point, GaugeKind::listen_drops, static_cast<double>(overflows_));
}

LevelsRun& LevelsRun::level(const PlannedLevel& planned) {
  const auto cycle = static_cast<std::uint32_t>(recording.cycles.size() + 1);
  const std::uint64_t start = now_ns_;
  const std::uint64_t opened = start + planned.connections * 200 * us + 10 * ms;
  const std::uint64_t held = opened + 2000 * ms;
  const std::uint64_t closed = held + 100 * ms;
  now_ns_ = closed + 200 * ms;
  double open = 0;
  std::uint32_t established = 0;
  for (std::uint32_t i = 0; i < planned.connections; ++i) {
    Connection connection;
    connection.id = recording.connections.size() + 1;
    connection.cycle = cycle;
    connection.start_ns = start + i * 200 * us;
    connection.connected_ns = connection.start_ns + 100 * us;
    connection.upgraded_ns = connection.connected_ns + 1 * ms;
    connection.answered_ns = connection.upgraded_ns + 400 * us;
    connection.established_ns = connection.answered_ns;
    connection.closed_ns = held + 50 * ms;
    if (planned.change) planned.change(connection, i);
    established += connection.established_ns != 0;
    open += connection.established_ns != 0 && connection.failed_at == Stage::none ? 1 : 0;
    recording.connections.push_back(connection);
  }
  recording.phases.push_back({cycle, Phase::open, start, opened, false, 0});
  if (!planned.finished) return *this;
  recording.phases.push_back({cycle, Phase::hold, opened, held, false, 0});
  recording.phases.push_back({cycle, Phase::close, held, closed, false, 0});
  recording.phases.push_back({cycle, Phase::settle, closed, now_ns_, false, 0});
  overflows_ += planned.overflows;
  gauges(cycle, Point::opened, open);
  gauges(cycle, Point::held, open);
  gauges(cycle, Point::closed, 0);
  gauges(cycle, Point::settled, 0);
  const auto busy = static_cast<std::uint64_t>(planned.busy_share * 100e6);
  recording.loop_activities.push_back({cycle, Phase::open, 4242, 4242, 900, busy,
                                       100'000'000 - busy, planned.longest_turn_ns, start + 30 * ms,
                                       busy, 0});
  recording.loop_activities.push_back({cycle, Phase::hold, 4242, 4242, 50, 20'000'000,
                                       1'980'000'000, 2 * ms, opened + 5 * ms, 20'000'000, 0});
  recording.driver_loads.push_back(
      {cycle, Phase::open, opened - start, (opened - start) / 5, established, established, 0});
  recording.driver_loads.push_back({cycle, Phase::hold, 2000 * ms, 20 * ms, 0, 40, 4000});
  recording.cycles.push_back({cycle, planned.connections, established, start, now_ns_});
  recording.end.end_ns = now_ns_;
  return *this;
}

LevelsRun& LevelsRun::levels(std::initializer_list<std::uint32_t> connections) {
  for (const std::uint32_t count : connections) level({.connections = count});
  return *this;
}

LevelsRun& LevelsRun::ends(EndReason reason, const std::string& detail) {
  recording.end = {reason, detail, now_ns_};
  return *this;
}

LevelsRun& LevelsRun::without_ebpf() {
  recording.loop_activities.clear();
  recording.losses.clear();
  recording.tiers[1] = {"ebpf", false, "needs CAP_BPF: run as root"};
  return *this;
}

LevelsRun& LevelsRun::without_heap() {
  std::erase_if(recording.gauges, [](const Gauge& gauge) {
    return gauge.kind == GaugeKind::heap_live || gauge.kind == GaugeKind::heap_live_external;
  });
  return *this;
}

BroadcastRun::BroadcastRun() {
  constexpr std::uint64_t start = 1'000'000'000'000;
  constexpr std::uint64_t opened = start + 100 * ms;
  constexpr std::uint64_t held = opened + 1500 * ms;
  constexpr std::uint32_t clients = 20;
  recording.run = run_info(
      RunKind::broadcast, "ebbtide broadcast ws://127.0.0.1:8000/ws --trigger 'POST …' --rate 100");
  recording.run.plan.cycles = 1;
  recording.run.plan.connections = clients;
  recording.tiers = tiers();
  recording.end = {EndReason::completed, "", held + 400 * ms};
  recording.losses = {{"ring buffer records", 0}};
  recording.phases = {{1, Phase::open, start, opened, false, 0},
                      {1, Phase::hold, opened, held, false, 0},
                      {1, Phase::close, held, held + 100 * ms, false, 0},
                      {1, Phase::settle, held + 100 * ms, held + 300 * ms, false, 0}};
  recording.cycles = {{1, clients, clients, start, held + 300 * ms}};
  for (std::uint32_t i = 0; i < clients; ++i) {
    Connection client;
    client.id = i + 1;
    client.cycle = 1;
    client.start_ns = start + i * ms;
    client.connected_ns = client.start_ns + 100 * us;
    client.established_ns = client.start_ns + 1 * ms;
    client.closed_ns = held + 50 * ms;
    recording.connections.push_back(client);
  }
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint64_t sent = opened + i * 10 * ms;
    recording.triggers.push_back({i + 1, 1, sent, sent + 20 * us, sent + 2020 * us, 201, "",
                                  clients, clients, 0, 0, sent + 2900 * us, sent + 3100 * us});
  }
  recording.latencies = {{1, LatencyKind::delivery, 2'990'080, 3'006'464, 2000},
                         {1, LatencyKind::after_answer, 995'328, 999'424, 2000},
                         {1, LatencyKind::reading, 199'680, 200'704, 2000}};
  recording.upstream_waits = {{1, Phase::hold, "127.0.0.1", 5432, 100, 180 * ms, 3 * ms},
                              {1, Phase::hold, "10.0.0.9", 6379, 10, 500 * us, 100 * us}};
  recording.loop_activities = {{1, Phase::hold, 4242, 4242, 4000, 300 * ms, 1200 * ms, 8 * ms,
                                opened + 40 * ms, 300 * ms, 0}};
  recording.driver_loads = {{1, Phase::hold, 1500 * ms, 150 * ms, 100, 2000, 200'000}};
  const auto gauge = [&](std::uint32_t cycle, Point point, GaugeKind kind, double value) {
    recording.gauges.push_back({cycle, point, kind, held, static_cast<std::int64_t>(value)});
  };
  const auto level = [&](GaugeKind kind, double before, double opens, double holds, double after) {
    gauge(0, Point::settled, kind, before);
    gauge(1, Point::opened, kind, opens);
    gauge(1, Point::held, kind, holds);
    gauge(1, Point::settled, kind, after);
  };
  level(GaugeKind::rss, 60 * mib, 62 * mib, 64 * mib, 63 * mib);
  level(GaugeKind::heap_live, 5 * mib, 5.1 * mib, 5.2 * mib, 5 * mib);
  level(GaugeKind::heap_live_external, 1 * mib, 1 * mib, 1.1 * mib, 1 * mib);
  level(GaugeKind::socket_send_queue, 0, 0, 0, 0);
  level(GaugeKind::cpu_user, 100e6, 150e6, 350e6, 360e6);
  level(GaugeKind::cpu_system, 50e6, 70e6, 170e6, 175e6);
  recording.timeline = {{opened + 10 * ms, static_cast<std::uint64_t>(65 * mib)}};
}

BroadcastRun& BroadcastRun::triggers(const std::function<void(Trigger&)>& change) {
  for (Trigger& trigger : recording.triggers) change(trigger);
  return *this;
}

}  // namespace ebbtide
