#include "tracer/tracer.h"

#include <fmt/format.h>

#include "tracer/bpf_session.h"
#include "tracer/features.h"
#include "tracer/proc.h"
#include "tracer/pump.h"
#include "tracer/v8/v8_target.h"

namespace ebbtide {
namespace {

Tier gc_tier(BpfSession& session, std::int32_t pid) {
  Tier tier{.name = "gc-uprobes", .on = false, .detail = {}};
  const auto found = find_v8(pid);
  if (!found || !*found) {
    tier.detail = found ? "the target is not V8" : found.error().message();
    return tier;
  }
  const V8Target& v8 = **found;
  if (!v8.gc_sites) {
    tier.detail = v8.gc_sites_missing;
    return tier;
  }
  const auto attached = session.attach_gc(pid, v8.file, *v8.gc_sites);
  tier.on = attached.has_value();
  tier.detail = tier.on ? "garbage collections with the heap's size" : attached.error().message();
  return tier;
}

// On when every process of the target is probed.
Tier gc_tier(BpfSession& session, const Target& target) {
  Tier tier;
  for (const TargetProcess& process : target.processes) {
    tier = gc_tier(session, process.pid);
    if (!tier.on) break;
  }
  return tier;
}

Tier optional_tier(const char* name, bool& wanted, Feature (*probe)()) {
  if (!wanted) return {name, false, "not asked for"};
  const Feature feature = probe();
  wanted = feature.on;
  return {name, feature.on, feature.detail};
}

void follow_waiting_loops(BpfSession& session, std::int32_t pid) {
  for (const TaskEntry& thread : read_threads(pid)) {
    if (sleeps_in_epoll_wait(pid, thread.tid)) session.follow_loop(pid, thread.tid);
  }
}

// Loads and attaches; the followed listeners are set before anything can fire.
Result<std::unique_ptr<BpfSession>> open_session(const Target& target,
                                                 const TracerOptions& options) {
  auto session = BpfSession::load({.tgids = pids_of(target),
                                   .fd_events = options.fd_events,
                                   .event_loop = options.event_loop,
                                   .upstream = options.upstream,
                                   .fault_period = options.fault_period,
                                   .ring_bytes = options.ring_bytes});
  if (!session) return session;
  if (auto followed = (*session)->follow_listeners(target.netns, target.listeners); !followed)
    return followed.error();
  if (auto attached = (*session)->attach(); !attached) return attached.error();
  for (const std::int32_t pid : pids_of(target)) {
    if (options.event_loop) follow_waiting_loops(**session, pid);
    if (auto adopted = (*session)->read_fds(pid, true); !adopted) return adopted.error();
  }
  return session;
}

}  // namespace

Tracer::Tracer(std::unique_ptr<Pump> pump) : pump_(std::move(pump)) {}
Tracer::~Tracer() = default;

Result<std::unique_ptr<Tracer>> Tracer::attach(const Target& target, const TracerOptions& wanted,
                                               std::unique_ptr<RecordingWriter> recording) {
  std::vector<Tier> tiers{{"proc", true, "gauges, fd table, connection outcomes"}};
  std::unique_ptr<BpfSession> session;
  TracerOptions options = wanted;
  const Tier loops = optional_tier("event-loop", options.event_loop, probe_event_loop);
  const Tier upstream = optional_tier("upstream", options.upstream, probe_upstream);
  if (!options.ebpf) {
    tiers.push_back({"ebpf", false, "refused by --no-ebpf"});
  } else if (auto opened = open_session(target, options); opened) {
    session = *std::move(opened);
    tiers.push_back(
        {"ebpf", true, "sockets by TCP state, mappings with stacks, threads, children"});
    tiers.push_back(gc_tier(*session, target));
    tiers.push_back({"fd-events", options.fd_events,
                     options.fd_events ? "every accept, close and shutdown" : "not asked for"});
    tiers.push_back({"page-faults", options.fault_period > 0,
                     options.fault_period > 0
                         ? fmt::format("1 in {} with its stack", options.fault_period)
                         : "not asked for"});
    tiers.push_back(loops);
    tiers.push_back(upstream);
  } else {
    const Error& error = opened.error();
    tiers.push_back({"ebpf", false,
                     error.remedy.empty() ? error.message()
                                          : fmt::format("{}; {}", error.message(), error.remedy)});
  }
  auto pump = std::make_unique<Pump>(target, std::move(session), std::move(recording));
  if (auto started = pump->start(std::move(tiers), options); !started) return started.error();
  return std::unique_ptr<Tracer>(new Tracer(std::move(pump)));
}

const std::vector<Tier>& Tracer::tiers() const { return pump_->tiers(); }
void Tracer::set_epoch(std::uint32_t cycle, Phase phase) { pump_->set_epoch(cycle, phase); }
Activity Tracer::activity() const { return pump_->activity(); }
void Tracer::record(Record row) { pump_->record(std::move(row)); }

void Tracer::measure(std::uint32_t cycle, Point point, std::vector<Gauge> extra, Measured done) {
  pump_->measure(cycle, point, std::move(extra), std::move(done));
}

Result<RunEnd> Tracer::finish(RunEnd end) { return pump_->finish(std::move(end)); }

}  // namespace ebbtide
