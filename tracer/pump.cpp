#include "tracer/pump.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "recording/clock.h"
#include "tracer/birth.h"
#include "tracer/proc.h"
#include "tracer/process_maps.h"
#include "tracer/socket_holders.h"
#include "tracer/target_end.h"

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
      resources_(pids_of(target_),
                 [this](const Record& row) {
                   if (const auto* born = std::get_if<Resource>(&row))
                     write_stack(born->stack_id, born->pid);
                   recording_->add(row);
                 }),
      loops_(monotonic_ns(), [this](const Record& row) { recording_->add(row); }),
      queue_(queue_capacity),
      oom_kills_at_start_(oom_kill_count()) {
  for (const std::int32_t pid : pids_of(target_))
    process_fds_.push_back(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

Tracer::Pump::~Pump() {
  if (thread_.joinable()) {
    queue_.push(Finish{RunEnd{EndReason::failed, "abandoned", monotonic_ns()}});
    thread_.join();
  }
  for (const int fd : process_fds_) {
    if (fd >= 0) close(fd);
  }
}

Result<void> Tracer::Pump::start(std::vector<Tier> tiers, const TracerOptions& options) {
  tiers_ = std::move(tiers);
  tiers_.push_back(open_malloc());
  options_ = options;
  for (const Tier& tier : tiers_) recording_->add(tier);
  auto seen = observe_target(target_, session_.get());
  if (!seen) return seen.error();
  for (const auto& [pid, ranges] : seen->mappings) {
    resources_.seed_mappings(pid, ranges, heap_end_of(pid));
    resources_.seed_threads(pid, read_threads(pid));
  }
  resources_.take_live_sockets(seen->sockets, seen->ts_ns);
  resources_.take_fds(seen->fds, 0, seen->ts_ns);
  poll_rss();
  if (auto written = recording_->commit(); !written) return written.error();
  thread_ = std::thread([this] { run(); });
  return {};
}

Tier Tracer::Pump::open_malloc() {
  for (const std::int32_t pid : pids_of(target_)) {
    auto census = MallocCensus::open(pid);
    if (!census) {
      mallocs_.clear();
      return {"malloc-census", false, census.error().message()};
    }
    mallocs_.push_back(*std::move(census));
  }
  return {"malloc-census", true, "glibc's blocks counted from outside at settle points"};
}

void Tracer::Pump::set_epoch(std::uint32_t cycle, Phase phase) {
  const bool next_cycle = cycle != cycle_of(epoch());
  epoch_.store(pack(cycle, phase), std::memory_order_relaxed);
  queue_.push(PhaseStart{pack(cycle, phase), monotonic_ns()});
  if (session_) session_->set_epoch(pack(cycle, phase));
  if (!next_cycle) return;
  cycle_start_ticks_.store(ticks_since_boot(), std::memory_order_relaxed);
  if (!session_) accepted_before_cycle_ = count_accepted(target_);
}

Activity Tracer::Pump::activity() const {
  Activity now;
  now.rss_bytes = resident_bytes(target_).value_or(0);
  now.target_gone = target_gone_.load(std::memory_order_relaxed);
  if (session_) {
    const ebb_counters counters = session_->counters();
    now.events = counters.sockets_born + counters.sockets_ended + counters.mapping_operations;
    now.live_sockets = session_->live_accepted(cycle_of(epoch()));
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
  std::vector<pollfd> waits{{queue_.ready_fd(), POLLIN, 0}};
  // The pidfd of a process that is gone stays readable: then wait for the queue alone.
  if (!target_gone_) {
    for (const int fd : process_fds_) waits.push_back({fd, POLLIN, 0});
  }
  poll(waits.data(), waits.size(), poll_interval_ms);
  if (std::any_of(waits.begin() + 1, waits.end(),
                  [](const pollfd& wait) { return (wait.revents & POLLIN) != 0; }))
    target_gone_ = true;
}

void Tracer::Pump::drain() {
  if (!session_) return;
  session_->drain([this](const ebb_header& header, std::size_t size) {
    resources_.take(header, size);
    loops_.take(header, size);
  });
  for (const TargetProcess& process : target_.processes) {
    if (resources_.end_of(process.pid).exec) target_gone_ = true;
  }
}

void Tracer::Pump::poll_rss() {
  const std::uint64_t now_ns = monotonic_ns();
  if (now_ns < next_poll_ns_) return;
  next_poll_ns_ = now_ns + poll_interval_ms * 1'000'000ULL;
  const auto resident = resident_bytes(target_);
  if (!resident) {
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
    } else if (const auto* phase = std::get_if<PhaseStart>(&command)) {
      loops_.begin_phase(phase->epoch, phase->start_ns);
    } else {
      write_end(std::get<Finish>(command).end);
      return false;
    }
  }
  return true;
}

void Tracer::Pump::write_end(RunEnd end) {
  drain();
  write_load(monotonic_ns());
  write_faults();
  write_losses();
  if (auto early = find_target_end(target_, resources_, oom_kills_at_start_)) {
    early->end_ns = end.end_ns;
    end = *std::move(early);
  }
  recording_->add(end);
  const auto written = recording_->commit();
  outcome_ = written ? Result<RunEnd>(end) : Result<RunEnd>(written.error());
}

void Tracer::Pump::serve(Measurement& request) {
  std::vector<Gauge> gauges = std::move(request.extra);
  drain();  // what comes after is newer than the censuses and must be applied after them
  const auto seen = observe_target(target_, session_.get());
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
      add_malloc(request, gauges);
    } else if (request.point == Point::opened) {
      add_holders(request, *seen, gauges);
    }
  } else if (!target_gone_) {
    note(request.cycle, seen.error().message());
  }
  for (const Gauge& gauge : gauges) recording_->add(gauge);
  if (request.point == Point::settled) {
    write_load(std::nullopt);
    write_losses();
    if (auto written = recording_->commit(); !written) outcome_ = written.error();
  }
  if (request.done) request.done(gauges);
}

void Tracer::Pump::take_censuses(std::uint32_t cycle, const Observation& seen) {
  // Fails only when a process is gone: what is known still serves.
  for (auto& [pid, symbolizer] : symbolizers_) (void)symbolizer.refresh();
  note_new_workers(cycle);
  resources_.take_fds(seen.fds, epoch(), seen.ts_ns);
  if (!session_) return;
  resources_.take_live_sockets(seen.sockets, seen.ts_ns);
  for (const auto& [pid, ranges] : seen.mappings)
    corrected_bytes_ += resources_.reconcile_mappings(pid, ranges, epoch(), seen.ts_ns);
  resources_.write_mappings(seen.ts_ns);
  resources_.write_births(cycle);
}

// What the phases that are over have shown; with `end_ns`, the one that goes on too.
void Tracer::Pump::write_load(std::optional<std::uint64_t> end_ns) {
  if (!session_) return;
  const auto open = session_->read_loops();
  drain();  // the rounds that had ended by then
  const auto waits = session_->take_upstream_waits(end_ns ? std::nullopt : std::optional(epoch()));
  if (!open || !waits) {
    note(cycle_of(epoch()), (open ? waits.error() : open.error()).message());
    return;
  }
  if (end_ns)
    loops_.finish(*open, *end_ns);
  else
    loops_.write(*open);
  for (const auto& [key, wait] : *waits) {
    IpAddress address;
    std::copy(std::begin(key.address), std::end(key.address), address.begin());
    recording_->add(UpstreamWait{.cycle = cycle_of(key.epoch),
                                 .phase = phase_of(key.epoch),
                                 .address = address_text(address),
                                 .port = key.port,
                                 .answers = wait.answers,
                                 .total_ns = wait.total_ns,
                                 .longest_ns = wait.longest_ns});
  }
}

// Who holds the connections is asked while they are up.
void Tracer::Pump::add_holders(const Measurement& request, const Observation& seen,
                               std::vector<Gauge>& gauges) {
  const auto holders = find_socket_holders(target_, seen.fds, cycle_start_ticks_);
  if (!holders) return;
  const auto add = [&](GaugeKind kind, std::uint64_t count) {
    gauges.push_back(
        {request.cycle, request.point, kind, seen.ts_ns, static_cast<std::int64_t>(count)});
  };
  add(GaugeKind::sockets_held, holders->traced);
  add(GaugeKind::sockets_held_elsewhere, holders->elsewhere);
  if (holders->others.empty() || std::exchange(noted_holders_, true)) return;
  note(request.cycle,
       fmt::format("connections are held by {}, which {} not traced",
                   name_processes(holders->others), holders->others.size() == 1 ? "is" : "are"));
}

// Reading gigabytes takes seconds: then not at each settle point, so that it is a fifth of the run
// at most.
void Tracer::Pump::add_malloc(const Measurement& request, std::vector<Gauge>& gauges) {
  const std::uint64_t start_ns = monotonic_ns();
  if (mallocs_.empty() || start_ns - malloc_read_ns_ < 4 * malloc_took_ns_) return;
  MallocUse sum;
  for (MallocCensus& census : mallocs_) {
    const auto use = census.take();
    if (!use) {
      if (!target_gone_ && !std::exchange(noted_malloc_, true))
        note(request.cycle, use.error().message());
      return;
    }
    sum += *use;
  }
  malloc_read_ns_ = monotonic_ns();
  malloc_took_ns_ = malloc_read_ns_ - start_ns;
  for (const auto& [kind, value] : malloc_values(sum))
    gauges.push_back({request.cycle, request.point, kind, start_ns, value});
}

void Tracer::Pump::note_new_workers(std::uint32_t cycle) {
  if (noted_new_workers_) return;
  const auto workers = find_new_workers(target_);
  if (workers.empty()) return;
  noted_new_workers_ = true;
  note(cycle, fmt::format("started during the run, so that what {} is not measured: {}",
                          workers.size() == 1 ? "it holds" : "they hold", name_processes(workers)));
}

void Tracer::Pump::note(std::uint32_t cycle, std::string text) {
  recording_->add(Note{monotonic_ns(), cycle, std::move(text)});
}

Symbolizer& Tracer::Pump::symbolizer_of(std::int32_t pid) {
  const auto [entry, is_new] = symbolizers_.try_emplace(pid, pid);
  if (is_new) (void)entry->second.refresh();
  return entry->second;
}

void Tracer::Pump::write_stack(std::uint64_t id, std::int32_t pid) {
  if (id == 0 || !session_ || !written_stacks_.insert(id).second) return;
  const auto stack = session_->read_stack(id);
  if (!stack) return;
  const std::size_t depth = std::min<std::size_t>(stack->depth, EBB_STACK_DEPTH);
  const std::vector<std::uint64_t> addresses(stack->address, stack->address + depth);
  recording_->add(Stack{id, symbolizer_of(pid).resolve(addresses)});
}

void Tracer::Pump::write_losses() {
  if (!session_) return;
  const ebb_counters counters = session_->counters();
  const __u64 missed_runs = session_->missed_runs();
  const __u64 corrected_bytes = corrected_bytes_;
  for (const auto& [name, count] :
       {std::pair{"ring buffer records", counters.lost_records},
        std::pair{"sockets not followed (map full)", counters.lost_sockets},
        std::pair{"socket ends missed", counters.lost_ends},
        std::pair{"events missed (a program was running already)", missed_runs},
        std::pair{"map entries not deleted", counters.lost_deletes},
        std::pair{"mapping bytes corrected", corrected_bytes},
        std::pair{"stacks not readable", counters.lost_stacks},
        std::pair{"stacks not kept (map full)", counters.lost_stack_room},
        std::pair{"stack hash collisions", counters.stack_collisions},
        std::pair{"children not followed (map full)", counters.lost_tasks},
        std::pair{"garbage collections seen by half", counters.lost_gc},
        std::pair{"event loops not followed (map full)", counters.lost_loops},
        std::pair{"upstream answers not kept (map full)", counters.lost_answers},
        std::pair{"page fault samples over budget", counters.lost_faults}})
    recording_->add(Loss{name, count});
}

void Tracer::Pump::write_faults() {
  if (!session_ || options_.fault_period == 0) return;
  const auto faults = session_->read_faults();
  if (!faults) {
    note(cycle_of(epoch()), faults.error().message());
    return;
  }
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> samples_of;  // cycle and stack
  for (const auto& [key, samples] : *faults) {
    write_stack(key.stack_id, static_cast<std::int32_t>(key.tgid));
    samples_of[{key.cycle, key.stack_id}] += samples;
  }
  for (const auto& [key, samples] : samples_of)
    recording_->add(FaultCount{key.first, key.second, options_.fault_period, samples});
}

}  // namespace ebbtide
