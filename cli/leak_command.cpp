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
#include <thread>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/experiment.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/server_source.h"
#include "cli/source_tree.h"
#include "driver/fd_limit.h"
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

RunInfo describe_run(const LeakOptions& options, const Target& target,
                     const std::optional<V8Target>& v8, const std::string& command_line) {
  utsname system{};
  uname(&system);
  RunInfo run;
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
  run.plan = {.cycles = options.cycles,
              .connections = options.connections,
              .window = options.window,
              .hold_ms = static_cast<std::uint64_t>(options.hold.count()),
              .timeout_ms = static_cast<std::uint64_t>(options.connection.timeout.count()),
              .settle_cap_ms = static_cast<std::uint64_t>(options.settle_cap.count()),
              .steps = describe_steps(options.connection.steps)};
  return run;
}

// What the code review reads goes into the recording, which the reports are made of. A source that
// nobody named and that is not found is no reason to stop.
Result<SourceTree> read_source(const LeakOptions& options, const Target& target, bool is_v8) {
  if (!options.review) return SourceTree{};
  if (!options.source.empty()) return read_source_tree(options.source);
  if (!is_v8) return SourceTree{};
  auto found = read_server_source(target.process.pid);
  if (found) return found;
  SourceTree none;
  none.unread.push_back({"", found.error().message() + "; " + found.error().remedy});
  return none;
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
    progress.say("stopping; a report of the finished cycles follows (once more: at once)");
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

Result<int> leak(const LeakOptions& options, const std::string& command_line) {
  auto endpoints = resolve(options.connection.url, options.allow_remote);
  if (!endpoints) return endpoints.error();
  const auto target = find_target_at(*endpoints, options.pid);
  if (!target) return target.error();
  if (auto limit = raise_fd_limit(options.connections); !limit) return limit.error();
  if (auto ready = prepare_directory(options.output_directory); !ready) return ready.error();

  const auto v8 = find_v8(target->process.pid);
  const bool is_v8 = v8 && v8->has_value();
  const auto source = read_source(options, *target, is_v8);
  if (!source) return source.error();

  const std::string recording = options.output_directory + "/leak.ebbtide";
  const std::string partial = fmt::format("{}.{}.partial", recording, getpid());
  auto writer = RecordingWriter::create(partial);
  if (!writer) return writer.error();
  (*writer)->add(describe_run(options, *target, is_v8 ? *v8 : std::nullopt, command_line));
  for (const SourceFile& file : source->files) (*writer)->add(file);
  for (const UnreadSource& unread : source->unread) (*writer)->add(unread);

  const auto discard = [&](const Error& error) {
    std::filesystem::remove(partial);
    return error;
  };
  asio::io_context context(1);
  auto tracer = Tracer::attach(
      *target,
      {.ebpf = options.ebpf, .fd_events = options.fd_events, .fault_period = options.fault_period},
      *std::move(writer));
  if (!tracer) return discard(tracer.error());

  Progress progress(options.quiet);
  progress.say(fmt::format("tracing pid {} ({}) behind {}", target->process.pid,
                           target->process.comm, options.url));
  if (!target->remark.empty()) progress.say(target->remark);
  for (const Tier& tier : (*tracer)->tiers()) {
    if (!tier.on && tier.name == "ebpf" && options.ebpf)
      progress.say("without eBPF: " + tier.detail);
  }
  if (!target->remark.empty()) (*tracer)->record(Note{monotonic_ns(), 0, target->remark});

  const ExperimentPlan plan{
      .connection = options.connection,
      .endpoints = *endpoints,
      .pid = target->process.pid,
      .cycles = options.cycles,
      .connections = options.connections,
      .window = options.window,
      .hold = options.hold,
      .settle_cap = options.settle_cap,
      .inspector = options.inspector,
      .v8 = is_v8,
      .processes = target->processes.size(),
      .heap_pids = options.heap_census ? pids_of(*target) : std::vector<std::int32_t>(),
      .snapshot_directory = options.snapshot ? options.output_directory : std::string()};
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
  return write_reports(recording, options.output_directory, options.quiet);
}

}  // namespace

int run_leak(const LeakOptions& options, const std::string& command_line) {
  const auto status = leak(options, command_line);
  return status ? *status : fail(status.error());
}

}  // namespace ebbtide
