// Records lost on purpose are counted to the last one, and no loss makes a survivor.
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

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

}  // namespace
}  // namespace ebbtide
