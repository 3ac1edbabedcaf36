#include "tracer/fd_census.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <unordered_map>

#include "tracer/proc.h"
#include "tracer/tcp_table.h"

namespace ebbtide {
namespace {

FdObservation observe_socket(const ebb_fd_record& record, FdObservation seen) {
  if (record.family == AF_UNIX) {
    seen.kind = GaugeKind::fd_unix;
    seen.label = "unix socket";
  } else if (record.protocol == IPPROTO_TCP) {
    seen.kind = GaugeKind::fd_tcp;
    seen.label = record.state == tcp_listen  ? "tcp (listening)"
                 : record.state == tcp_close ? "tcp (closed)"
                                             : "tcp socket";
  } else if (record.protocol == IPPROTO_UDP) {
    seen.kind = GaugeKind::fd_udp;
    seen.label = "udp socket";
  } else {
    seen.label = "other socket";
  }
  return seen;
}

FdObservation observe(std::int32_t pid, const ebb_fd_record& record) {
  // A file's address may serve again for another file; the inode tells most of them apart.
  FdObservation seen{.pid = pid,
                     .fd = static_cast<std::int32_t>(record.fd),
                     .identity = record.file ^ record.inode * 0x9e3779b97f4a7c15ULL,
                     .kind = GaugeKind::fd_other,
                     .label = "other",
                     .socket_id = record.socket_id,
                     .inode = record.mode == S_IFSOCK ? record.inode : 0};
  switch (record.mode) {
    case S_IFSOCK:
      return observe_socket(record, std::move(seen));
    case S_IFIFO:
      seen.kind = GaugeKind::fd_pipe;
      seen.label = "pipe";
      break;
    case S_IFREG:
    case S_IFDIR:
      seen.kind = GaugeKind::fd_file;
      seen.label = "file";
      break;
    case 0:
      seen.kind = GaugeKind::fd_event;
      seen.label = "event (epoll, eventfd, timer)";
      break;
    default:
      break;
  }
  return seen;
}

// What a /proc/PID/fd link says, in the iterator's terms.
ebb_fd_record record_of(const FdEntry& entry,
                        const std::unordered_map<std::uint64_t, std::uint8_t>& tcp_states) {
  ebb_fd_record record{};
  record.fd = static_cast<__u32>(entry.fd);
  record.file = std::hash<std::string>{}(entry.link);
  if (const auto inode = socket_inode(entry.link)) {
    record.mode = S_IFSOCK;
    record.inode = *inode;
    if (const auto state = tcp_states.find(*inode); state != tcp_states.end()) {
      record.family = AF_INET;
      record.protocol = IPPROTO_TCP;
      record.state = state->second;
    }
  } else if (entry.link.rfind("pipe:", 0) == 0) {
    record.mode = S_IFIFO;
  } else if (entry.link.rfind("anon_inode:", 0) == 0) {
    record.mode = 0;
  } else if (entry.link.rfind("/dev/", 0) == 0) {
    record.mode = S_IFCHR;
  } else {
    record.mode = S_IFREG;
  }
  return record;
}

}  // namespace

std::vector<FdObservation> observe_fds(std::int32_t pid,
                                       const std::vector<ebb_fd_record>& records) {
  std::vector<FdObservation> fds;
  fds.reserve(records.size());
  for (const ebb_fd_record& record : records) fds.push_back(observe(pid, record));
  return fds;
}

Result<std::vector<FdObservation>> observe_fds(std::int32_t pid) {
  const auto entries = read_fds(pid);
  if (!entries) return entries.error();
  const auto table = read_tcp_table(pid);
  if (!table) return table.error();
  std::unordered_map<std::uint64_t, std::uint8_t> tcp_states;
  for (const TcpRow& row : *table) {
    if (row.inode != 0) tcp_states.emplace(row.inode, row.state);
  }
  std::vector<FdObservation> fds;
  for (const FdEntry& entry : *entries) {
    fds.push_back(observe(pid, record_of(entry, tcp_states)));
  }
  return fds;
}

}  // namespace ebbtide
