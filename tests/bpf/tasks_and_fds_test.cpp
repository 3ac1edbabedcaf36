// Threads, children, the fd table, and how the target ends.
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"

namespace ebbtide {
namespace {

std::vector<Resource> of_kind(const Recording& recording, ResourceKind kind, std::uint32_t cycle) {
  std::vector<Resource> found;
  std::copy_if(recording.resources.begin(), recording.resources.end(), std::back_inserter(found),
               [=](const Resource& r) { return r.kind == kind && r.birth_cycle == cycle; });
  return found;
}

std::size_t alive(const std::vector<Resource>& resources) {
  return std::count_if(resources.begin(), resources.end(),
                       [](const Resource& r) { return r.death_ns == 0; });
}

TEST(Tasks, ThreadsAndChildrenAreBornAndDie) {
  Subject subject({{"act", [] {
                      for (int i = 0; i < 4; i++) std::thread([] {}).join();
                      std::thread(pause).detach();
                      for (int i = 0; i < 3; i++) {
                        const pid_t child = fork();
                        if (child == 0) _exit(0);
                        waitpid(child, nullptr, 0);
                      }
                      const pid_t kept = fork();
                      if (kept == 0) {
                        pause();
                        _exit(0);
                      }
                      return static_cast<std::int64_t>(kept);
                    }}});
  TracedRun run(subject.pid());
  run.tracer().set_epoch(1, Phase::open);
  const auto kept = static_cast<pid_t>(subject.run("act"));
  run.settle(1);
  const Recording recording = run.finish();
  kill(kept, SIGKILL);
  const auto threads = of_kind(recording, ResourceKind::thread, 1);
  EXPECT_EQ(threads.size(), 5u);
  EXPECT_EQ(alive(threads), 1u);
  const auto children = of_kind(recording, ResourceKind::child, 1);
  EXPECT_EQ(children.size(), 4u);
  EXPECT_EQ(alive(children), 1u);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::threads), 2);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::children), 1);
}

// Both ways to read the fd table agree on kinds and counts.
TEST(Fds, EveryKindIsCountedByBothTiers) {
  Subject subject({{"open", [] {
                      int ends[2];
                      if (pipe(ends) != 0) return -1;
                      if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
                      if (socket(AF_INET, SOCK_DGRAM, 0) < 0) return -1;
                      if (eventfd(0, 0) < 0) return -1;
                      if (open("/proc/self/exe", O_RDONLY) < 0) return -1;
                      listen_on_loopback(AF_INET);
                      return 0;
                    }}});
  for (const bool ebpf : {true, false}) {
    TracedRun run(subject.pid(), {.ebpf = ebpf});
    run.settle(1);
    run.tracer().set_epoch(2, Phase::open);
    ASSERT_EQ(subject.run("open"), 0);
    run.settle(2);
    const Recording recording = run.finish();
    for (const auto& [kind, grown] :
         {std::pair{GaugeKind::fds, 8}, std::pair{GaugeKind::fd_pipe, 2},
          std::pair{GaugeKind::fd_unix, 2}, std::pair{GaugeKind::fd_udp, 1},
          std::pair{GaugeKind::fd_event, 1}, std::pair{GaugeKind::fd_file, 1},
          std::pair{GaugeKind::fd_tcp, 1}}) {
      if (!ebpf && (kind == GaugeKind::fd_unix || kind == GaugeKind::fd_udp))
        continue;  // /proc/PID/fd does not tell sockets apart
      EXPECT_EQ(gauge_of(recording, 2, kind) - gauge_of(recording, 1, kind), grown)
          << gauge_info(kind).name << (ebpf ? " by eBPF" : " by /proc");
    }
    EXPECT_EQ(of_kind(recording, ResourceKind::fd, 2).size(), 8u);
  }
}

TEST(Fds, EventsComeOnRequest) {
  int listener = -1, accepted = -1;
  Subject subject(
      {{"listen", [&] { return local_port_of(listener = listen_on_loopback(AF_INET)); }},
       {"accept", [&] { return accepted = accept_one(listener); }},
       {"end", [&] {
          shutdown(accepted, SHUT_WR);
          return close(accepted);
        }}});
  const auto port = static_cast<std::uint16_t>(subject.run("listen"));
  TracedRun run(subject.pid(), {.fd_events = true});
  run.tracer().set_epoch(1, Phase::open);
  const int client = connect_to_loopback(AF_INET, port);
  const auto fd = static_cast<std::int32_t>(subject.run("accept"));
  subject.run("end");
  close(client);
  run.settle(1);
  std::vector<FdOperation> seen;
  for (const FdEvent& event : run.finish().fd_events) {
    if (event.fd == fd && event.cycle == 1) seen.push_back(event.operation);
  }
  EXPECT_EQ(seen, (std::vector{FdOperation::accept, FdOperation::shutdown, FdOperation::close}));
}

struct Ending {
  const char* name;
  std::int64_t (*end)();
  EndReason reason;
  const char* detail;
};
class Endings : public ::testing::TestWithParam<Ending> {};

TEST_P(Endings, AreRecordedWithWhatWasSeenUntilThen) {
  Subject subject({{"end", GetParam().end}});
  TracedRun run(subject.pid());
  run.settle(1);
  subject.run_last("end");
  for (int i = 0; i < 200 && !run.tracer().activity().target_gone; i++)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(run.tracer().activity().target_gone);
  const Recording recording = run.finish();
  EXPECT_EQ(recording.end.reason, GetParam().reason);
  EXPECT_EQ(recording.end.detail, GetParam().detail);
  EXPECT_GT(gauge_of(recording, 1, GaugeKind::rss), 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, Endings,
    ::testing::Values(
        Ending{"exit", []() -> std::int64_t { _exit(7); }, EndReason::target_exited, "exit code 7"},
        Ending{"signal", []() -> std::int64_t { return raise(SIGKILL); }, EndReason::target_killed,
               "signal 9 (Killed)"},
        Ending{"exec", []() -> std::int64_t { return execl("/bin/true", "true", nullptr); },
               EndReason::target_exec, "the target replaced itself by another program"}),
    [](const auto& ending) { return ending.param.name; });

}  // namespace
}  // namespace ebbtide
