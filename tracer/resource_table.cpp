#include "tracer/resource_table.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tracer/tcp_table.h"

namespace ebbtide {
namespace {

// Resource ids are unique in the run: the kind above, a number of its own below.
std::uint64_t resource_id(ResourceKind kind, std::uint64_t number) {
  return (static_cast<std::uint64_t>(kind) + 1) << 48 | number;
}

std::uint32_t cycle_of(std::uint32_t epoch) { return epoch >> EBB_PHASE_BITS; }
Phase phase_of(std::uint32_t epoch) { return static_cast<Phase>(epoch & EBB_PHASE_MASK); }

Resource born(ResourceKind kind, std::uint64_t number, std::uint32_t epoch,
              std::uint64_t birth_ns) {
  Resource resource;
  resource.id = resource_id(kind, number);
  resource.kind = kind;
  resource.birth_cycle = cycle_of(epoch);
  resource.birth_phase = phase_of(epoch);
  resource.birth_ns = birth_ns;
  return resource;
}

std::string address_of(const __u8* bytes) {
  IpAddress address;
  std::memcpy(address.data(), bytes, address.size());
  return address_text(address);
}

// "anonymous rw", "file r-x": enough to tell a heap from a library.
std::string mapping_label(const ebb_mapping_event& event) {
  std::string label = (event.flags & MAP_ANONYMOUS) != 0 ? "anonymous " : "file ";
  label += (event.protection & PROT_READ) != 0 ? 'r' : '-';
  label += (event.protection & PROT_WRITE) != 0 ? 'w' : '-';
  label += (event.protection & PROT_EXEC) != 0 ? 'x' : '-';
  return label;
}

}  // namespace

ResourceTable::ResourceTable(std::int32_t tgid, Sink sink)
    : tgid_(tgid),
      sink_(std::move(sink)),
      page_bytes_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) {}

void ResourceTable::seed_mappings(const std::vector<IntervalMap::Interval>& mappings,
                                  std::uint64_t heap_end) {
  for (const auto& range : mappings) mappings_.map(range.start, range.end - range.start, 0);
  heap_end_ = heap_end;
}

void ResourceTable::seed_threads(const std::vector<std::pair<std::int32_t, std::string>>& threads) {
  for (const auto& [tid, comm] : threads) {
    Resource resource = born(ResourceKind::thread, ++last_task_, 0, 0);
    resource.label = comm;
    sink_(resource);
    threads_.emplace(tid, std::move(resource));
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
      if (size >= sizeof(ebb_mapping_event))
        on_mapping(*static_cast<const ebb_mapping_event*>(record));
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

IntervalMap::Owner ResourceTable::new_mapping(std::uint32_t epoch, std::uint64_t birth_ns,
                                              std::uint64_t stack_id, std::string label) {
  const IntervalMap::Owner owner = ++last_owner_;
  Resource resource = born(ResourceKind::mapping, owner, epoch, birth_ns);
  resource.stack_id = stack_id;
  resource.label = std::move(label);
  births_.emplace(owner, Mapping{std::move(resource), false});
  return owner;
}

void ResourceTable::on_mapping(const ebb_mapping_event& event) {
  const auto pages = [this](std::uint64_t bytes) {
    return (bytes + page_bytes_ - 1) & ~(page_bytes_ - 1);
  };
  const std::uint64_t before = mappings_.total_bytes();
  const std::uint32_t epoch = event.header.epoch;
  const auto owner = [&](std::string label) {
    return new_mapping(epoch, event.header.ts_ns, event.stack_id, std::move(label));
  };
  switch (event.operation) {
    case EBB_MMAP:
      mappings_.map(event.address, pages(event.length), owner(mapping_label(event)));
      break;
    case EBB_MUNMAP:
      mappings_.unmap(event.address, pages(event.length));
      return;
    case EBB_MREMAP:
      mappings_.remap(event.address,
                      (event.flags & MREMAP_DONTUNMAP) != 0 ? 0 : pages(event.length),
                      event.new_address, pages(event.new_length), owner("mremap"));
      break;
    case EBB_BRK:
      on_break(event, owner("heap (brk)"));
      break;
    default:
      return;
  }
  if (mappings_.total_bytes() <= before && event.operation != EBB_MMAP) return;
  Born& count = mappings_born_[cycle_of(epoch)];
  count.count++;
  count.bytes +=
      event.operation == EBB_MMAP ? pages(event.length) : mappings_.total_bytes() - before;
}

void ResourceTable::on_break(const ebb_mapping_event& event, IntervalMap::Owner owner) {
  const std::uint64_t end = (event.address + page_bytes_ - 1) & ~(page_bytes_ - 1);
  if (heap_end_ != 0 && end > heap_end_) mappings_.map(heap_end_, end - heap_end_, owner);
  if (end < heap_end_) mappings_.unmap(end, heap_end_ - end);
  heap_end_ = end;
}

void ResourceTable::write_mappings(std::uint64_t now_ns) {
  for (auto it = births_.begin(); it != births_.end();) {
    Mapping& mapping = it->second;
    const std::uint64_t bytes = mappings_.bytes_of(it->first);
    const bool changed = bytes != mapping.resource.size_bytes || !mapping.written;
    if (bytes == 0) {
      mapping.resource.death_ns = now_ns;
      if (mapping.written) sink_(mapping.resource);
      it = births_.erase(it);
      continue;
    }
    if (changed) {
      mapping.resource.size_bytes = bytes;
      mapping.written = true;
      sink_(mapping.resource);
    }
    ++it;
  }
}

std::uint64_t ResourceTable::reconcile_mappings(const std::vector<IntervalMap::Interval>& truth,
                                                std::uint32_t epoch, std::uint64_t now_ns) {
  return mappings_.reconcile(truth, new_mapping(epoch, now_ns, 0, "not seen being mapped"));
}

void ResourceTable::write_births(std::uint32_t cycle) {
  const Born& mappings = mappings_born_[cycle];
  sink_(BirthCount{ResourceKind::mapping, cycle, mappings.count, mappings.bytes});
  sink_(BirthCount{ResourceKind::thread, cycle, threads_born_[cycle], 0});
}

// --- sockets ------------------------------------------------------------------------------------

void ResourceTable::write_socket(const ebb_socket& socket, std::uint64_t end_ns) {
  const ResourceKind kind = socket.direction == EBB_ACCEPTED ? ResourceKind::accepted_socket
                                                             : ResourceKind::outgoing_socket;
  const bool seen_born = socket.established_ns != 0 || socket.birth_epoch != 0;
  Resource resource =
      born(kind, socket.id, socket.birth_epoch, seen_born ? socket.established_ns : 0);
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
  const auto fd = fd_of_socket_.find(socket.id);
  life.fd = fd == fd_of_socket_.end() ? -1 : fd->second;
  std::copy(std::begin(socket.ns_in_state), std::end(socket.ns_in_state), life.ns_in_state.begin());
  sink_(std::move(resource));
  sink_(std::move(life));
}

void ResourceTable::on_socket_end(const ebb_socket& socket) {
  fd_of_socket_.erase(socket.id);
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
  std::unordered_map<std::int32_t, HeldFd> now_held;
  fd_of_socket_.clear();
  for (const FdObservation& seen : fds) {
    if (seen.socket_id != 0) fd_of_socket_[seen.socket_id] = seen.fd;
    HeldFd held;
    const auto before = fds_.find(seen.fd);
    if (before != fds_.end() && before->second.seen.identity == seen.identity) {
      held = std::move(before->second);
      fds_.erase(before);
    } else {
      // The kernel keeps no time of birth: it is dated by the census that first saw it.
      held.resource = born(ResourceKind::fd, ++last_fd_, epoch, epoch == 0 ? 0 : now_ns);
    }
    held.seen = seen;
    if (seen.socket_id == 0 && !held.written) {
      held.resource.label = seen.label;
      held.written = true;
      sink_(held.resource);
    }
    now_held.emplace(seen.fd, std::move(held));
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

std::unordered_map<std::int32_t, Resource>& ResourceTable::tasks(ResourceKind kind) {
  return kind == ResourceKind::thread ? threads_ : children_;
}

void ResourceTable::begin_task(ResourceKind kind, const ebb_task_event& event) {
  Resource resource = born(kind, ++last_task_, event.header.epoch, event.header.ts_ns);
  resource.label = std::string(event.comm, strnlen(event.comm, sizeof event.comm));
  sink_(resource);
  tasks(kind)[static_cast<std::int32_t>(event.task_tid)] = std::move(resource);
}

void ResourceTable::end_task(ResourceKind kind, const ebb_task_event& event) {
  auto& alive = tasks(kind);
  const auto task = alive.find(static_cast<std::int32_t>(event.task_tid));
  if (task == alive.end()) return;
  task->second.death_ns = event.header.ts_ns;
  sink_(std::move(task->second));
  alive.erase(task);
}

void ResourceTable::on_task(const ebb_task_event& event) {
  switch (event.operation) {
    case EBB_TASK_THREAD:
      threads_born_[cycle_of(event.header.epoch)]++;
      begin_task(ResourceKind::thread, event);
      break;
    case EBB_TASK_CHILD:
      begin_task(ResourceKind::child, event);
      break;
    case EBB_TASK_THREAD_EXIT:
      end_task(ResourceKind::thread, event);
      if (threads_.empty() || static_cast<std::int32_t>(event.task_tid) == tgid_) {
        target_end_.exited = true;
        target_end_.exit_code = event.exit_code;
      }
      break;
    case EBB_TASK_CHILD_EXIT:
      end_task(ResourceKind::child, event);
      break;
    case EBB_TASK_EXEC:
      target_end_.exec = true;
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
