// Gauges of CPU time, socket queues and accept queues against what the target was made to do.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <vector>

#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"

namespace ebbtide {
namespace {

constexpr std::int64_t burn_ns = 200'000'000;

// Spends CPU time until the thread has used so much more of it; returns what it used.
std::int64_t burn(bool in_kernel) {
  const auto used_ns = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  };
  std::vector<char> buffer(1 << 20);
  const std::int64_t start_ns = used_ns();
  while (used_ns() - start_ns < burn_ns) {
    if (in_kernel) {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      close(fd);
    } else {
      for (volatile char& byte : buffer) byte = static_cast<char>(byte + 1);
    }
  }
  return used_ns() - start_ns;
}

class GaugeTiers : public ::testing::TestWithParam<bool> {};

TEST_P(GaugeTiers, CpuTimeIsWhatTheTargetUsed) {
  Subject subject({{"compute", [] { return burn(false); }}, {"call", [] { return burn(true); }}});
  TracedRun run(subject.pid(), {.ebpf = GetParam()});
  run.settle(1);
  const std::int64_t computed_ns = subject.run("compute");
  run.settle(2);
  const std::int64_t called_ns = subject.run("call");
  run.settle(3);
  const Recording recording = run.finish();
  const auto growth = [&](std::uint32_t cycle, GaugeKind kind) {
    return gauge_of(recording, cycle, kind) - gauge_of(recording, cycle - 1, kind);
  };
  const auto sum = [&](std::uint32_t cycle) {
    return growth(cycle, GaugeKind::cpu_user) + growth(cycle, GaugeKind::cpu_system);
  };
  // Beside the action there is the subject's own waking and answering.
  EXPECT_GE(sum(2), computed_ns);
  EXPECT_LT(sum(2), computed_ns + burn_ns / 10);
  EXPECT_GE(sum(3), called_ns);
  EXPECT_LT(sum(3), called_ns + burn_ns / 10);
  EXPECT_GT(growth(2, GaugeKind::cpu_user), 8 * growth(2, GaugeKind::cpu_system));
  EXPECT_GT(growth(3, GaugeKind::cpu_system), growth(3, GaugeKind::cpu_user));
}

// A client that does not read: what the server writes stays in the kernel, also after the server
// has closed its fd.
TEST_P(GaugeTiers, UnreadBytesAreInTheSendQueue) {
  int listener = -1, accepted = -1;
  std::int64_t written = 0;
  Subject subject(
      {{"listen", [&] { return local_port_of(listener = listen_on_loopback(AF_INET)); }},
       {"accept", [&] { return accepted = accept_one(listener); }},
       {"fill",
        [&] {
          const std::vector<char> block(65536, 'x');
          for (ssize_t count; (count = send(accepted, block.data(), block.size(),
                                            MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
            written += count;
          return written;
        }},
       {"close", [&] { return close(accepted); }}});
  const auto port = static_cast<std::uint16_t>(subject.run("listen"));
  TracedRun run(subject.pid(), {.ebpf = GetParam()});
  run.tracer().set_epoch(1, Phase::open);
  const int client = connect_to_loopback(AF_INET, port);
  subject.run("accept");
  run.settle(1);
  const std::int64_t sent = subject.run("fill");
  run.measure(2, Point::held);
  subject.run("close");
  run.settle(2);
  close(client);  // with unread bytes: a reset
  run.settle(3);
  const Recording recording = run.finish();
  const auto queue = [&](std::uint32_t cycle, Point point) {
    return gauge_of(recording, cycle, GaugeKind::socket_send_queue, point);
  };
  EXPECT_EQ(queue(1, Point::settled), 0);
  EXPECT_GT(queue(2, Point::held), 0);
  EXPECT_LT(queue(2, Point::held), sent) << "the peer's receive buffer took a part";
  EXPECT_EQ(queue(2, Point::settled), queue(2, Point::held) + 1) << "and the FIN";
  EXPECT_EQ(queue(3, Point::settled), 0);
  if (GetParam()) {
    const auto memory = [&](std::uint32_t cycle, Point point) {
      return gauge_of(recording, cycle, GaugeKind::socket_memory, point);
    };
    EXPECT_GE(memory(2, Point::held), queue(2, Point::held));
    EXPECT_GE(memory(2, Point::settled), queue(2, Point::settled) - 1);
    EXPECT_EQ(memory(3, Point::settled), 0);
  } else {
    for (const Gauge& gauge : recording.gauges)
      EXPECT_NE(gauge.kind, GaugeKind::socket_memory) << "/proc does not tell it";
  }
}

// More connections than a backlog of one holds, and nobody accepts.
TEST_P(GaugeTiers, AFullAcceptQueueOverflows) {
  int listener = -1;
  Subject subject({{"listen", [&] {
                      const std::int64_t port =
                          local_port_of(listener = listen_on_loopback(AF_INET));
                      listen(listener, 1);
                      return port;
                    }}});
  const auto port = static_cast<std::uint16_t>(subject.run("listen"));
  TracedRun run(subject.pid(), {.ebpf = GetParam()});
  run.settle(1);
  std::vector<int> clients;
  for (int i = 0; i < 6; i++) {
    clients.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(clients.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  run.settle(2);
  const Recording recording = run.finish();
  for (const int client : clients) close(client);
  for (const GaugeKind kind : {GaugeKind::listen_overflows, GaugeKind::listen_drops})
    EXPECT_GE(gauge_of(recording, 2, kind) - gauge_of(recording, 1, kind), 1);
}

INSTANTIATE_TEST_SUITE_P(All, GaugeTiers, ::testing::Bool(),
                         [](const auto& tier) { return tier.param ? "ebpf" : "proc"; });

}  // namespace
}  // namespace ebbtide
