#include "tracer/bpf_session.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ebbtide.skel.h"
#include "recording/clock.h"
#include "tracer/features.h"

namespace ebbtide {
namespace {

struct SkeletonCloser {
  void operator()(ebbtide_bpf* skeleton) const { ebbtide_bpf::destroy(skeleton); }
};
struct LinkCloser {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
struct RingCloser {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
using Link = std::unique_ptr<bpf_link, LinkCloser>;

// Why the kernel refused, as far as it can be told apart.
Error load_error(int code) {
  for (const Feature& feature : probe_base_features()) {
    if (!feature.on) return {"load", "the eBPF programs", feature.detail, feature.remedy};
  }
  return {"load", "the eBPF programs", std::strerror(code),
          "`ebbtide doctor` shows what this machine allows; --no-ebpf runs on /proc alone"};
}

// All entries of a hash map, in batches.
template <class Key, class Value>
Result<std::vector<std::pair<Key, Value>>> read_map(const bpf_map* map) {
  std::vector<std::pair<Key, Value>> entries;
  const int fd = bpf_map__fd(map);
  constexpr std::uint32_t batch = 4096;
  std::vector<Key> keys(batch);
  std::vector<Value> values(batch);
  std::uint32_t position = 0;
  for (bool first = true;; first = false) {
    std::uint32_t count = batch;
    const int failed = bpf_map_lookup_batch(fd, first ? nullptr : &position, &position, keys.data(),
                                            values.data(), &count, nullptr);
    if (failed != 0 && errno != ENOENT)
      return Error{"read", fmt::format("the map {}", bpf_map__name(map)), std::strerror(errno), ""};
    for (std::uint32_t i = 0; i < count; i++) entries.emplace_back(keys[i], values[i]);
    if (failed != 0) break;
  }
  return entries;
}

// Appends a record that lies beyond the last one; false when it brings nothing new.
bool append_beyond(std::vector<ebb_fd_record>& records, const ebb_fd_record& next) {
  if (!records.empty() && next.fd <= records.back().fd) return false;
  records.push_back(next);
  return true;
}

bool append_beyond(std::vector<ebb_vma_record>& records, const ebb_vma_record& next) {
  if (records.empty() || next.start >= records.back().end) {
    records.push_back(next);
    return true;
  }
  if (next.end <= records.back().end) return false;
  records.back().end = next.end;  // merged with its neighbour since that was read
  return true;
}

// Runs an iterator over a process' leader and returns its records.
template <class Record>
Result<std::vector<Record>> run_iterator(bpf_program* program, std::int32_t tgid) {
  bpf_iter_link_info scope = {};
  scope.task.tid = static_cast<std::uint32_t>(tgid);
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &scope, .link_info_len = sizeof(scope));
  Link link(bpf_program__attach_iter(program, &options));
  // Before 6.1 an iterator takes no task; the program itself passes over the others.
  if (!link) link.reset(bpf_program__attach_iter(program, nullptr));
  if (!link) return Error{"attach", bpf_program__name(program), std::strerror(errno), ""};
  const int fd = bpf_iter_create(bpf_link__fd(link.get()));
  if (fd < 0) return Error{"run", bpf_program__name(program), std::strerror(errno), ""};
  std::vector<Record> records;
  char chunk[256 * sizeof(Record)];
  ssize_t length = 0;
  // A task_vma iterator of one thread need not end by itself (seen on 6.18): once it has let go of
  // the address space in mid-pass, for a waiting writer or a full buffer, each read after the last
  // mapping begins there again. A read that brings nothing new is therefore the end.
  for (bool progress = true; progress;) {
    length = read(fd, chunk, sizeof chunk);
    progress = length < 0 && errno == EAGAIN;
    for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(Record)) <= length;
         at += sizeof(Record)) {
      Record record;
      std::memcpy(&record, chunk + at, sizeof record);
      progress |= append_beyond(records, record);
    }
  }
  const int code = errno;
  close(fd);
  if (length < 0) return Error{"read", bpf_program__name(program), std::strerror(code), ""};
  return records;
}

}  // namespace

struct BpfSession::Kernel {
  bool has_vma_iterator = true;
  std::unique_ptr<ebbtide_bpf, SkeletonCloser> skeleton;
  std::unique_ptr<ring_buffer, RingCloser> ring;
  std::vector<Link> links;
  const Consumer* consumer = nullptr;  // while drain() runs

  static int on_record(void* context, void* data, std::size_t size) {
    const auto* header = static_cast<const ebb_header*>(data);
    (*static_cast<Kernel*>(context)->consumer)(*header, size);
    return 0;
  }
};

BpfSession::BpfSession(std::unique_ptr<Kernel> kernel) : kernel_(std::move(kernel)) {}
BpfSession::~BpfSession() = default;

Result<std::unique_ptr<BpfSession>> BpfSession::load(const BpfOptions& options) {
  libbpf_set_print(nullptr);  // its hints mislead; load_error() finds the reason
  auto kernel = std::make_unique<Kernel>();
  kernel->skeleton.reset(ebbtide_bpf::open());
  if (!kernel->skeleton) return load_error(errno);
  ebbtide_bpf& skeleton = *kernel->skeleton;
  if (options.tgids.size() == 1)
    skeleton.rodata->target_tgid = static_cast<std::uint32_t>(options.tgids.front());
  skeleton.rodata->follow_fd_events = options.fd_events;
  if (options.fault_period > 0) skeleton.rodata->fault_period = options.fault_period;
  bpf_program__set_autoload(skeleton.progs.page_fault, options.fault_period > 0);
  skeleton.rodata->follow_loops = options.event_loop;
  bpf_program__set_autoload(skeleton.progs.task_switch, options.event_loop);
  bpf_program__set_autoload(skeleton.progs.tcp_segment, options.upstream);
  bpf_map__set_max_entries(skeleton.maps.ring, options.ring_bytes);
  kernel->has_vma_iterator = kernel_has_vma_iterator();
  bpf_program__set_autoload(skeleton.progs.census_vmas, kernel->has_vma_iterator);
  bpf_program__set_autoload(skeleton.progs.census_queues, kernel_walks_maps());
  if (const int failed = ebbtide_bpf::load(&skeleton); failed != 0) return load_error(-failed);
  for (const std::int32_t tgid : options.tgids) {
    const __u8 traced = 1;
    if (bpf_map__update_elem(skeleton.maps.targets, &tgid, sizeof tgid, &traced, sizeof traced,
                             BPF_ANY) != 0)
      return Error{"trace", fmt::format("pid {}", tgid), std::strerror(errno), ""};
  }
  kernel->ring.reset(
      ring_buffer__new(bpf_map__fd(skeleton.maps.ring), &Kernel::on_record, kernel.get(), nullptr));
  if (!kernel->ring) return load_error(errno);
  return std::unique_ptr<BpfSession>(new BpfSession(std::move(kernel)));
}

Result<void> BpfSession::follow_listeners(std::uint32_t netns,
                                          const std::vector<Listener>& listeners) {
  const bpf_map* map = kernel_->skeleton->maps.listeners;
  for (const Listener& listener : listeners) {
    ebb_listen_key key{.netns = netns, .port = listener.port, .padding = 0};
    ebb_listen_value value{};
    value.any_address = is_any_address(listener.address) ? 1 : 0;
    std::memcpy(value.address, listener.address.data(), sizeof value.address);
    ebb_listen_value known{};
    // A port listened on at two addresses is followed whatever the address.
    if (bpf_map__lookup_elem(map, &key, sizeof key, &known, sizeof known, 0) == 0 &&
        std::memcmp(known.address, value.address, sizeof value.address) != 0)
      value.any_address = 1;
    if (bpf_map__update_elem(map, &key, sizeof key, &value, sizeof value, BPF_ANY) != 0)
      return Error{"follow", fmt::format("port {}", listener.port), std::strerror(errno), ""};
  }
  return {};
}

Result<void> BpfSession::attach() {
  auto& progs = kernel_->skeleton->progs;
  for (bpf_program* program :
       {progs.socket_state, progs.syscall_exit, progs.task_fork, progs.task_exit, progs.task_exec,
        progs.page_fault, progs.task_switch, progs.tcp_segment}) {
    if (!bpf_program__autoload(program)) continue;
    Link link(bpf_program__attach(program));
    if (!link) {
      return Error{"attach", bpf_program__name(program), std::strerror(errno),
                   "`ebbtide doctor` shows what this machine allows"};
    }
    kernel_->links.push_back(std::move(link));
  }
  return {};
}

Result<void> BpfSession::attach_gc(std::int32_t tgid, const std::string& file,
                                   const GcSites& sites) {
  auto& progs = kernel_->skeleton->progs;
  struct Probe {
    bpf_program* program;
    bool at_return;
    std::uint64_t offset;
  };
  std::vector<Link> links;
  for (const Probe& probe :
       {Probe{progs.gc_begin, false, sites.prologue}, Probe{progs.gc_end, false, sites.epilogue},
        Probe{progs.gc_used, true, sites.size_of_objects},
        Probe{progs.gc_committed, true, sites.committed_memory}}) {
    if (probe.offset == 0) continue;
    Link link(bpf_program__attach_uprobe(probe.program, probe.at_return, tgid, file.c_str(),
                                         probe.offset));
    if (!link) {
      return Error{"probe", file, std::strerror(errno), "uprobes need CAP_SYS_ADMIN"};
    }
    links.push_back(std::move(link));
  }
  for (Link& link : links) kernel_->links.push_back(std::move(link));
  return {};
}

void BpfSession::follow_loop(std::int32_t tgid, std::int32_t tid) {
  const std::uint64_t now_ns = monotonic_ns();
  ebb_loop loop{};
  loop.turn_start_ns = loop.wait_start_ns = now_ns;
  loop.tgid = static_cast<__u32>(tgid);
  // Refused when it has begun a turn meanwhile.
  bpf_map__update_elem(kernel_->skeleton->maps.loops, &tid, sizeof tid, &loop, sizeof loop,
                       BPF_NOEXIST);
}

void BpfSession::set_epoch(std::uint32_t epoch) {
  __atomic_store_n(&kernel_->skeleton->bss->epoch, epoch, __ATOMIC_RELAXED);
}

ebb_counters BpfSession::counters() const { return kernel_->skeleton->bss->counters; }

std::uint32_t BpfSession::live_accepted(std::uint32_t cycle) const {
  return __atomic_load_n(&kernel_->skeleton->bss->live_accepted[cycle % EBB_CYCLE_SLOTS],
                         __ATOMIC_RELAXED);
}

std::size_t BpfSession::drain(const Consumer& consumer) {
  kernel_->consumer = &consumer;
  const int count = ring_buffer__consume(kernel_->ring.get());
  kernel_->consumer = nullptr;
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::uint64_t BpfSession::missed_runs() const {
  std::uint64_t missed = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, kernel_->skeleton->obj) {
    bpf_prog_info info{};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0)
      missed += info.recursion_misses;
  }
  return missed;
}

Result<std::vector<ebb_fd_record>> BpfSession::read_fds(std::int32_t tgid, bool adopt) {
  kernel_->skeleton->bss->census_tgid = static_cast<std::uint32_t>(tgid);
  kernel_->skeleton->bss->adopt_sockets = adopt ? 1 : 0;
  auto records = run_iterator<ebb_fd_record>(kernel_->skeleton->progs.census_fds, tgid);
  kernel_->skeleton->bss->adopt_sockets = 0;
  return records;
}

Result<std::vector<ebb_vma_record>> BpfSession::read_vmas(std::int32_t tgid) {
  if (!kernel_->has_vma_iterator)
    return Error{"run", "iter/task_vma", "this kernel does not have it (added in 5.12)", ""};
  kernel_->skeleton->bss->census_tgid = static_cast<std::uint32_t>(tgid);
  return run_iterator<ebb_vma_record>(kernel_->skeleton->progs.census_vmas, tgid);
}

std::optional<ebb_socket_queues> BpfSession::read_socket_queues() {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  const int fd = bpf_program__fd(kernel_->skeleton->progs.census_queues);
  if (fd < 0 || bpf_prog_test_run_opts(fd, &options) != 0) return std::nullopt;
  return kernel_->skeleton->bss->socket_queues;
}

Result<std::vector<ebb_socket>> BpfSession::read_sockets() const {
  const auto entries = read_map<__u64, ebb_socket>(kernel_->skeleton->maps.sockets);
  if (!entries) return entries.error();
  std::vector<ebb_socket> sockets;
  for (const auto& [address, socket] : *entries) {
    // One that has ended is there when it could not be deleted, which is counted.
    if (socket.state != tcp_close) sockets.push_back(socket);
  }
  return sockets;
}

std::optional<ebb_stack> BpfSession::read_stack(std::uint64_t id) const {
  ebb_stack stack{};
  const __u64 key = id;
  if (bpf_map__lookup_elem(kernel_->skeleton->maps.stacks, &key, sizeof key, &stack, sizeof stack,
                           0) != 0)
    return std::nullopt;
  return stack;
}

Result<std::vector<std::pair<ebb_fault_key, std::uint64_t>>> BpfSession::read_faults() const {
  return read_map<ebb_fault_key, std::uint64_t>(kernel_->skeleton->maps.faults);
}

Result<std::vector<std::pair<std::uint32_t, ebb_loop>>> BpfSession::read_loops() const {
  return read_map<std::uint32_t, ebb_loop>(kernel_->skeleton->maps.loops);
}

Result<BpfSession::UpstreamWaits> BpfSession::take_upstream_waits(
    std::optional<std::uint32_t> open_epoch) {
  const bpf_map* map = kernel_->skeleton->maps.upstream_waits;
  auto waits = read_map<ebb_upstream_key, ebb_upstream_wait>(map);
  if (!waits) return waits;
  std::erase_if(*waits, [&](const auto& wait) { return wait.first.epoch == open_epoch; });
  for (const auto& [key, wait] : *waits) bpf_map__delete_elem(map, &key, sizeof key, 0);
  return waits;
}

}  // namespace ebbtide
