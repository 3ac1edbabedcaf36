// A target of several processes: which are chosen, what is summed, and what the end of one means.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "bpf/event.h"
#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"

namespace ebbtide {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::size_t page = 4096;
constexpr std::size_t kept_pages = 50;

IpAddress loopback4() { return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}; }

std::int64_t map_pages() {
  void* area =
      mmap(nullptr, kept_pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return area == MAP_FAILED ? -1 : 0;
}

// A child of the caller that waits for its death.
std::int64_t fork_waiting(const std::function<void()>& first = [] {}) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // it died before that
  first();
  for (;;) pause();
}

// Two processes, made by one parent, that share a listening socket.
class SharedListener : public testing::Test {
 protected:
  SharedListener()
      : listener_(listen_on_loopback(AF_INET)),
        port_(local_port_of(listener_)),
        first_(actions()),
        second_(actions()) {
    close(listener_);
  }

  Subject::Actions actions() {
    return {{"accept", [this] { return accept_one(listener_); }},
            {"accept in a child",
             [this] {
               return fork_waiting([this] {
                 const int accepted = accept_one(listener_);
                 if (write(accepted, "a", 1) != 1) _exit(1);
               });
             }},
            {"keep",
             [] {
               std::thread(pause).detach();
               if (open("/proc/self/exe", O_RDONLY) < 0) return std::int64_t{-1};
               return map_pages();
             }},
            {"end", []() -> std::int64_t { _exit(3); }}};
  }

  std::vector<std::int32_t> both() const { return {first_.pid(), second_.pid()}; }

  int listener_;
  std::uint16_t port_;
  Subject first_;
  Subject second_;
};

const Resource& only_of(const Recording& recording, ResourceKind kind, std::int32_t pid,
                        std::uint32_t cycle) {
  const auto matches = [&](const Resource& resource) {
    return resource.kind == kind && resource.pid == pid && resource.birth_cycle == cycle;
  };
  EXPECT_EQ(std::count_if(recording.resources.begin(), recording.resources.end(), matches), 1)
      << name_of(kind) << " of " << pid;
  const auto found = std::find_if(recording.resources.begin(), recording.resources.end(), matches);
  static const Resource none;
  return found == recording.resources.end() ? none : *found;
}

TEST_F(SharedListener, GaugesAreSumsAndResourcesNameTheirProcess) {
  TracedRun run(both());
  run.settle(1);
  run.tracer().set_epoch(2, Phase::open);
  for (Subject* subject : {&first_, &second_}) ASSERT_EQ(subject->run("keep"), 0);
  run.settle(2);
  const Recording recording = run.finish();
  const auto growth = [&](GaugeKind kind) {
    return gauge_of(recording, 2, kind) - gauge_of(recording, 1, kind);
  };
  EXPECT_EQ(growth(GaugeKind::fds), 2);
  EXPECT_EQ(growth(GaugeKind::fd_file), 2);
  EXPECT_EQ(growth(GaugeKind::threads), 2);
  EXPECT_GE(growth(GaugeKind::mapped_bytes), 2 * kept_pages * page);
  EXPECT_EQ(gauge_of(recording, 2, GaugeKind::mapped_rebuilt_bytes),
            gauge_of(recording, 2, GaugeKind::mapped_bytes));
  for (const std::int32_t pid : both()) {
    EXPECT_EQ(only_of(recording, ResourceKind::fd, pid, 2).label, "file");
    EXPECT_EQ(only_of(recording, ResourceKind::thread, pid, 2).death_ns, 0u);
    const auto kept = std::count_if(
        recording.resources.begin(), recording.resources.end(), [pid](const Resource& resource) {
          return resource.kind == ResourceKind::mapping && resource.pid == pid &&
                 resource.size_bytes == kept_pages * page && resource.stack_id != 0;
        });
    EXPECT_EQ(kept, 1);
  }
}

TEST_F(SharedListener, ASocketIsThatOfTheProcessThatAcceptedIt) {
  TracedRun run(both());
  run.tracer().set_epoch(1, Phase::open);
  const int clients[] = {connect_to_loopback(AF_INET, port_), connect_to_loopback(AF_INET, port_)};
  const std::int64_t fds[] = {first_.run("accept"), second_.run("accept")};
  run.measure(1, Point::opened);
  run.settle(1);
  const Recording recording = run.finish();
  for (const int client : clients) close(client);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_held, Point::opened), 2);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_held_elsewhere, Point::opened), 0);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_accepted), 2);
  for (std::size_t i = 0; i < 2; i++) {
    const Resource& socket = only_of(recording, ResourceKind::accepted_socket, both()[i], 1);
    const auto life = std::find_if(recording.sockets.begin(), recording.sockets.end(),
                                   [&](const auto& s) { return s.resource_id == socket.id; });
    ASSERT_NE(life, recording.sockets.end());
    EXPECT_EQ(life->fd, fds[i]);
  }
}

TEST_F(SharedListener, ConnectionsThatAnotherProcessHoldsAreNoticed) {
  TracedRun run(first_.pid());
  run.tracer().set_epoch(1, Phase::open);
  const int client = connect_to_loopback(AF_INET, port_);
  second_.run("accept");
  run.measure(1, Point::opened);
  const Recording recording = run.finish();
  close(client);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_held, Point::opened), 0);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_held_elsewhere, Point::opened), 1);
  ASSERT_EQ(recording.notes.size(), 1u);
  EXPECT_THAT(recording.notes[0].text, HasSubstr(std::to_string(second_.pid())));
}

// A child per connection takes its memory with it; one from an earlier cycle does not.
TEST_F(SharedListener, AChildOfTheCycleHoldsForTheTarget) {
  TracedRun run(first_.pid());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // two of the kernel's clock ticks
  run.tracer().set_epoch(1, Phase::open);
  const int client = connect_to_loopback(AF_INET, port_);
  first_.run("accept in a child");
  char byte = 0;
  ASSERT_EQ(read(client, &byte, 1), 1);  // the child has accepted
  run.measure(1, Point::opened);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  run.tracer().set_epoch(2, Phase::open);
  run.measure(2, Point::opened);
  const Recording recording = run.finish();
  close(client);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_held, Point::opened), 1);
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_held_elsewhere, Point::opened), 0);
  EXPECT_EQ(gauge_of(recording, 2, GaugeKind::sockets_held_elsewhere, Point::opened), 1);
}

TEST_F(SharedListener, TheEndOfOneProcessEndsTheRunAndNoSumIsTakenWithoutIt) {
  for (const bool ebpf : {true, false}) {
    Subject third(actions());
    TracedRun run(std::vector{first_.pid(), third.pid()}, {.ebpf = ebpf});
    run.settle(1);
    third.run_last("end");
    for (int i = 0; i < 200 && !run.tracer().activity().target_gone; i++)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(run.tracer().activity().target_gone);
    run.settle(2);
    const Recording recording = run.finish();
    EXPECT_EQ(recording.end.reason, EndReason::failed);
    EXPECT_EQ(recording.end.detail, "process " + std::to_string(third.pid()) +
                                        (ebpf ? " exited with code 3" : " ended") +
                                        " during the run");
    EXPECT_GT(gauge_of(recording, 1, GaugeKind::rss), 0);
    EXPECT_FALSE(std::any_of(recording.gauges.begin(), recording.gauges.end(),
                             [](const Gauge& gauge) { return gauge.cycle == 2; }));
  }
}

// --- which processes are chosen -----------------------------------------------------------------

std::vector<std::int32_t> chosen(const Result<Target>& target) {
  EXPECT_TRUE(target) << target.error().message();
  return target ? pids_of(*target) : std::vector<std::int32_t>{};
}

// A primary that listens, and what it starts.
struct Primary {
  int listener = -1;
  Subject subject{
      {{"listen", [this] { return local_port_of(listener = listen_on_loopback(AF_INET)); }},
       {"fork a worker", [] { return fork_waiting(); }},
       {"start a helper", [this] {
          return fork_waiting([this] {
            fcntl(listener, F_SETFD, 0);  // the helper inherits it and does not know
            execl("/bin/sleep", "sleep", "60", nullptr);
          });
        }}}};
};

TEST(Targets, APrimaryAndItsWorkersButNoHelper) {
  Primary primary;
  const auto port = static_cast<std::uint16_t>(primary.subject.run("listen"));
  const auto worker = static_cast<std::int32_t>(primary.subject.run("fork a worker"));
  const auto helper = static_cast<std::int32_t>(primary.subject.run("start a helper"));
  while (identify_process(helper).value().comm != "sleep") std::this_thread::yield();
  const auto target = find_target(loopback4(), port, std::nullopt);
  ASSERT_THAT(chosen(target), ElementsAre(primary.subject.pid(), worker));
  EXPECT_EQ(target->processes[0].role, ProcessRole::primary);
  EXPECT_EQ(target->processes[1].role, ProcessRole::worker);
  EXPECT_EQ(target->remark, "2 processes behind 127.0.0.1:" + std::to_string(port) + ": primary " +
                                std::to_string(primary.subject.pid()) + ", worker " +
                                std::to_string(worker));
  EXPECT_THAT(chosen(find_target(loopback4(), port, primary.subject.pid())),
              ElementsAre(primary.subject.pid(), worker));
  // Each can be asked for by its pid, the helper too: it may be the server after all.
  EXPECT_THAT(chosen(find_target(loopback4(), port, helper)), ElementsAre(helper));
  const auto one = find_target(loopback4(), port, worker);
  EXPECT_THAT(chosen(one), ElementsAre(worker));
  EXPECT_THAT(one->remark, HasSubstr("are not measured: " + std::to_string(primary.subject.pid())));
}

TEST(Targets, WorkersThatComeLaterAreFound) {
  Primary primary;
  const auto port = static_cast<std::uint16_t>(primary.subject.run("listen"));
  const Target target = find_target(loopback4(), port, std::nullopt).value();
  EXPECT_TRUE(find_new_workers(target).empty());
  primary.subject.run("start a helper");
  const auto worker = static_cast<std::int32_t>(primary.subject.run("fork a worker"));
  EXPECT_THAT(find_new_workers(target), testing::Contains(worker));
}

TEST(Targets, StrangersThatShareAPortAreAllTheServers) {
  std::uint16_t port = 0;
  const Subject::Actions actions{
      {"listen", [&] { return local_port_of(listen_on_loopback(AF_INET, false, port, true)); }}};
  Subject first(actions);
  port = static_cast<std::uint16_t>(first.run("listen"));
  Subject second(actions);
  ASSERT_EQ(second.run("listen"), port);
  const auto target = find_target(loopback4(), port, std::nullopt);
  EXPECT_THAT(chosen(target), UnorderedElementsAre(first.pid(), second.pid()));
  for (const TargetProcess& process : target->processes)
    EXPECT_EQ(process.role, ProcessRole::server);
}

TEST(Targets, TooManyAreRefused) {
  Primary primary;
  const auto port = static_cast<std::uint16_t>(primary.subject.run("listen"));
  for (int i = 0; i < EBB_MAX_PROCESSES; i++) primary.subject.run("fork a worker");
  const auto target = find_target(loopback4(), port, std::nullopt);
  ASSERT_FALSE(target);
  EXPECT_THAT(target.error().message(), HasSubstr("65 processes serve it, and at most 64"));
}

}  // namespace
}  // namespace ebbtide
