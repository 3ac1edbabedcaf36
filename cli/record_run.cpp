#include "cli/record_run.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <thread>

#include "cli/output.h"
#include "cli/progress.h"
#include "driver/limits.h"
#include "driver/resolve.h"
#include "recording/clock.h"
#include "tracer/target.h"
#include "tracer/v8/v8_target.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using Endpoints = std::vector<asio::ip::tcp::endpoint>;

IpAddress to_ip_address(const asio::ip::address& address) {
  return address.is_v6()
             ? address.to_v6().to_bytes()
             : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
}

// The target behind the first endpoint that it listens on; the error of the first when none does.
// The other endpoints are dropped: they may be another process'.
Result<Target> find_target_at(Endpoints& endpoints, std::optional<std::int32_t> pid) {
  Result<Target> found = Error{};
  for (std::size_t i = 0; i < endpoints.size(); i++) {
    auto target = find_target(to_ip_address(endpoints[i].address()), endpoints[i].port(), pid);
    if (target || i == 0) found = std::move(target);
    if (!found) continue;
    endpoints = {endpoints[i]};
    break;
  }
  return found;
}

std::vector<std::string> describe_steps(const std::vector<Step>& steps) {
  std::vector<std::string> texts;
  for (const Step& step : steps)
    texts.push_back((step.kind == Step::Kind::send ? "send " : "expect ") + step.text);
  return texts;
}

std::vector<std::uint32_t> with_connections(std::vector<std::uint32_t> doses) {
  std::erase(doses, 0U);
  return doses;
}

// The dose that a report names: the mean of a leak run's, the largest level else.
std::uint32_t typical_dose(RunKind kind, const std::vector<std::uint32_t>& doses) {
  if (kind != RunKind::leak) return *std::ranges::max_element(doses);
  const auto count = static_cast<std::uint32_t>(doses.size());
  return std::accumulate(doses.begin(), doses.end(), count / 2) / count;
}

RunInfo describe_run(const RunRequest& request, const Target& target,
                     const std::optional<V8Target>& v8, const std::string& command_line) {
  const RunOptions& options = request.options;
  const std::vector<std::uint32_t> doses = with_connections(request.doses);
  utsname system{};
  uname(&system);
  RunInfo run;
  run.kind = request.kind;
  run.tool_version = EBBTIDE_VERSION;
  run.command_line = command_line;
  run.started_unix_s = std::time(nullptr);
  run.start_ns = monotonic_ns();
  run.url = options.url;
  run.pid = target.process.pid;
  run.comm = target.process.comm;
  run.cmdline = target.process.cmdline;
  run.exe = target.process.exe;
  if (v8) {
    run.runtime = v8->runtime;
    run.runtime_version = v8->version;
  }
  run.kernel = system.release;
  run.machine = system.machine;
  run.cpus = std::thread::hardware_concurrency();
  run.page_size = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
  run.fd_limit = read_fd_limit(target.process.pid);
  run.plan = {.cycles = static_cast<std::uint32_t>(doses.size()),
              .connections = typical_dose(request.kind, doses),
              .window = options.window,
              .hold_ms = static_cast<std::uint64_t>(options.hold.count()),
              .timeout_ms = static_cast<std::uint64_t>(options.connection.timeout.count()),
              .settle_cap_ms = static_cast<std::uint64_t>(options.settle_cap.count()),
              .steps = describe_steps(options.connection.steps)};
  return run;
}

// Ctrl-C once: a report of what is finished. Twice: at once; the recording stays readable.
asio::awaitable<void> watch_signals(asio::signal_set& signals, Experiment& experiment,
                                    Progress& progress, const std::string& recording) {
  for (int received = 1;; received++) {
    const auto [error, signal] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    if (received > 1) {
      progress.say("stopped; what was recorded until now is in " + recording);
      _exit(128 + signal);
    }
    progress.say("stopping; a report of what is finished follows (once more: at once)");
    experiment.stop();
  }
}

// `context` outlives the tracer, whose thread posts to it.
Result<RunEnd> run_experiment(asio::io_context& context, const ExperimentPlan& plan, Tracer& tracer,
                              Progress& progress, const std::string& recording) {
  Experiment experiment(context.get_executor(), plan, tracer, progress);
  asio::signal_set signals(context, SIGINT, SIGTERM);
  Result<RunEnd> outcome = Error{"run", "the experiment", "it did not finish", ""};
  std::exception_ptr failure;
  const auto keep_failure = [&](std::exception_ptr thrown) {
    if (!thrown) return;
    failure = thrown;
    context.stop();
  };
  const auto run = [&]() -> asio::awaitable<void> {
    outcome = co_await experiment.run();
    signals.cancel();
  };
  asio::co_spawn(context, watch_signals(signals, experiment, progress, recording), keep_failure);
  asio::co_spawn(context, run(), keep_failure);
  context.run();
  if (failure) std::rethrow_exception(failure);
  return outcome;
}

// Says what the run stands on before it begins.
void introduce(const RunOptions& options, const Target& target, Tracer& tracer,
               Progress& progress) {
  progress.say(fmt::format("tracing pid {} ({}) behind {}", target.process.pid, target.process.comm,
                           options.url));
  for (const Tier& tier : tracer.tiers()) {
    if (!tier.on && tier.name == "ebpf" && options.ebpf)
      progress.say("without eBPF: " + tier.detail);
  }
  if (target.remark.empty()) return;
  progress.say(target.remark);
  tracer.record(Note{monotonic_ns(), 0, target.remark});
}

}  // namespace

Result<std::string> record_run(const RunRequest& request, const std::string& command_line) {
  const RunOptions& options = request.options;
  auto endpoints = resolve(options.connection.url, options.allow_remote);
  if (!endpoints) return endpoints.error();
  const auto target = find_target_at(*endpoints, options.pid);
  if (!target) return target.error();
  Endpoints trigger_endpoints;
  if (request.trigger != nullptr) {
    auto resolved = resolve(request.trigger->url, options.allow_remote);
    if (!resolved) return resolved.error();
    trigger_endpoints = *std::move(resolved);
  }
  const std::uint32_t most = *std::ranges::max_element(request.doses);
  if (auto limit = check_limits(most, endpoints->front()); !limit) return limit.error();
  if (auto ready = prepare_directory(options.output_directory); !ready) return ready.error();

  const auto v8 = find_v8(target->process.pid);
  const bool is_v8 = v8 && v8->has_value();
  Result<std::vector<Record>> prepared = std::vector<Record>();
  if (request.prepare) prepared = request.prepare(*target, is_v8);
  if (!prepared) return prepared.error();

  const std::string recording =
      fmt::format("{}/{}.ebbtide", options.output_directory, name_of(request.kind));
  const std::string partial = fmt::format("{}.{}.partial", recording, getpid());
  auto writer = RecordingWriter::create(partial);
  if (!writer) return writer.error();
  (*writer)->add(describe_run(request, *target, is_v8 ? *v8 : std::nullopt, command_line));
  for (Record& row : *prepared) (*writer)->add(std::move(row));

  const auto discard = [&](const Error& error) {
    std::filesystem::remove(partial);
    return error;
  };
  asio::io_context context(1);
  TracerOptions tracing = request.tracing;
  tracing.ebpf = options.ebpf;
  auto tracer = Tracer::attach(*target, tracing, *std::move(writer));
  if (!tracer) return discard(tracer.error());

  Progress progress(options.quiet);
  introduce(options, *target, **tracer, progress);
  const ExperimentPlan plan{
      .connection = options.connection,
      .endpoints = *endpoints,
      .doses = request.doses,
      .opening = {.count = 0, .window = options.window, .rate = options.rate},
      .hold = options.hold,
      .settle_cap = options.settle_cap,
      .load = request.kind != RunKind::leak,
      .trigger = request.trigger == nullptr ? std::nullopt : std::optional(*request.trigger),
      .trigger_endpoints = trigger_endpoints,
      .v8 = {.v8 = is_v8,
             .inspector = options.inspector,
             .pid = target->process.pid,
             .processes = target->processes.size(),
             .heap_pids = options.heap_census ? pids_of(*target) : std::vector<std::int32_t>(),
             .snapshot_directory = request.snapshot ? options.output_directory : std::string()}};
  const auto ran = run_experiment(context, plan, **tracer, progress, partial);
  const auto finished = (*tracer)->finish(
      ran ? *ran : RunEnd{EndReason::failed, ran.error().message(), monotonic_ns()});
  tracer->reset();
  progress.erase_line();
  if (!ran) return discard(ran.error());
  if (!finished) return finished.error();
  if (auto moved = move_file(partial, recording); !moved) {
    Error error = moved.error();
    error.remedy = "the recording is complete: ebbtide report " + partial;
    return error;
  }
  return recording;
}

}  // namespace ebbtide
