// The event loop's turns and the waits for an upstream, against loops and peers of known pace.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "recording/clock.h"
#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t millisecond = 1'000'000;

void spin(std::uint64_t length_ns) {
  const std::uint64_t until_ns = monotonic_ns() + length_ns;
  while (monotonic_ns() < until_ns) continue;
}

// Waits 20 ms and works 5 ms, four times; then works 60 ms and waits once more. Returns when the
// long turn began.
std::int64_t run_event_loop() {
  const int epoll = epoll_create1(0);
  epoll_event event{};
  for (int turn = 0; turn < 4; ++turn) {
    epoll_wait(epoll, &event, 1, 20);
    spin(5 * millisecond);
  }
  epoll_wait(epoll, &event, 1, 20);
  const auto start_ns = static_cast<std::int64_t>(monotonic_ns());
  spin(60 * millisecond);
  epoll_wait(epoll, &event, 1, 20);
  close(epoll);
  return start_ns;
}

TEST(EventLoop, TurnsWaitsAndTheLongestAreMeasured) {
  Subject subject({{"loop", run_event_loop}});
  TracedRun run(subject.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::hold);
  const auto long_start_ns = static_cast<std::uint64_t>(subject.run("loop"));
  run.settle(1);
  const Recording recording = run.finish();

  const auto held = std::ranges::find_if(recording.loop_activities, [](const LoopActivity& row) {
    return row.cycle == 1 && row.phase == Phase::hold;
  });
  ASSERT_NE(held, recording.loop_activities.end());
  EXPECT_EQ(held->pid, subject.pid());
  EXPECT_GE(held->turns, 5u);
  EXPECT_GE(held->busy_ns, 80 * millisecond);
  EXPECT_GE(held->waiting_ns, 80 * millisecond);  // of five waits the first begins unseen
  EXPECT_GE(held->longest_ns, 60 * millisecond);
  EXPECT_LT(held->longest_ns, held->busy_ns);
  EXPECT_NEAR(static_cast<double>(held->longest_start_ns), static_cast<double>(long_start_ns),
              static_cast<double>(5 * millisecond));

  const auto stall = std::ranges::find_if(recording.loop_stalls, [](const LoopStall& row) {
    return row.duration_ns >= 60 * millisecond;
  });
  ASSERT_NE(stall, recording.loop_stalls.end());
  EXPECT_EQ(stall->start_ns, held->longest_start_ns);
  EXPECT_EQ(stall->phase, Phase::hold);
}

TEST(EventLoop, WhoDoesNotAskHasNoRows) {
  Subject subject({{"loop", run_event_loop}});
  TracedRun run(subject.pid());
  run.tracer().set_epoch(1, Phase::hold);
  subject.run("loop");
  run.settle(1);
  const Recording recording = run.finish();
  EXPECT_TRUE(recording.loop_activities.empty());
  EXPECT_TRUE(recording.loop_stalls.empty());
}

TEST(Upstream, AnAnswerTakesAsLongAsThePeerLetItWait) {
  const int listener = listen_on_loopback(AF_INET);
  const std::uint16_t port = local_port_of(listener);
  Subject subject({{"ask three times", [&] {
                      const int fd = connect_to_loopback(AF_INET, port);
                      char byte = '?';
                      for (int i = 0; i < 3; ++i) {
                        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) return -1;
                      }
                      return close(fd);
                    }}});
  TracedRun run(subject.pid(), {.upstream = true});
  run.tracer().set_epoch(1, Phase::hold);
  std::thread peer([&] {
    const int fd = accept_one(listener);
    for (const int delay_ms : {10, 10, 50}) {
      char byte = 0;
      if (read(fd, &byte, 1) != 1) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
      if (write(fd, &byte, 1) != 1) break;
    }
    close(fd);
  });
  EXPECT_EQ(subject.run("ask three times"), 0);
  peer.join();
  close(listener);
  run.settle(1);
  const Recording recording = run.finish();
  ASSERT_EQ(recording.upstream_waits.size(), 1u);
  const UpstreamWait& wait = recording.upstream_waits.front();
  EXPECT_EQ(wait.address, "127.0.0.1");
  EXPECT_EQ(wait.port, port);
  EXPECT_EQ(wait.phase, Phase::hold);
  EXPECT_EQ(wait.answers, 3u);
  EXPECT_GE(wait.longest_ns, 50 * millisecond);
  EXPECT_GE(wait.total_ns, 70 * millisecond);
  EXPECT_LT(wait.longest_ns, wait.total_ns);
}

}  // namespace
}  // namespace ebbtide
