// The turns of event loops, against loops whose every wait and stay is known.
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <sstream>
#include <thread>

#include "bpf/event.h"
#include "recording/clock.h"
#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"
#include "tests/e2e/server.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t millisecond = 1'000'000;

// The kernel brings a running thread's CPU time up to date so often at least.
constexpr std::uint64_t tick = 10 * millisecond;

void spin(std::uint64_t length_ns) {
  const std::uint64_t until_ns = monotonic_ns() + length_ns;
  while (monotonic_ns() < until_ns) continue;
}

void wait_for_events(int timeout_ms) {
  static const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  epoll_wait(epoll, &event, 1, timeout_ms);
}

const LoopActivity& activity_of(const Recording& recording, Phase phase, std::int64_t tid) {
  const auto matches = [&](const LoopActivity& row) {
    return row.cycle == 1 && row.phase == phase && row.tid == tid;
  };
  const auto& rows = recording.loop_activities;
  EXPECT_EQ(std::ranges::count_if(rows, matches), 1) << "rows of thread " << tid;
  const auto found = std::ranges::find_if(rows, matches);
  static const LoopActivity none;
  return found == rows.end() ? none : *found;
}

// Waits 20 ms and works 5 ms, four times; then works 60 ms and waits once more. Returns when the
// long turn began.
std::int64_t run_event_loop() {
  for (int turn = 0; turn < 4; turn++) {
    wait_for_events(20);
    spin(5 * millisecond);
  }
  wait_for_events(20);
  const auto start_ns = static_cast<std::int64_t>(monotonic_ns());
  spin(60 * millisecond);
  wait_for_events(20);
  return start_ns;
}

TEST(EventLoop, TurnsWaitsAndTheLongestAreMeasured) {
  Subject subject({{"loop", run_event_loop}});
  TracedRun run(subject.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::hold);
  const std::uint64_t before_ns = monotonic_ns();
  const auto long_start_ns = static_cast<std::uint64_t>(subject.run("loop"));
  const std::uint64_t whole_ns = monotonic_ns() - before_ns;
  run.settle(1);
  const Recording recording = run.finish();

  const LoopActivity& held = activity_of(recording, Phase::hold, subject.pid());
  EXPECT_EQ(held.pid, subject.pid());
  EXPECT_EQ(held.turns, 5u);
  EXPECT_GE(held.busy_ns, 80 * millisecond);
  EXPECT_GE(held.waiting_ns, 100 * millisecond) << "of six waits the first begins unseen";
  EXPECT_LE(held.busy_ns + held.waiting_ns, whole_ns + held.longest_ns);
  EXPECT_GE(held.longest_ns, 60 * millisecond);
  EXPECT_LE(held.cpu_ns + held.delayed_ns, held.busy_ns + held.waiting_ns);
  EXPECT_GE(held.cpu_ns + held.delayed_ns, 80 * millisecond - tick);
  EXPECT_LE(held.longest_start_ns, long_start_ns);
  EXPECT_GE(held.longest_start_ns + held.longest_ns, long_start_ns + 60 * millisecond);

  const auto longest = std::ranges::max_element(recording.loop_stalls, {}, &LoopStall::duration_ns);
  ASSERT_NE(longest, recording.loop_stalls.end());
  EXPECT_EQ(longest->start_ns, held.longest_start_ns);
  EXPECT_EQ(longest->duration_ns, held.longest_ns);
  EXPECT_EQ(longest->phase, Phase::hold);
  EXPECT_EQ(longest->tid, subject.pid());
}

// Two that spin and one CPU between them.
TEST(EventLoop, ReadyWithoutACpuIsToldFromRunning) {
  Subject subject({{"loop", [] {
                      wait_for_events(1);
                      spin(100 * millisecond);
                      wait_for_events(1);
                      return std::int64_t{0};
                    }}});
  std::atomic<bool> over = false;
  std::thread rival([&] {
    while (!over) continue;
  });
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  ASSERT_EQ(sched_setaffinity(subject.pid(), sizeof one, &one), 0);
  ASSERT_EQ(pthread_setaffinity_np(rival.native_handle(), sizeof one, &one), 0);
  TracedRun run(subject.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::hold);
  subject.run("loop");
  over = true;
  rival.join();
  run.settle(1);
  const Recording recording = run.finish();
  const LoopActivity& held = activity_of(recording, Phase::hold, subject.pid());
  EXPECT_GE(held.busy_ns, 100 * millisecond);
  EXPECT_GE(held.delayed_ns, 25 * millisecond);
  EXPECT_LE(held.cpu_ns, held.busy_ns - held.delayed_ns / 2);
}

// As Go and Tokio park the threads that have nothing to do.
TEST(EventLoop, AsleepElsewhereIsNeitherRunningNorReady) {
  Subject subject({{"sleep", [] {
                      wait_for_events(1);
                      usleep(100'000);
                      wait_for_events(1);
                      return std::int64_t{0};
                    }}});
  TracedRun run(subject.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::hold);
  subject.run("sleep");
  run.settle(1);
  const Recording recording = run.finish();
  const LoopActivity& held = activity_of(recording, Phase::hold, subject.pid());
  EXPECT_GE(held.busy_ns, 100 * millisecond);
  EXPECT_LE(held.cpu_ns + held.delayed_ns, held.busy_ns - 100 * millisecond + tick);
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

// A turn that the test ends when it likes.
class HeldTurn : public testing::Test {
 protected:
  HeldTurn() {
    if (pipe(begun_) != 0 || pipe(release_) != 0) ADD_FAILURE();
  }

  std::int64_t hold_turn() {
    wait_for_events(1);
    const auto start_ns = static_cast<std::int64_t>(monotonic_ns());
    char byte = 0;
    if (write(begun_[1], &byte, 1) != 1 || read(release_[0], &byte, 1) != 1) return -1;
    wait_for_events(1);
    return start_ns;
  }

  // Returns once the turn has begun.
  std::future<std::int64_t> begin(Subject& subject) {
    auto turn = std::async(std::launch::async, [&] { return subject.run("turn"); });
    char byte = 0;
    EXPECT_EQ(read(begun_[0], &byte, 1), 1);
    return turn;
  }

  void release() { EXPECT_EQ(write(release_[1], "", 1), 1); }

  int begun_[2];
  int release_[2];
};

// Off the CPU all the time, and yet busy: everybody else waits for it.
TEST_F(HeldTurn, IsBusyInEveryPhaseThatItTouches) {
  Subject subject({{"turn", [this] { return hold_turn(); }}});
  TracedRun run(subject.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::open);
  auto turn = begin(subject);
  const std::uint64_t earliest_ns = monotonic_ns();
  run.tracer().set_epoch(1, Phase::hold);
  const std::uint64_t latest_ns = monotonic_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  const std::uint64_t least_ns = monotonic_ns() - latest_ns;
  run.tracer().set_epoch(1, Phase::close);
  const std::uint64_t most_ns = monotonic_ns() - earliest_ns;
  run.settle(1);  // written while the turn goes on
  const std::uint64_t released_ns = monotonic_ns();
  release();
  const auto start_ns = static_cast<std::uint64_t>(turn.get());
  run.settle(2);
  const Recording recording = run.finish();
  const std::uint64_t after_ns = monotonic_ns() - released_ns;  // its next turn is in there

  const LoopActivity& held = activity_of(recording, Phase::hold, subject.pid());
  EXPECT_EQ(held.turns, 0u) << "it ended later";
  EXPECT_EQ(held.waiting_ns, 0u);
  EXPECT_GE(held.busy_ns, least_ns);
  EXPECT_LE(held.busy_ns, most_ns);
  EXPECT_GE(held.longest_ns, held.busy_ns);
  EXPECT_GT(activity_of(recording, Phase::open, subject.pid()).busy_ns, 0u);
  EXPECT_EQ(activity_of(recording, Phase::settle, subject.pid()).turns, 1u);
  ASSERT_EQ(recording.loop_stalls.size(), 1u);
  EXPECT_EQ(recording.loop_stalls[0].phase, Phase::open) << "where it began";
  EXPECT_LE(recording.loop_stalls[0].start_ns, start_ns);
  std::uint64_t busy_ns = 0;
  for (const LoopActivity& row : recording.loop_activities) busy_ns += row.busy_ns;
  EXPECT_GE(busy_ns, recording.loop_stalls[0].duration_ns);
  EXPECT_LE(busy_ns, recording.loop_stalls[0].duration_ns + after_ns) << "each part once";
}

TEST_F(HeldTurn, ThatNeverEndsIsAStall) {
  Subject subject({{"turn", [this] { return hold_turn(); }}});
  TracedRun run(subject.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::hold);
  const auto turn = begin(subject);
  std::this_thread::sleep_for(std::chrono::nanoseconds(EBB_STALL_NS));
  const Recording recording = run.finish();
  release();
  ASSERT_EQ(recording.loop_stalls.size(), 1u);
  EXPECT_GE(recording.loop_stalls[0].duration_ns, EBB_STALL_NS);
  EXPECT_EQ(activity_of(recording, Phase::hold, subject.pid()).longest_ns,
            recording.loop_stalls[0].duration_ns);
}

// No turn in the whole run; a thread that sleeps elsewhere is no event loop.
TEST(EventLoop, OneThatOnlyWaitsIsThere) {
  Subject subject({{"start", [] {
                      std::promise<std::int64_t> tid;
                      std::thread([&] {
                        tid.set_value(gettid());
                        wait_for_events(-1);
                      }).detach();
                      std::thread(pause).detach();
                      return tid.get_future().get();
                    }}});
  const auto tid = static_cast<std::int32_t>(subject.run("start"));
  while (!sleeps_in_epoll_wait(subject.pid(), tid)) std::this_thread::yield();
  TracedRun run(subject.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::hold);
  const std::uint64_t start_ns = monotonic_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::uint64_t least_ns = monotonic_ns() - start_ns;
  run.settle(1);
  const Recording recording = run.finish();
  const LoopActivity& held = activity_of(recording, Phase::hold, tid);
  EXPECT_EQ(held.turns, 0u);
  EXPECT_EQ(held.busy_ns, 0u);
  EXPECT_GE(held.waiting_ns, least_ns);
  for (const LoopActivity& row : recording.loop_activities) EXPECT_EQ(row.tid, tid);
}

// --- a real one ---------------------------------------------------------------------------------

struct Span {
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
};

// When the server says it did what `path` asks for.
Span request(const Server& server, const std::string& path) {
  const int fd = connect_to_loopback(AF_INET, server.port());
  const std::string text =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  std::string answer;
  char buffer[1024];
  for (ssize_t length = 0; (length = read(fd, buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(length));
  close(fd);
  Span span;
  const auto body = answer.find("\r\n\r\n");
  EXPECT_NE(body, std::string::npos) << answer;
  std::istringstream(answer.substr(body + 4)) >> span.start_ns >> span.end_ns;
  EXPECT_GT(span.end_ns, 0u) << answer;
  return span;
}

TEST(NodeEventLoop, IsStalledWhenItsCodeBlocksAndNotWhenThePoolWorks) {
  const Server server = Server::node("tests/bpf/busy-server.js");
  request(server, "/block?ms=1");  // what is compiled and loaded on the way takes its time
  TracedRun run(server.pid(), {.event_loop = true});
  run.tracer().set_epoch(1, Phase::open);
  const Span pool = request(server, "/pool");
  run.tracer().set_epoch(1, Phase::hold);
  const Span blocked = request(server, "/block?ms=300");
  run.settle(1);
  const Recording recording = run.finish();

  const auto stall = std::ranges::max_element(recording.loop_stalls, {}, &LoopStall::duration_ns);
  ASSERT_NE(stall, recording.loop_stalls.end());
  EXPECT_EQ(stall->tid, server.pid());
  EXPECT_EQ(stall->phase, Phase::hold);
  EXPECT_LE(stall->start_ns, blocked.start_ns);
  EXPECT_GE(stall->start_ns + stall->duration_ns, blocked.end_ns);
  EXPECT_EQ(std::ranges::count_if(
                recording.loop_stalls,
                [](const LoopStall& row) { return row.duration_ns >= 300 * millisecond; }),
            1);
  EXPECT_GE(activity_of(recording, Phase::hold, server.pid()).busy_ns, 300 * millisecond);
  EXPECT_LT(activity_of(recording, Phase::open, server.pid()).busy_ns, pool.end_ns - pool.start_ns);
  for (const LoopActivity& row : recording.loop_activities) {
    if (row.tid != server.pid()) {
      EXPECT_LE(row.busy_ns, row.waiting_ns) << "a thread of the pool is no event loop";
    }
  }
}

}  // namespace
}  // namespace ebbtide
