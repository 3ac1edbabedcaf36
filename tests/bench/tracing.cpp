#include "tests/bench/tracing.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "bpf/event.h"
#include "tests/e2e/process.h"

#include "bench.skel.h"  // both need bpf/event.h
#include "ebbtide.skel.h"

namespace ebbtide {
namespace {

using namespace std::chrono_literals;

template <class Skeleton>
struct Loaded {
  Skeleton* skeleton = nullptr;
  bpf_link* link = nullptr;

  Loaded() = default;
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() {
    bpf_link__destroy(link);
    Skeleton::destroy(skeleton);
  }

  Result<void> attach(bpf_program* program) {
    link = bpf_program__attach(program);
    if (link == nullptr)
      return Error{"attach", bpf_program__name(program), std::strerror(errno), ""};
    return {};
  }
};

Result<void> add_listener(const bpf_map* map, const Target& target, const Listener& listener) {
  const ebb_listen_key key{.netns = target.netns, .port = listener.port, .padding = 0};
  const ebb_listen_value value{.any_address = 1, .padding = 0, .address = {}};
  if (bpf_map__update_elem(map, &key, sizeof key, &value, sizeof value, BPF_ANY) != 0)
    return Error{"add", "a listener", std::strerror(errno), ""};
  return {};
}

bool traced_by_ptrace(std::int32_t pid, std::int32_t tid) {
  std::ifstream status(fmt::format("/proc/{}/task/{}/status", pid, tid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("TracerPid:")) return line != "TracerPid:\t0";
  }
  return false;
}

}  // namespace

Result<Target> server_target(const Server& server) {
  IpAddress loopback{};
  loopback[10] = loopback[11] = 0xff;
  loopback[12] = 127;
  loopback[15] = 1;
  return find_target(loopback, server.port(), server.pid());
}

Result<std::shared_ptr<Tracer>> attach_tracer(const Target& target, const std::string& recording) {
  auto writer = RecordingWriter::create(recording);
  if (!writer) return writer.error();
  (*writer)->add(RunInfo{});
  auto tracer = Tracer::attach(target, {}, *std::move(writer));
  if (!tracer) return tracer.error();
  for (const Tier& tier : (*tracer)->tiers()) {
    if (!tier.on && (tier.name == "ebpf" || tier.name == "gc-uprobes"))
      return Error{"attach", tier.name, tier.detail, ""};
  }
  return std::shared_ptr<Tracer>(*std::move(tracer));
}

Result<Attached> attach_sockets_only(const Target& target) {
  auto loaded = std::make_shared<Loaded<ebbtide_bpf>>();
  loaded->skeleton = ebbtide_bpf::open();
  if (loaded->skeleton == nullptr)
    return Error{"open", "the eBPF programs", std::strerror(errno), ""};
  ebbtide_bpf& skeleton = *loaded->skeleton;
  skeleton.rodata->target_tgid = static_cast<std::uint32_t>(target.process.pid);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton.obj)
      bpf_program__set_autoload(program, program == skeleton.progs.socket_state);
  if (const int failed = ebbtide_bpf::load(&skeleton); failed != 0)
    return Error{"load", "the eBPF programs", std::strerror(-failed), ""};
  for (const Listener& listener : target.listeners) {
    if (auto added = add_listener(skeleton.maps.listeners, target, listener); !added)
      return added.error();
  }
  if (auto attached = loaded->attach(skeleton.progs.socket_state); !attached)
    return attached.error();
  return Attached(std::move(loaded));
}

Result<Attached> attach_no_work() {
  auto loaded = std::make_shared<Loaded<bench_bpf>>();
  loaded->skeleton = bench_bpf::open_and_load();
  if (loaded->skeleton == nullptr)
    return Error{"load", "the benchmark's programs", std::strerror(errno), ""};
  if (auto attached = loaded->attach(loaded->skeleton->progs.no_work); !attached)
    return attached.error();
  return Attached(std::move(loaded));
}

Result<Attached> attach_strace(const Target& target) {
  const std::int32_t pid = target.process.pid;
  auto strace = std::make_unique<Process>(
      std::vector<std::string>{"strace", "-f", "-qq", "-e", "trace=mmap,munmap,mremap,brk", "-o",
                               "/dev/null", "-p", std::to_string(pid)});
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  const auto every_thread = [pid] {
    for (const TaskEntry& task : read_threads(pid)) {
      if (!traced_by_ptrace(pid, task.tid)) return false;
    }
    return true;
  };
  while (!every_thread()) {
    if (std::chrono::steady_clock::now() > deadline) {
      strace->wait(0ms);
      return Error{"attach", "strace", strace->err(), ""};
    }
    std::this_thread::sleep_for(10ms);
  }
  // SIGTERM lets strace detach in order.
  return Attached(strace.release(), [](void* held) {
    const std::unique_ptr<Process> process(static_cast<Process*>(held));
    process->signal(SIGTERM);
    process->wait(5s);
  });
}

}  // namespace ebbtide
