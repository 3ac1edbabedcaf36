#include "tracer/features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "tracer/proc.h"

namespace ebbtide {
namespace {

constexpr const char* btf_path = "/sys/kernel/btf/vmlinux";

Feature probe_btf() {
  Feature feature{.name = "BTF", .on = access(btf_path, R_OK) == 0, .detail = {}, .remedy = {}};
  feature.detail = feature.on ? "the kernel describes its own types"
                              : fmt::format("{}: {}: this kernel does not describe its own types",
                                            btf_path, std::strerror(errno));
  if (!feature.on)
    feature.remedy =
        "boot a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian's have it since 11), or run with "
        "--no-ebpf";
  return feature;
}

// A two-instruction program; the kernel answers EPERM when the right is missing.
Feature probe_rights() {
  const bpf_insn exit_0[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
                             {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  const int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "probe", "GPL", exit_0, 2, nullptr);
  const int code = errno;
  Feature feature{.name = "eBPF rights", .on = fd >= 0, .detail = {}, .remedy = {}};
  if (fd >= 0) {
    close(fd);
    feature.detail = "tracing programs load";
    return feature;
  }
  feature.detail = fmt::format("the kernel refuses tracing programs: {}", std::strerror(code));
  feature.remedy = code == EPERM ? "run with sudo, or grant CAP_BPF, CAP_PERFMON and "
                                   "CAP_SYS_PTRACE (setcap), or run with --no-ebpf"
                                 : "boot a kernel with CONFIG_BPF_SYSCALL=y, or run with --no-ebpf";
  return feature;
}

Feature probe_ring_buffer() {
  LIBBPF_OPTS(bpf_map_create_opts, options);
  const auto page = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
  const int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "probe", 0, 0, page, &options);
  const int code = errno;
  Feature feature{.name = "ring buffer", .on = fd >= 0, .detail = {}, .remedy = {}};
  if (fd >= 0) {
    close(fd);
    feature.detail = "events come in order, losses are counted";
  } else {
    feature.detail = fmt::format("the kernel has no BPF ring buffer: {}", std::strerror(code));
    feature.remedy = "boot Linux 5.8 or later (commit 457f44363a88), or run with --no-ebpf";
  }
  return feature;
}

Feature probe_tracepoint(const char* name) {
  Feature feature{.name = fmt::format("tp_btf/{}", name), .on = false, .detail = {}, .remedy = {}};
  const int id = libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP);
  feature.on = id > 0;
  feature.detail = feature.on ? "there" : "the kernel has no such tracepoint";
  return feature;
}

// One of the kernel's own types, if it has it.
class KernelStruct {
 public:
  explicit KernelStruct(const char* name) : types_(btf__load_vmlinux_btf(), btf__free) {
    if (!types_) return;
    const int id = btf__find_by_name_kind(types_.get(), name, BTF_KIND_STRUCT);
    if (id > 0) type_ = btf__type_by_id(types_.get(), static_cast<__u32>(id));
  }

  [[nodiscard]] bool there() const { return type_ != nullptr; }

  [[nodiscard]] bool has_member(const std::string& name) const {
    for (int i = 0; there() && i < btf_vlen(type_); i++) {
      if (name == btf__name_by_offset(types_.get(), btf_members(type_)[i].name_off)) return true;
    }
    return false;
  }

 private:
  std::unique_ptr<btf, void (*)(btf*)> types_;
  const btf_type* type_ = nullptr;
};

bool kernel_has_helper(bpf_func_id helper) {
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, helper, nullptr) == 1;
}

int perf_event_paranoid() {
  int level = -1;
  std::ifstream("/proc/sys/kernel/perf_event_paranoid") >> level;
  return level;
}

}  // namespace

std::vector<Feature> probe_base_features() {
  libbpf_set_print(nullptr);
  std::vector<Feature> features{probe_rights(), probe_btf()};
  if (!features[0].on) return features;  // the others would only repeat the refusal
  features.push_back(probe_ring_buffer());
  if (!features[1].on) return features;
  for (const char* name : {"inet_sock_set_state", "sys_exit", "sched_process_fork",
                           "sched_process_exit", "sched_process_exec"}) {
    features.push_back(probe_tracepoint(name));
    if (!features.back().on) features.back().remedy = "run with --no-ebpf";
  }
  return features;
}

bool kernel_has_vma_iterator() { return KernelStruct("bpf_iter__task_vma").there(); }

bool kernel_walks_maps() { return kernel_has_helper(BPF_FUNC_for_each_map_elem); }

Feature probe_event_loop() {
  Feature feature = probe_tracepoint("sched_switch");
  feature.name = "event loop";
  if (feature.on && !kernel_has_helper(BPF_FUNC_task_pt_regs)) {
    feature.on = false;
    feature.detail = "the kernel does not say which system call a thread sleeps in";
    feature.remedy = "boot Linux 5.15 or later (commit dd6e10fbd9fb)";
  }
  if (feature.on) feature.detail = "busy share and stalls of each thread that uses epoll_wait";
  return feature;
}

Feature probe_upstream() {
  Feature feature = probe_tracepoint("tcp_probe");
  feature.name = "upstream waits";
  if (feature.on && !KernelStruct("tcp_sock").has_member("first_tx_mstamp")) {
    feature.on = false;
    feature.detail = "the kernel keeps no first_tx_mstamp: when bytes were sent is not known";
  }
  if (feature.on)
    feature.detail = "time to the answer on outgoing TCP connections; Unix sockets are not seen";
  return feature;
}

Feature probe_uprobes() {
  Feature feature{.name = "uprobes", .on = false, .detail = {}, .remedy = {}};
  std::uint32_t type = 0;
  if (!(std::ifstream("/sys/bus/event_source/devices/uprobe/type") >> type)) {
    feature.detail = "the kernel was built without uprobes";
    return feature;
  }
  // An own function as the site: the right is checked before anything is placed.
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = type;
  const char* path = "/proc/self/exe";
  attributes.config1 = reinterpret_cast<std::uintptr_t>(path);
  attributes.disabled = 1;
  const long fd = syscall(SYS_perf_event_open, &attributes, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);
  const int code = errno;
  if (fd >= 0) close(static_cast<int>(fd));
  feature.on = fd >= 0 || (code != EACCES && code != EPERM);
  feature.detail = feature.on
                       ? "garbage collections are seen without the inspector"
                       : fmt::format("perf_event_open: {} (kernel.perf_event_paranoid is {})",
                                     std::strerror(code), perf_event_paranoid());
  if (!feature.on) feature.remedy = "run with sudo, or grant CAP_SYS_ADMIN";
  return feature;
}

Feature probe_process_access(int pid) {
  const auto rollup = read_memory_rollup(pid);
  const auto fds = read_fds(pid);
  Feature feature{.name = "process access", .on = rollup && fds, .detail = {}, .remedy = {}};
  feature.detail = feature.on ? "memory maps and fds are readable"
                   : !rollup  ? rollup.error().message()
                              : fds.error().message();
  if (!feature.on) feature.remedy = "run as the process' user or with sudo (CAP_SYS_PTRACE)";
  return feature;
}

}  // namespace ebbtide
