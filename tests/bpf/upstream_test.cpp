// What the target waits for on its outgoing connections, against peers that let it wait.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t millisecond = 1'000'000;

bool put(int fd, char byte) { return write(fd, &byte, 1) == 1; }
bool get(int fd) {
  char byte = 0;
  return read(fd, &byte, 1) == 1;
}

// Takes one connection, and answers each byte after the next of `delays_ms`.
class Peer {
 public:
  Peer(int family, std::vector<int> delays_ms)
      : listener_(listen_on_loopback(family)),
        port_(local_port_of(listener_)),
        thread_([this, delays_ms] {
          const int fd = accept_one(listener_);
          put(fd, 'g');  // a greeting that nobody asked for
          for (const int delay_ms : delays_ms) {
            if (!get(fd)) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
            if (!put(fd, 'a')) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            if (!put(fd, 'a')) break;  // the second part of the answer
          }
          close(fd);
        }) {}
  ~Peer() {
    thread_.join();
    close(listener_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::uint16_t port_;
  std::thread thread_;
};

// Connects to a peer, and asks it.
struct Asker {
  int family = AF_INET;
  std::uint16_t port = 0;
  int fd = -1;

  std::int64_t connect() {
    fd = connect_to_loopback(family, port);
    return get(fd) ? fd : -1;
  }

  std::int64_t ask(int times) const {
    for (int i = 0; i < times; i++) {
      if (!put(fd, '?') || !get(fd) || !get(fd)) return -1;
    }
    return times;
  }
};

const UpstreamWait& wait_of(const Recording& recording, Phase phase, std::uint16_t port) {
  const auto matches = [&](const UpstreamWait& wait) {
    return wait.cycle == 1 && wait.phase == phase && wait.port == port;
  };
  const auto& rows = recording.upstream_waits;
  EXPECT_EQ(std::ranges::count_if(rows, matches), 1) << "rows of port " << port;
  const auto found = std::ranges::find_if(rows, matches);
  static const UpstreamWait none;
  return found == rows.end() ? none : *found;
}

class UpstreamFamilies : public testing::TestWithParam<std::pair<int, const char*>> {};

TEST_P(UpstreamFamilies, AnswersAreTimedByPeerAndPhase) {
  const auto [family, address] = GetParam();
  Peer quick(family, {5, 5, 5, 5});
  Peer slow(family, {50, 20, 20});
  Asker to_quick{.family = family, .port = quick.port()};
  Asker to_slow{.family = family, .port = slow.port()};
  Subject subject({{"connect quick", [&] { return to_quick.connect(); }},
                   {"connect slow", [&] { return to_slow.connect(); }},
                   {"ask quick", [&] { return to_quick.ask(4); }},
                   {"ask slow once", [&] { return to_slow.ask(1); }},
                   {"ask slow", [&] { return to_slow.ask(2); }}});
  ASSERT_GE(subject.run("connect slow"), 0);  // was there before the tracer
  TracedRun run(subject.pid(), {.upstream = true});
  run.tracer().set_epoch(1, Phase::open);
  ASSERT_GE(subject.run("connect quick"), 0);
  ASSERT_EQ(subject.run("ask quick"), 4);
  ASSERT_EQ(subject.run("ask slow once"), 1);
  run.tracer().set_epoch(1, Phase::hold);
  ASSERT_EQ(subject.run("ask slow"), 2);
  run.settle(1);
  const Recording recording = run.finish();

  const UpstreamWait& of_quick = wait_of(recording, Phase::open, quick.port());
  EXPECT_EQ(of_quick.address, address);
  EXPECT_EQ(of_quick.answers, 4u) << "neither the greeting nor the second parts count";
  EXPECT_GE(of_quick.total_ns, 20 * millisecond);
  EXPECT_GE(of_quick.longest_ns, 5 * millisecond);
  EXPECT_LE(of_quick.longest_ns, of_quick.total_ns - 15 * millisecond);

  const UpstreamWait& of_slow = wait_of(recording, Phase::open, slow.port());
  EXPECT_EQ(of_slow.answers, 1u);
  EXPECT_GE(of_slow.longest_ns, 50 * millisecond);
  EXPECT_EQ(of_slow.total_ns, of_slow.longest_ns);

  const UpstreamWait& later = wait_of(recording, Phase::hold, slow.port());
  EXPECT_EQ(later.answers, 2u);
  EXPECT_GE(later.total_ns, 40 * millisecond);
  EXPECT_EQ(recording.upstream_waits.size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(All, UpstreamFamilies,
                         testing::Values(std::pair{AF_INET, "127.0.0.1"},
                                         std::pair{AF_INET6, "::1"}),
                         [](const auto& family) {
                           return family.param.first == AF_INET ? "ipv4" : "ipv6";
                         });

// What clients send to the target is no answer to it.
TEST(Upstream, AcceptedConnectionsAreNotUpstream) {
  int listener = -1, accepted = -1;
  Subject subject(
      {{"listen", [&] { return local_port_of(listener = listen_on_loopback(AF_INET)); }},
       {"accept", [&] { return accepted = accept_one(listener); }},
       {"greet and hear", [&] { return put(accepted, 'g') && get(accepted) ? 0 : -1; }}});
  const auto port = static_cast<std::uint16_t>(subject.run("listen"));
  TracedRun run(subject.pid(), {.upstream = true});
  const int client = connect_to_loopback(AF_INET, port);
  subject.run("accept");
  ASSERT_TRUE(put(client, 'c'));
  ASSERT_EQ(subject.run("greet and hear"), 0);
  run.settle(1);
  close(client);
  EXPECT_TRUE(run.finish().upstream_waits.empty());
}

}  // namespace
}  // namespace ebbtide
