#include "tracer/pump.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <span>
#include <utility>

#include "recording/clock.h"
#include "tracer/proc.h"
#include "tracer/process_maps.h"

namespace ebbtide {
namespace {

constexpr int poll_interval_ms = 50;
constexpr std::size_t queue_capacity = 65536;

std::uint32_t pack(std::uint32_t cycle, Phase phase) {
  return cycle << EBB_PHASE_BITS | static_cast<std::uint32_t>(phase);
}

std::uint64_t heap_end_of(std::int32_t pid) {
  const auto maps = read_process_maps(pid);
  if (!maps) return 0;
  for (const ProcessMapping& mapping : *maps) {
    if (mapping.path == "[heap]") return mapping.end;
  }
  return 0;
}

}  // namespace

Tracer::Pump::Pump(Target target, std::unique_ptr<BpfSession> session,
                   std::unique_ptr<RecordingWriter> recording)
    : target_(std::move(target)),
      session_(std::move(session)),
      recording_(std::move(recording)),
      resources_(target_.process.pid,
                 [this](Record row) {
                   if (const auto* born = std::get_if<Resource>(&row)) write_stack(born->stack_id);
                   recording_->add(row);
                 }),
      symbolizer_(target_.process.pid),
      queue_(queue_capacity),
      target_fd_(static_cast<int>(syscall(SYS_pidfd_open, target_.process.pid, 0))),
      oom_kills_at_start_(oom_kill_count()) {}

Tracer::Pump::~Pump() {
  if (thread_.joinable()) {
    queue_.push(Finish{RunEnd{EndReason::failed, "abandoned", monotonic_ns()}});
    thread_.join();
  }
  if (target_fd_ >= 0) close(target_fd_);
}

Result<void> Tracer::Pump::start(std::vector<Tier> tiers, const TracerOptions& options) {
  tiers_ = std::move(tiers);
  options_ = options;
  for (const Tier& tier : tiers_) recording_->add(tier);
  auto seen = observe_target(target_, session_.get());
  if (!seen) return seen.error();
  resources_.seed_mappings(seen->mappings, heap_end_of(target_.process.pid));
  std::vector<std::pair<std::int32_t, std::string>> threads;
  for (const TaskEntry& task : read_threads(target_.process.pid))
    threads.emplace_back(task.tid, task.comm);
  resources_.seed_threads(threads);
  resources_.take_live_sockets(seen->sockets, seen->ts_ns);
  resources_.take_fds(seen->fds, 0, seen->ts_ns);
  poll_rss();
  if (auto written = recording_->commit(); !written) return written.error();
  thread_ = std::thread([this] { run(); });
  return {};
}

void Tracer::Pump::set_epoch(std::uint32_t cycle, Phase phase) {
  epoch_.store(pack(cycle, phase), std::memory_order_relaxed);
  if (session_)
    session_->set_epoch(pack(cycle, phase));
  else if (phase == Phase::open)
    accepted_before_cycle_ = count_accepted(target_);
}

Activity Tracer::Pump::activity() const {
  Activity now;
  now.rss_bytes = read_resident_bytes(target_.process.pid).value_or(0);
  now.target_gone = target_gone_.load(std::memory_order_relaxed);
  if (session_) {
    const ebb_counters counters = session_->counters();
    now.events = counters.sockets_born + counters.sockets_ended + counters.mapping_operations;
    now.live_sockets = session_->live_accepted(epoch() >> EBB_PHASE_BITS);
  } else {
    const std::uint32_t accepted = count_accepted(target_);
    now.events = accepted;
    now.live_sockets = accepted - std::min(accepted, accepted_before_cycle_);
  }
  return now;
}

void Tracer::Pump::measure(std::uint32_t cycle, Point point, std::vector<Gauge> extra,
                           Measured done) {
  queue_.push(Measurement{cycle, point, std::move(extra), std::move(done)});
}

Result<RunEnd> Tracer::Pump::finish(RunEnd end) {
  queue_.push(Finish{std::move(end)});
  thread_.join();
  session_.reset();  // detaches
  return outcome_;
}

// --- the thread ---------------------------------------------------------------------------------

void Tracer::Pump::run() {
  do {
    wait_for_work();
    drain();
    poll_rss();
  } while (serve_commands());
}

void Tracer::Pump::wait_for_work() {
  pollfd waits[] = {{queue_.ready_fd(), POLLIN, 0}, {target_fd_, POLLIN, 0}};
  // Once the target is gone its pidfd stays readable: wait for the queue alone.
  const nfds_t count = target_gone_ || target_fd_ < 0 ? 1 : 2;
  poll(waits, count, poll_interval_ms);
  if (count == 2 && (waits[1].revents & POLLIN) != 0) target_gone_ = true;
}

void Tracer::Pump::drain() {
  if (!session_) return;
  session_->drain(
      [this](const ebb_header& header, std::size_t size) { resources_.take(header, size); });
  if (resources_.target_end().exec) target_gone_ = true;
}

void Tracer::Pump::poll_rss() {
  const std::uint64_t now_ns = monotonic_ns();
  if (now_ns < next_poll_ns_) return;
  next_poll_ns_ = now_ns + poll_interval_ms * 1'000'000ULL;
  const auto resident = read_resident_bytes(target_.process.pid);
  if (!resident || *resident == 0) {  // a zombie has a statm of zeros
    target_gone_ = true;
    return;
  }
  recording_->add(TimelinePoint{now_ns, *resident});
}

bool Tracer::Pump::serve_commands() {
  for (Command& command : queue_.take_all()) {
    if (auto* row = std::get_if<Record>(&command)) {
      recording_->add(*row);
    } else if (auto* request = std::get_if<Measurement>(&command)) {
      serve(*request);
    } else {
      drain();
      write_faults();
      write_losses();
      const RunEnd end = how_it_ended(std::get<Finish>(command).end);
      recording_->add(end);
      const auto written = recording_->commit();
      outcome_ = written ? Result<RunEnd>(end) : Result<RunEnd>(written.error());
      return false;
    }
  }
  return true;
}

void Tracer::Pump::serve(Measurement& request) {
  std::vector<Gauge> gauges = std::move(request.extra);
  drain();  // what comes after is newer than the censuses and must be applied after them
  auto seen = observe_target(target_, session_.get());
  if (seen) {
    for (const auto& [kind, value] : seen->values)
      gauges.push_back({request.cycle, request.point, kind, seen->ts_ns, value});
    if (request.point == Point::settled) {
      if (session_) {
        const auto rebuilt = static_cast<std::int64_t>(resources_.mapped_bytes());
        gauges.push_back(
            {request.cycle, request.point, GaugeKind::mapped_rebuilt_bytes, seen->ts_ns, rebuilt});
      }
      take_censuses(request.cycle, *seen);
    }
  } else if (!target_gone_) {
    recording_->add(Note{monotonic_ns(), request.cycle, seen.error().message()});
  }
  for (const Gauge& gauge : gauges) recording_->add(gauge);
  if (request.point == Point::settled) {
    write_losses();
    if (auto written = recording_->commit(); !written) outcome_ = written.error();
  }
  if (request.done) request.done(gauges);
}

void Tracer::Pump::take_censuses(std::uint32_t cycle, Observation& seen) {
  // Fails only when the target is gone: what is known still serves.
  [[maybe_unused]] const auto refreshed = symbolizer_.refresh();
  resources_.take_fds(seen.fds, epoch(), seen.ts_ns);
  if (!session_) return;
  resources_.take_live_sockets(seen.sockets, seen.ts_ns);
  resources_.reconcile_mappings(seen.mappings, epoch(), seen.ts_ns);
  resources_.write_mappings(seen.ts_ns);
  resources_.write_births(cycle);
}

void Tracer::Pump::write_stack(std::uint64_t id) {
  if (id == 0 || !session_ || !written_stacks_.insert(id).second) return;
  const auto stack = session_->read_stack(id);
  if (!stack) return;
  const std::size_t depth = std::min<std::size_t>(stack->depth, EBB_STACK_DEPTH);
  const std::vector<std::uint64_t> addresses(stack->address, stack->address + depth);
  recording_->add(Stack{id, symbolizer_.resolve(addresses)});
}

void Tracer::Pump::write_losses() {
  if (!session_) return;
  const ebb_counters counters = session_->counters();
  for (const auto& [name, count] :
       {std::pair{"ring buffer records", counters.lost_records},
        std::pair{"sockets not followed (map full)", counters.lost_sockets},
        std::pair{"stacks not readable", counters.lost_stacks},
        std::pair{"stacks not kept (map full)", counters.lost_stack_room},
        std::pair{"stack hash collisions", counters.stack_collisions},
        std::pair{"children not followed (map full)", counters.lost_tasks},
        std::pair{"garbage collections seen by half", counters.lost_gc},
        std::pair{"page fault samples over budget", counters.lost_faults}})
    recording_->add(Loss{name, count});
}

void Tracer::Pump::write_faults() {
  if (!session_ || options_.fault_period == 0) return;
  for (const auto& [key, samples] : session_->read_faults()) {
    write_stack(key.stack_id);
    recording_->add(FaultCount{key.cycle, key.stack_id, options_.fault_period, samples});
  }
}

RunEnd Tracer::Pump::how_it_ended(RunEnd planned) const {
  const TargetEnd& end = resources_.target_end();
  if (end.exec) {
    planned.reason = EndReason::target_exec;
    planned.detail = "the target replaced itself by another program";
    return planned;
  }
  if (!target_gone_ && !end.exited) return planned;
  planned.reason = EndReason::target_exited;
  planned.detail = "exit status not seen without eBPF";
  if (!end.exited) return planned;
  if (WIFSIGNALED(end.exit_code)) {
    const int signal = WTERMSIG(end.exit_code);
    const bool oom = signal == SIGKILL && oom_kill_count() > oom_kills_at_start_;
    planned.reason = oom ? EndReason::target_oom_killed : EndReason::target_killed;
    planned.detail = fmt::format("signal {} ({})", signal, strsignal(signal));
  } else {
    planned.detail = fmt::format("exit code {}", WEXITSTATUS(end.exit_code));
  }
  return planned;
}

}  // namespace ebbtide
