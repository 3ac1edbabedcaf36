#include "tracer/resource_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tracer/birth.h"
#include "tracer/tcp_table.h"

namespace ebbtide {
namespace {

// Mappings are numbered apart in each process: 2^42 is more than one ever makes.
constexpr unsigned numbers_of_a_process = 42;

std::uint64_t key_of(const FdObservation& seen) {
  return static_cast<std::uint64_t>(seen.pid) << 32 | static_cast<std::uint32_t>(seen.fd);
}

std::string address_of(const __u8* bytes) {
  IpAddress address;
  std::memcpy(address.data(), bytes, address.size());
  return address_text(address);
}

}  // namespace

ResourceTable::ResourceTable(const std::vector<std::int32_t>& pids, const Sink& sink)
    : sink_(sink) {
  for (const std::int32_t pid : pids)
    processes_.try_emplace(pid, pid, processes_.size() << numbers_of_a_process, sink);
}

ResourceTable::Process* ResourceTable::find(std::uint32_t tgid) {
  const auto process = processes_.find(static_cast<std::int32_t>(tgid));
  return process == processes_.end() ? nullptr : &process->second;
}

void ResourceTable::seed_mappings(std::int32_t pid,
                                  const std::vector<IntervalMap::Interval>& mappings,
                                  std::uint64_t heap_end) {
  processes_.at(pid).memory.seed(mappings, heap_end);
}

void ResourceTable::seed_threads(std::int32_t pid, const std::vector<TaskEntry>& threads) {
  for (const auto& [tid, comm] : threads) {
    Resource resource = born(ResourceKind::thread, ++last_task_, pid, 0, 0);
    resource.label = comm;
    sink_(resource);
    processes_.at(pid).threads.emplace(tid, std::move(resource));
  }
}

void ResourceTable::take(const ebb_header& header, std::size_t size) {
  const void* record = &header;
  switch (header.type) {
    case EBB_EVENT_SOCKET_END:
      if (size >= sizeof(ebb_socket_event))
        on_socket_end(static_cast<const ebb_socket_event*>(record)->socket);
      break;
    case EBB_EVENT_MAPPING:
      if (Process* process = find(header.tgid); process && size >= sizeof(ebb_mapping_event))
        process->memory.take(*static_cast<const ebb_mapping_event*>(record));
      break;
    case EBB_EVENT_TASK:
      if (size >= sizeof(ebb_task_event)) on_task(*static_cast<const ebb_task_event*>(record));
      break;
    case EBB_EVENT_GC:
      if (size >= sizeof(ebb_gc_event)) on_gc(*static_cast<const ebb_gc_event*>(record));
      break;
    case EBB_EVENT_FD:
      if (size >= sizeof(ebb_fd_event)) on_fd(*static_cast<const ebb_fd_event*>(record));
      break;
    default:
      break;
  }
}

// --- mappings -----------------------------------------------------------------------------------

std::uint64_t ResourceTable::reconcile_mappings(std::int32_t pid,
                                                const std::vector<IntervalMap::Interval>& truth,
                                                std::uint32_t epoch, std::uint64_t now_ns) {
  return processes_.at(pid).memory.reconcile(truth, epoch, now_ns);
}

void ResourceTable::write_mappings(std::uint64_t now_ns) {
  for (auto& [pid, process] : processes_) process.memory.write(now_ns);
}

std::uint64_t ResourceTable::mapped_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [pid, process] : processes_) bytes += process.memory.total_bytes();
  return bytes;
}

void ResourceTable::write_births(std::uint32_t cycle) {
  BirthCount mappings{.kind = ResourceKind::mapping, .cycle = cycle, .births = 0, .bytes = 0};
  for (const auto& [pid, process] : processes_) {
    const auto births = process.memory.born_in(cycle);
    mappings.births += births.count;
    mappings.bytes += births.bytes;
  }
  sink_(mappings);
  sink_(BirthCount{ResourceKind::thread, cycle, threads_born_[cycle], 0});
}

// --- sockets ------------------------------------------------------------------------------------

void ResourceTable::write_socket(const ebb_socket& socket, std::uint64_t end_ns) {
  const ResourceKind kind = socket.direction == EBB_ACCEPTED ? ResourceKind::accepted_socket
                                                             : ResourceKind::outgoing_socket;
  const auto holder = holder_of_socket_.find(socket.id);
  const Holder held = holder == holder_of_socket_.end() ? Holder{} : holder->second;
  Resource resource = born(kind, socket.id, held.pid, socket.birth_epoch, socket.born_ns);
  resource.death_ns = end_ns;
  SocketLife life;
  life.resource_id = resource.id;
  life.local_address = address_of(socket.local_address);
  life.remote_address = address_of(socket.remote_address);
  life.local_port = socket.local_port;
  life.remote_port = socket.remote_port;
  life.established_ns = socket.established_ns;
  life.end_ns = end_ns;
  life.closed_first = static_cast<ClosedFirst>(socket.closed_first);
  life.state = socket.state;
  life.fd = end_ns == 0 ? held.fd : -1;
  std::copy(std::begin(socket.ns_in_state), std::end(socket.ns_in_state), life.ns_in_state.begin());
  sink_(std::move(resource));
  sink_(std::move(life));
}

void ResourceTable::on_socket_end(const ebb_socket& socket) {
  open_sockets_.erase(socket.id);
  write_socket(socket, socket.changed_ns);
}

void ResourceTable::take_live_sockets(const std::vector<ebb_socket>& sockets,
                                      std::uint64_t now_ns) {
  std::unordered_map<std::uint64_t, ebb_socket> open;
  for (const ebb_socket& live : sockets) {
    ebb_socket socket = live;
    if (socket.state < EBB_TCP_STATES && now_ns > socket.changed_ns)
      socket.ns_in_state[socket.state] += now_ns - socket.changed_ns;  // the stay so far
    write_socket(socket, 0);
    open.emplace(socket.id, socket);
    open_sockets_.erase(socket.id);
  }
  // What is left was alive, is no more, and its end record was lost: it ended by now.
  for (const auto& [id, socket] : open_sockets_) write_socket(socket, now_ns);
  open_sockets_ = std::move(open);
}

// --- fds ----------------------------------------------------------------------------------------

void ResourceTable::end_fd(const HeldFd& held, std::uint64_t now_ns) {
  if (!held.written) return;
  Resource resource = held.resource;
  resource.death_ns = now_ns;
  sink_(std::move(resource));
}

void ResourceTable::take_fds(const std::vector<FdObservation>& fds, std::uint32_t epoch,
                             std::uint64_t now_ns) {
  std::unordered_map<FdKey, HeldFd> now_held;
  holder_of_socket_.clear();
  for (const FdObservation& seen : fds) {
    if (seen.socket_id != 0) holder_of_socket_.try_emplace(seen.socket_id, seen.pid, seen.fd);
    HeldFd held;
    const FdKey key = key_of(seen);
    const auto before = fds_.find(key);
    if (before != fds_.end() && before->second.seen.identity == seen.identity) {
      held = std::move(before->second);
      fds_.erase(before);
    } else {
      // The kernel keeps no time of birth: it is dated by the census that first saw it.
      held.resource = born(ResourceKind::fd, ++last_fd_, seen.pid, epoch, epoch == 0 ? 0 : now_ns);
    }
    held.seen = seen;
    if (seen.socket_id == 0 && !held.written) {
      held.resource.label = seen.label;
      held.written = true;
      sink_(held.resource);
    }
    now_held.emplace(key, std::move(held));
  }
  for (const auto& [fd, gone] : fds_) end_fd(gone, now_ns);
  fds_ = std::move(now_held);
}

void ResourceTable::on_fd(const ebb_fd_event& event) {
  FdEvent row{.ts_ns = event.header.ts_ns,
              .cycle = cycle_of(event.header.epoch),
              .tid = static_cast<std::int32_t>(event.header.tid),
              .operation = static_cast<FdOperation>(event.operation - EBB_FD_ACCEPT),
              .fd = event.fd};
  sink_(row);
}

// --- tasks and garbage collections --------------------------------------------------------------

void ResourceTable::begin_task(ResourceKind kind, const ebb_task_event& event, Tasks& tasks) {
  Resource resource = born(kind, ++last_task_, static_cast<std::int32_t>(event.header.tgid),
                           event.header.epoch, event.header.ts_ns);
  resource.label = std::string(event.comm, strnlen(event.comm, sizeof event.comm));
  sink_(resource);
  tasks[static_cast<std::int32_t>(event.task_tid)] = std::move(resource);
}

void ResourceTable::end_task(const ebb_task_event& event, Tasks& tasks) {
  const auto task = tasks.find(static_cast<std::int32_t>(event.task_tid));
  if (task == tasks.end()) return;
  task->second.death_ns = event.header.ts_ns;
  sink_(std::move(task->second));
  tasks.erase(task);
}

void ResourceTable::on_task(const ebb_task_event& event) {
  if (event.operation == EBB_TASK_CHILD_EXIT) {
    end_task(event, children_);
    return;
  }
  Process* process = find(event.header.tgid);
  if (process == nullptr) return;
  switch (event.operation) {
    case EBB_TASK_THREAD:
      threads_born_[cycle_of(event.header.epoch)]++;
      begin_task(ResourceKind::thread, event, process->threads);
      break;
    case EBB_TASK_CHILD:
      begin_task(ResourceKind::child, event, children_);
      break;
    case EBB_TASK_THREAD_EXIT:
      end_task(event, process->threads);
      if (process->threads.empty() || event.task_tid == event.task_tgid) {
        process->end.exited = true;
        process->end.exit_code = event.exit_code;
      }
      break;
    case EBB_TASK_EXEC:
      process->end.exec = true;
      break;
    default:
      break;
  }
}

void ResourceTable::on_gc(const ebb_gc_event& event) {
  sink_(Gc{.start_ns = event.start_ns,
           .end_ns = event.header.ts_ns,
           .tid = static_cast<std::int32_t>(event.header.tid),
           .cycle = cycle_of(event.header.epoch),
           .collector = static_cast<Collector>(std::min(event.collector, 2U)),
           .used_bytes = event.used_bytes,
           .committed_bytes = event.committed_bytes});
}

}  // namespace ebbtide
