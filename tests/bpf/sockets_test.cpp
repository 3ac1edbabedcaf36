// The life of each TCP connection, as the kernel's state changes tell it.
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/bpf/loopback.h"
#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"

namespace ebbtide {
namespace {

// A server whose every step the test commands. The fds live in the child only.
struct ServerActions {
  int listener4 = -1, listener6 = -1, dual = -1, outgoing = -1;
  std::vector<int> accepted;

  Subject::Actions actions() {
    return {
        {"listen4", [this] { return local_port_of(listener4 = listen_on_loopback(AF_INET)); }},
        {"listen6", [this] { return local_port_of(listener6 = listen_on_loopback(AF_INET6)); }},
        {"listen dual",
         [this] { return local_port_of(dual = listen_on_loopback(AF_INET6, true)); }},
        {"accept4", [this] { return keep(accept_one(listener4)); }},
        {"accept6", [this] { return keep(accept_one(listener6)); }},
        {"accept dual", [this] { return keep(accept_one(dual)); }},
        {"close all",
         [this] {
           for (const int fd : accepted) close(fd);
           accepted.clear();
           return 0;
         }},
        {"end all",
         [this] {
           for (const int fd : accepted) {
             read_to_end(fd);
             close(fd);
           }
           accepted.clear();
           return 0;
         }},
        {"reset all",
         [this] {
           for (const int fd : accepted) close_by_reset(fd);
           accepted.clear();
           return 0;
         }},
        {"drop inherited", [this] { return close(inherited); }},
        {"call out", [this] { return outgoing = connect_to_loopback(AF_INET, call_port); }},
    };
  }

  std::int64_t keep(int fd) {
    accepted.push_back(fd);
    return fd;
  }

  int inherited = -1;
  std::uint16_t call_port = 0;
};

struct Rows {
  std::vector<SocketLife> lives;
  std::vector<Resource> resources;  // same order
};

Rows sockets_of(const Recording& recording, ResourceKind kind) {
  Rows rows;
  for (const SocketLife& life : recording.sockets) {
    const auto resource = std::find_if(recording.resources.begin(), recording.resources.end(),
                                       [&](const Resource& r) { return r.id == life.resource_id; });
    if (resource == recording.resources.end()) {
      ADD_FAILURE() << "a socket without a resource";
    } else if (resource->kind == kind) {
      rows.lives.push_back(life);
      rows.resources.push_back(*resource);
    }
  }
  return rows;
}

class Sockets : public ::testing::Test {
 protected:
  ServerActions server_;
};

struct Family {
  const char* listen;
  const char* accept;
  int family;
  const char* address;
};
class SocketFamilies : public Sockets, public ::testing::WithParamInterface<Family> {};

TEST_P(SocketFamilies, EveryConnectionHasItsWholeLife) {
  constexpr int count = 40;
  Subject subject(server_.actions());
  const auto port = static_cast<std::uint16_t>(subject.run(GetParam().listen));
  TracedRun run(subject.pid());
  run.tracer().set_epoch(1, Phase::open);
  std::vector<int> clients;
  std::vector<std::uint16_t> client_ports;
  std::vector<std::int64_t> server_fds;
  for (int i = 0; i < count; i++) {
    clients.push_back(connect_to_loopback(GetParam().family, port));
    client_ports.push_back(local_port_of(clients.back()));
    server_fds.push_back(subject.run(GetParam().accept));
  }
  run.settle(1);  // the census gives each its fd
  EXPECT_EQ(run.tracer().activity().live_sockets, static_cast<unsigned>(count));
  for (const int fd : clients) close(fd);
  subject.run("end all");
  run.wait_for_no_sockets();
  run.settle(2);
  const Recording recording = run.finish();
  const Rows rows = sockets_of(recording, ResourceKind::accepted_socket);
  ASSERT_EQ(rows.lives.size(), static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < rows.lives.size(); i++) {
    const SocketLife& life = rows.lives[i];
    EXPECT_EQ(life.local_port, port);
    EXPECT_EQ(life.local_address, GetParam().address);
    EXPECT_EQ(life.remote_address, GetParam().address);
    EXPECT_EQ(std::count(client_ports.begin(), client_ports.end(), life.remote_port), 1);
    EXPECT_EQ(life.closed_first, ClosedFirst::peer);
    EXPECT_EQ(rows.resources[i].birth_cycle, 1u);
    EXPECT_GT(life.established_ns, 0u);
    EXPECT_GT(life.end_ns, life.established_ns);
    EXPECT_EQ(rows.resources[i].death_ns, life.end_ns);
    EXPECT_GT(life.ns_in_state[1], 0u) << "ESTABLISHED";
    EXPECT_GT(life.ns_in_state[8], 0u) << "CLOSE_WAIT";
  }
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::sockets_accepted), count);
  EXPECT_EQ(gauge_of(recording, 2, GaugeKind::sockets_accepted), 0);
  EXPECT_EQ(loss_of(recording, "ring buffer records"), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    All, SocketFamilies,
    ::testing::Values(Family{"listen4", "accept4", AF_INET, "127.0.0.1"},
                      Family{"listen6", "accept6", AF_INET6, "::1"},
                      Family{"listen dual", "accept dual", AF_INET, "127.0.0.1"},
                      Family{"listen dual", "accept dual", AF_INET6, "::1"}),
    [](const auto& family) { return "family" + std::to_string(family.index); });

TEST_F(Sockets, WhoClosedFirst) {
  Subject subject(server_.actions());
  const auto port = static_cast<std::uint16_t>(subject.run("listen4"));
  TracedRun run(subject.pid());
  const auto one_life = [&](auto&& end) {
    const int client = connect_to_loopback(AF_INET, port);
    subject.run("accept4");
    end(client);
  };
  one_life([&](int client) {  // the target, by FIN
    subject.run("close all");
    read_to_end(client);
    close(client);
  });
  one_life([&](int client) {  // the target, by reset
    subject.run("reset all");
    read_to_end(client);
    close(client);
  });
  one_life([&](int client) {  // the peer, by reset
    close_by_reset(client);
    subject.run("close all");
  });
  one_life([&](int client) {  // the peer, by FIN
    close(client);
    subject.run("end all");
  });
  run.settle(1);
  const Rows rows = sockets_of(run.finish(), ResourceKind::accepted_socket);
  ASSERT_EQ(rows.lives.size(), 4u);
  std::vector<ClosedFirst> order;
  for (const SocketLife& life : rows.lives) order.push_back(life.closed_first);
  EXPECT_EQ(order, (std::vector{ClosedFirst::target, ClosedFirst::target, ClosedFirst::peer,
                                ClosedFirst::peer}));
}

TEST_F(Sockets, CloseWaitThatStaysIsSeenWithItsFd) {
  Subject subject(server_.actions());
  const auto port = static_cast<std::uint16_t>(subject.run("listen4"));
  TracedRun run(subject.pid());
  run.tracer().set_epoch(3, Phase::open);
  const int client = connect_to_loopback(AF_INET, port);
  const auto fd = subject.run("accept4");
  close(client);
  run.settle(3);
  const Recording recording = run.finish();
  const Rows rows = sockets_of(recording, ResourceKind::accepted_socket);
  ASSERT_EQ(rows.lives.size(), 1u);
  EXPECT_EQ(tcp_state_name(rows.lives[0].state), "CLOSE_WAIT");
  EXPECT_EQ(rows.lives[0].fd, fd);
  EXPECT_EQ(rows.lives[0].end_ns, 0u);
  EXPECT_EQ(rows.resources[0].death_ns, 0u);
  EXPECT_EQ(gauge_of(recording, 3, GaugeKind::sockets_close_wait), 1);
}

// The fd of a connection that was reset stays until the target closes it, TCP or not.
TEST_F(Sockets, AResetSocketsFdIsAResourceOfItsOwn) {
  Subject subject(server_.actions());
  const auto port = static_cast<std::uint16_t>(subject.run("listen4"));
  TracedRun run(subject.pid());
  run.tracer().set_epoch(1, Phase::open);
  const int client = connect_to_loopback(AF_INET, port);
  subject.run("accept4");
  close_by_reset(client);
  run.settle(1);
  subject.run("close all");
  run.settle(2);
  const Recording recording = run.finish();
  const auto fd = std::find_if(
      recording.resources.begin(), recording.resources.end(),
      [](const Resource& r) { return r.kind == ResourceKind::fd && r.label == "tcp (closed)"; });
  ASSERT_NE(fd, recording.resources.end());
  EXPECT_EQ(fd->birth_cycle, 1u);
  EXPECT_GT(fd->death_ns, 0u);
}

TEST_F(Sockets, ConnectionsFromBeforeTheTracerAreAdopted) {
  Subject subject(server_.actions());
  const auto port = static_cast<std::uint16_t>(subject.run("listen4"));
  const int client = connect_to_loopback(AF_INET, port);
  subject.run("accept4");
  TracedRun run(subject.pid());
  run.tracer().set_epoch(1, Phase::open);
  close(client);
  subject.run("end all");
  run.settle(1);
  const Rows rows = sockets_of(run.finish(), ResourceKind::accepted_socket);
  ASSERT_EQ(rows.lives.size(), 1u);
  EXPECT_EQ(rows.resources[0].birth_cycle, 0u);
  EXPECT_EQ(rows.resources[0].birth_ns, 0u);
  EXPECT_GT(rows.lives[0].end_ns, 0u);
}

TEST_F(Sockets, OutgoingConnectionsAreKeptApart) {
  const int peer = listen_on_loopback(AF_INET);
  server_.call_port = local_port_of(peer);
  server_.inherited = peer;
  Subject subject(server_.actions());
  subject.run("drop inherited");
  subject.run("listen4");
  TracedRun run(subject.pid());
  run.tracer().set_epoch(2, Phase::hold);
  subject.run("call out");
  const int accepted = accept_one(peer);
  run.settle(2);
  close(accepted);
  close(peer);
  const Recording recording = run.finish();
  EXPECT_TRUE(sockets_of(recording, ResourceKind::accepted_socket).lives.empty());
  const Rows rows = sockets_of(recording, ResourceKind::outgoing_socket);
  ASSERT_EQ(rows.lives.size(), 1u);
  EXPECT_EQ(rows.lives[0].remote_port, server_.call_port);
  EXPECT_NE(rows.lives[0].local_port, 0);
  EXPECT_EQ(rows.resources[0].birth_cycle, 2u);
}

// The same port number means nothing in another process' network namespace.
TEST_F(Sockets, AnotherNamespacesPortIsNotTheTargets) {
  Subject subject(server_.actions());
  const auto port = static_cast<std::uint16_t>(subject.run("listen4"));
  TracedRun run(subject.pid());
  Subject stranger({{"serve one elsewhere", [port]() -> std::int64_t {
                       if (unshare(CLONE_NEWNET) != 0) return -1;
                       if (system("ip link set lo up") != 0) return -2;
                       const int listener = listen_on_loopback(AF_INET, false, port);
                       const int client = connect_to_loopback(AF_INET, port);
                       const int accepted = accept_one(listener);
                       close(client);
                       close(accepted);
                       return local_port_of(listener);
                     }}});
  ASSERT_EQ(stranger.run("serve one elsewhere"), port);
  run.settle(1);
  EXPECT_TRUE(run.finish().sockets.empty());
}

}  // namespace
}  // namespace ebbtide
