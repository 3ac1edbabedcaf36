// Records lost on purpose are counted to the last one, and no loss makes a survivor.
#include <bpf/bpf.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"
#include "tracer/bpf_session.h"

namespace ebbtide {
namespace {

constexpr std::size_t page = 4096;

std::int64_t map_and_unmap_thousand() {
  for (int i = 0; i < 1000; i++) {
    void* address = mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(address, page);
  }
  return 0;
}

TEST(Losses, EveryRecordIsDrainedOrCounted) {
  Subject subject({{"flood", map_and_unmap_thousand}});
  auto session = BpfSession::load({.tgids = {subject.pid()}, .ring_bytes = page}).value();
  ASSERT_TRUE(session->attach());
  ASSERT_EQ(subject.run("flood"), 0);
  std::size_t mappings = 0;
  session->drain([&](const ebb_header& header, std::size_t) {
    mappings += header.type == EBB_EVENT_MAPPING ? 1 : 0;
  });
  const ebb_counters counters = session->counters();
  EXPECT_EQ(counters.mapping_operations, 2000u);
  EXPECT_EQ(mappings, page / (sizeof(ebb_mapping_event) + 8)) << "a full ring of records";
  EXPECT_EQ(mappings + counters.lost_records, 2000u);
}

TEST(Losses, ReachTheRecording) {
  Subject subject({{"flood", map_and_unmap_thousand}});
  TracedRun run(subject.pid(), {.ring_bytes = page});
  ASSERT_EQ(subject.run("flood"), 0);
  run.settle(1);
  EXPECT_GT(loss_of(run.finish(), "ring buffer records"), 0u);
}

// A socket written as alive, whose end record was lost, must not be taken for a survivor.
TEST(Losses, ALostEndIsNoSurvivor) {
  int listener = -1, accepted = -1;
  Subject subject(
      {{"listen", [&] { return local_port_of(listener = listen_on_loopback(AF_INET)); }},
       {"accept", [&] { return accepted = accept_one(listener); }},
       {"flood and close", [&] {
          map_and_unmap_thousand();
          read_to_end(accepted);
          return close(accepted);
        }}});
  const auto port = static_cast<std::uint16_t>(subject.run("listen"));
  // Ring of one page: with the pump asleep most of the time the flood fills it.
  std::uint64_t lost_ends = 0;
  for (int attempt = 0; attempt < 20 && lost_ends == 0; attempt++) {
    TracedRun run(subject.pid(), {.ring_bytes = page});
    run.tracer().set_epoch(1, Phase::open);
    const int client = connect_to_loopback(AF_INET, port);
    subject.run("accept");
    run.settle(1);
    close(client);
    subject.run("flood and close");
    run.settle(2);
    const Recording recording = run.finish();
    ASSERT_EQ(recording.sockets.size(), 1u);
    EXPECT_GT(recording.sockets[0].end_ns, 0u);
    // An end by record has the state CLOSE; one inferred keeps the state last seen alive.
    if (tcp_state_name(recording.sockets[0].state) != "CLOSE") lost_ends++;
  }
  EXPECT_GT(lost_ends, 0u) << "no end record was lost in 20 attempts: the test shows nothing";
}

// The session's own map, by its name, among this process' open files.
int find_map(const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    bpf_map_info info{};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_MAP_TYPE_HASH &&
        info.name == name)
      return fd;
  }
  return -1;
}

// This thread and the children it forks keep to one CPU, which gives out again first what it freed
// last.
class OnOneCpu {
 public:
  OnOneCpu() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OnOneCpu() { sched_setaffinity(0, sizeof before_, &before_); }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;

 private:
  cpu_set_t before_;
};

// A socket whose end nobody saw is not taken for the next one at its address.
TEST(Losses, AnAddressThatComesUpAgainEndsTheSocketBefore) {
  const OnOneCpu pinned;
  int listener = -1, accepted = -1;
  Subject subject(
      {{"listen", [&] { return local_port_of(listener = listen_on_loopback(AF_INET)); }},
       {"accept", [&] { return accepted = accept_one(listener); }},
       {"end", [&] {
          read_to_end(accepted);
          return close(accepted);
        }}});
  const auto port = static_cast<std::uint16_t>(subject.run("listen"));
  auto session = BpfSession::load({.tgids = {subject.pid()}}).value();
  ASSERT_TRUE(session->follow_listeners(network_namespace(subject.pid()),
                                        read_listeners(subject.pid()).value()));
  ASSERT_TRUE(session->attach());
  const int sockets = find_map("sockets");
  ASSERT_GE(sockets, 0);
  const auto connect_and_accept = [&] {
    const int client = connect_to_loopback(AF_INET, port);
    subject.run("accept");
    return client;
  };
  const auto end = [&](int client) {
    close(client);
    subject.run("end");
  };

  const int client = connect_and_accept();
  __u64 address = 0;
  ASSERT_EQ(bpf_map_get_next_key(sockets, nullptr, &address), 0);
  ebb_socket missed{};
  ASSERT_EQ(bpf_map_lookup_elem(sockets, &address, &missed), 0);
  end(client);
  ASSERT_EQ(bpf_map_update_elem(sockets, &address, &missed, BPF_NOEXIST), 0);  // as if not seen

  int attempts = 0;
  for (; attempts < 1000 && session->counters().lost_ends == 0; attempts++)
    end(connect_and_accept());
  ASSERT_EQ(session->counters().lost_ends, 1u) << "the address did not come up again";
  std::map<std::uint64_t, int> ends;  // by id
  session->drain([&](const ebb_header& header, std::size_t) {
    if (header.type != EBB_EVENT_SOCKET_END) return;
    const auto& socket = reinterpret_cast<const ebb_socket_event&>(header).socket;
    EXPECT_EQ(socket.state, 7) << "CLOSE";
    ends[socket.id]++;
  });
  EXPECT_EQ(ends[missed.id], 2) << "the end that was taken back, and the one that was inferred";
  EXPECT_EQ(ends.size(), static_cast<std::size_t>(attempts) + 1) << "every connection ended";
  EXPECT_TRUE(session->read_sockets().value().empty());
}

}  // namespace
}  // namespace ebbtide
