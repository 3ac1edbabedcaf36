// What holding a process does to it: nothing, whatever happens meanwhile.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/node_child.h"
#include "tracer/proc.h"
#include "tracer/v8/heap_capture.h"
#include "tracer/v8/thread_hold.h"

namespace ebbtide {
namespace {

using namespace std::chrono_literals;
using Clock = ThreadHold::Clock;

// The letter of /proc/PID/task/TID/stat; 0 when there is no such thread.
char state_of(pid_t pid, pid_t tid) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/stat", pid, tid));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto after_name = text.rfind(") ");
  return after_name == std::string::npos ? '\0' : text[after_name + 2];
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// A process of ours that runs `body` and what it writes to the pipe.
class Process {
 public:
  explicit Process(const std::function<void(int output)>& body) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      body(ends[1]);
      _exit(0);
    }
    close(ends[1]);
    input_ = ends[0];
  }
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(input_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  std::string read_some() {
    std::array<char, 4096> text{};
    const auto got = read(input_, text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
};

// As HeapCapture does: on a thread of its own.
void while_held(pid_t pid, const std::function<void(Result<ThreadHold>&)>& act) {
  std::thread([&] {
    auto hold = ThreadHold::take(pid, Clock::now() + 2s);
    act(hold);
  }).join();
}

void sleep_for_ever(int) {
  for (;;) pause();
}

class NodeToHold : public Child {
 public:
  NodeToHold()
      : Child({node_under_test(), "--expose-gc", SOURCE_DIR "/tests/e2e/heap/known_heap.js"}) {
    if (!wait_for("ready")) throw std::runtime_error("node does not start");
  }
};

TEST(ThreadHold, StopsEveryThreadAndLetsItRunOn) {
  NodeToHold node;
  const auto threads = read_threads(node.pid());
  ASSERT_GT(threads.size(), 4u);
  while_held(node.pid(), [&](Result<ThreadHold>& hold) {
    ASSERT_TRUE(hold) << hold.error().message();
    for (const TaskEntry& task : threads) EXPECT_EQ(state_of(node.pid(), task.tid), 't');
  });
  for (const TaskEntry& task : threads) EXPECT_NE(state_of(node.pid(), task.tid), 't');
  EXPECT_TRUE(node.tell("ping"));
}

// Threads that come and go while they are being stopped.
TEST(ThreadHold, CatchesThreadsThatStartMeanwhile) {
  Process busy([](int output) {
    std::atomic<int> running = 0;
    (void)!write(output, "x", 1);
    for (;;) {
      while (running >= 8) std::this_thread::yield();
      ++running;
      std::thread([&] { --running; }).detach();
    }
  });
  ASSERT_EQ(busy.read_some(), "x");
  for (int i = 0; i < 50; ++i) {
    while_held(busy.pid(), [&](Result<ThreadHold>& hold) {
      ASSERT_TRUE(hold) << hold.error().message();
      for (const TaskEntry& task : read_threads(busy.pid())) {
        const char state = state_of(busy.pid(), task.tid);
        EXPECT_TRUE(state == 't' || state == 'Z' || state == 'X' || state == '\0') << state;
      }
    });
  }
  EXPECT_EQ(kill(busy.pid(), 0), 0);
}

// Queued signals are counted one by one: none may be lost to a hold, none delivered twice.
TEST(ThreadHold, PassesOnEverySignal) {
  constexpr int signals = 4000;
  Process counter([](int output) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    static std::atomic<int> seen = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++seen; };
    sigaction(SIGRTMIN, &action, nullptr);
    (void)!write(output, "x", 1);
    int signal = 0;
    sigwait(&set, &signal);
    const auto text = std::to_string(seen);
    (void)!write(output, text.data(), text.size());
  });
  ASSERT_EQ(counter.read_some(), "x");
  std::atomic<bool> done = false;
  std::thread sender([&] {
    for (int i = 0; i < signals; ++i) {
      while (sigqueue(counter.pid(), SIGRTMIN, {}) != 0) std::this_thread::yield();
      if (i % 16 == 0) std::this_thread::sleep_for(50us);
    }
    done = true;
  });
  int holds = 0;
  for (; !done; ++holds) {
    while_held(counter.pid(), [](Result<ThreadHold>& hold) { EXPECT_TRUE(hold); });
  }
  sender.join();
  EXPECT_GT(holds, 5);
  kill(counter.pid(), SIGTERM);
  EXPECT_EQ(counter.read_some(), std::to_string(signals));
}

TEST(ThreadHold, LeavesAStoppedProcessStopped) {
  Process target(sleep_for_ever);
  kill(target.pid(), SIGSTOP);
  ASSERT_TRUE(eventually([&] { return state_of(target.pid(), target.pid()) == 'T'; }));
  while_held(target.pid(), [](Result<ThreadHold>& hold) { EXPECT_TRUE(hold); });
  EXPECT_TRUE(eventually([&] { return state_of(target.pid(), target.pid()) == 'T'; }));
  kill(target.pid(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return state_of(target.pid(), target.pid()) == 'S'; }));
}

TEST(ThreadHold, AProcessKilledMeanwhileIsItsParentsToReap) {
  Process target(sleep_for_ever);
  while_held(target.pid(), [&](Result<ThreadHold>& hold) {
    ASSERT_TRUE(hold);
    kill(target.pid(), SIGKILL);
  });
  const int status = target.wait();
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(ThreadHold, TheTargetRunsOnWhenTheHolderIsKilled) {
  NodeToHold node;
  {
    Process holder([&](int output) {
      auto hold = ThreadHold::take(node.pid(), Clock::now() + 2s);
      (void)!write(output, hold ? "held" : "not", 4);
      for (;;) pause();
    });
    ASSERT_EQ(holder.read_some(), "held");
    EXPECT_EQ(state_of(node.pid(), node.pid()), 't');
    kill(holder.pid(), SIGKILL);
    holder.wait();
  }
  EXPECT_TRUE(eventually([&] { return state_of(node.pid(), node.pid()) != 't'; }));
  EXPECT_TRUE(node.tell("ping"));
}

// The parent of a vfork stands still until its child is done, and no ptrace stops it there.
TEST(ThreadHold, GivesUpOnAThreadThatDoesNotStopInTime) {
  Process target([](int output) {
    (void)!write(output, "x", 1);
    if (vfork() == 0) {
      sleep(3);
      _exit(0);
    }
    (void)!write(output, "y", 1);
    for (;;) pause();
  });
  ASSERT_EQ(target.read_some(), "x");
  ASSERT_TRUE(eventually([&] { return state_of(target.pid(), target.pid()) == 'D'; }));
  std::thread([&] {
    auto hold = ThreadHold::take(target.pid(), Clock::now() + 200ms);
    ASSERT_FALSE(hold);
    EXPECT_THAT(hold.error().reason, testing::HasSubstr("in time"));
  }).join();
  EXPECT_EQ(target.read_some(), "y");
  EXPECT_TRUE(eventually([&] { return state_of(target.pid(), target.pid()) == 'S'; }));
}

TEST(ThreadHold, NamesTheDebuggerThatIsThereAlready) {
  Process target(sleep_for_ever);
  Process debugger([&](int output) {
    const bool attached = ptrace(PTRACE_SEIZE, target.pid(), nullptr, nullptr) == 0;
    (void)!write(output, attached ? "yes" : "no", 3);
    for (;;) pause();
  });
  ASSERT_EQ(debugger.read_some(), "yes");
  while_held(target.pid(), [&](Result<ThreadHold>& hold) {
    ASSERT_FALSE(hold);
    EXPECT_THAT(hold.error().reason,
                testing::HasSubstr(fmt::format("process {} traces it", debugger.pid())));
  });
}

TEST(HeapCapture, SaysWhatItTakesToBeAllowed) {
  NodeToHold node;
  Process nobody([&](int output) {
    if (setgid(65534) != 0 || setuid(65534) != 0) return;
    auto capture = HeapCapture::open(node.pid());
    const auto text =
        capture ? "opened" : capture.error().message() + "\n" + capture.error().remedy;
    (void)!write(output, text.data(), text.size());
  });
  const auto text = nobody.read_some();
  EXPECT_THAT(
      text, testing::AnyOf(testing::HasSubstr("CAP_SYS_PTRACE"), testing::HasSubstr("run as root")))
      << text;
  EXPECT_THAT(text, testing::StartsWith("cannot "));
}

TEST(HeapCapture, RefusesWhatIsNoV8) {
  Process target(sleep_for_ever);
  auto capture = HeapCapture::open(target.pid());
  ASSERT_FALSE(capture);
  EXPECT_THAT(capture.error().reason, testing::HasSubstr("no v8dbg symbols"));
}

TEST(HeapCapture, EndsWithTheProcess) {
  for (int i = 0; i < 12; ++i) {
    NodeToHold node;
    auto capture = HeapCapture::open(node.pid());
    ASSERT_TRUE(capture) << capture.error().message();
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(4 * i));
      kill(node.pid(), SIGKILL);
    });
    // Until the process is noticed to be gone: images, then an error.
    Result<HeapImage> image = HeapImage{};
    const auto deadline = Clock::now() + 20s;
    while (image && Clock::now() < deadline) image = (*capture)->take();
    killer.join();
    EXPECT_FALSE(image);
  }
}

TEST(HeapCapture, UsesItsBufferAgainUnlessAnImageHoldsIt) {
  NodeToHold node;
  auto capture = HeapCapture::open(node.pid());
  ASSERT_TRUE(capture) << capture.error().message();
  auto first = (*capture)->take();
  ASSERT_TRUE(first) << first.error().message();
  const auto chunk = [](const HeapImage& image) {
    return std::ranges::find(image.regions, true, &HeapRegion::chunk_aligned)->bytes;
  };
  const auto kept = chunk(*first);
  const std::vector<std::byte> before(kept.begin(), kept.end());
  auto second = (*capture)->take();
  ASSERT_TRUE(second);
  EXPECT_NE(chunk(*second).data(), kept.data());
  EXPECT_TRUE(std::ranges::equal(kept, before));
  const auto* place = chunk(*second).data();
  *second = HeapImage{};
  auto third = (*capture)->take();
  ASSERT_TRUE(third);
  EXPECT_EQ(chunk(*third).data(), place);
}

}  // namespace
}  // namespace ebbtide
