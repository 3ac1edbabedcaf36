#include "tracer/v8/inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/e2e/node_child.h"
#include "tests/temporary_directory.h"
#include "tracer/tcp_table.h"
#include "tracer/v8/v8_target.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Session = std::unique_ptr<InspectorSession>;

constexpr std::int64_t megabyte = 1 << 20;

class InspectorTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "a network namespace of the test's own needs root";
  }

  template <class T>
  T run(asio::awaitable<T> work) {
    std::optional<T> outcome;
    const auto keep = [&]() -> asio::awaitable<void> { outcome.emplace(co_await std::move(work)); };
    asio::co_spawn(io_, keep, [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
    // Not to the end of all work: an open session always reads.
    io_.restart();
    while (!outcome && io_.run_one() > 0) {
    }
    return std::move(*outcome);
  }

  Result<Session> open(pid_t pid, std::chrono::milliseconds timeout = 10s) {
    return run(InspectorSession::open(io_.get_executor(), pid, timeout));
  }

  HeapReading read(InspectorSession& session) {
    const auto reading = run(session.read_after_gc());
    if (!reading) throw std::runtime_error(reading.error().message());
    return *reading;
  }

  void close(InspectorSession& session) {
    run([](InspectorSession& open_session) -> asio::awaitable<int> {
      co_await open_session.close();
      co_return 0;
    }(session));
  }

  asio::io_context io_;
};

std::size_t listeners(pid_t pid) {
  const auto rows = read_tcp_table(pid);
  std::size_t count = 0;
  for (const TcpRow& row : *rows) count += row.state == tcp_listen ? 1 : 0;
  return count;
}

// The inspector's thread closes its port a moment after it has answered.
void expect_listeners(pid_t pid, std::size_t expected) {
  for (int i = 0; i < 500 && listeners(pid) != expected; ++i) usleep(10000);
  EXPECT_EQ(listeners(pid), expected);
}

TEST_F(InspectorTest, OpensReadsClosesAndOpensAgain) {
  NodeChild node;
  for (int round = 0; round < 2; ++round) {
    auto session = open(node.pid());
    ASSERT_TRUE(session) << session.error().message();
    EXPECT_TRUE((*session)->opened_by_us());
    EXPECT_EQ(listeners(node.pid()), 2u);
    const auto reading = read(**session);
    EXPECT_GT(reading.heap_used, megabyte);
    EXPECT_GE(reading.heap_total, reading.heap_used);
    EXPECT_GT(reading.external, 0);
    EXPECT_GE(reading.external, reading.array_buffers);
    EXPECT_GT(reading.rss, reading.heap_total);
    EXPECT_GT(reading.took_ns, 0u);
    EXPECT_LT(reading.took_ns, reading.ts_ns);
    close(**session);
    expect_listeners(node.pid(), 1);
    EXPECT_TRUE(node.running());
    EXPECT_FALSE(run((*session)->read_after_gc()));
  }
}

TEST_F(InspectorTest, WhatIsKeptShowsAndWhatIsDroppedDoesNot) {
  NodeChild node;
  auto session = open(node.pid());
  ASSERT_TRUE(session) << session.error().message();
  (void)read(**session);
  const auto before = read(**session);
  ASSERT_TRUE(node.tell("keep 8"));
  const auto kept = read(**session);
  EXPECT_NEAR(static_cast<double>(kept.heap_used - before.heap_used), 8.0 * megabyte,
              0.1 * megabyte);
  ASSERT_TRUE(node.tell("drop 8"));
  const auto dropped = read(**session);
  EXPECT_NEAR(static_cast<double>(dropped.heap_used), static_cast<double>(kept.heap_used),
              0.5 * megabyte);
  ASSERT_TRUE(node.tell("keepBuffer 8"));
  const auto buffered = read(**session);
  EXPECT_EQ(buffered.array_buffers - dropped.array_buffers, 8 * megabyte);
  EXPECT_GE(buffered.external - dropped.external, 8 * megabyte);
}

TEST_F(InspectorTest, WritesASnapshotThatDevToolsWouldTake) {
  NodeChild node;
  auto session = open(node.pid());
  ASSERT_TRUE(session) << session.error().message();
  ASSERT_TRUE(node.tell("keep 8"));
  const TemporaryDirectory directory;
  const std::string path = directory.file("a.heapsnapshot");
  std::vector<std::uint64_t> steps;
  const auto note = [&](std::uint64_t bytes) { steps.push_back(bytes); };
  const auto bytes = run((*session)->take_snapshot(path, note));
  ASSERT_TRUE(bytes) << bytes.error().message();
  EXPECT_EQ(*bytes, std::filesystem::file_size(path));
  ASSERT_FALSE(steps.empty());
  EXPECT_EQ(steps.back(), *bytes);
  std::ifstream file(path);
  const auto snapshot = nlohmann::json::parse(file);
  EXPECT_GT(snapshot["snapshot"]["node_count"].get<int>(), 10000);

  const auto refused = run((*session)->take_snapshot(directory.file("no/such/place"), note));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("No such file or directory"));
  EXPECT_GT(read(**session).heap_used, 8 * megabyte);  // the session goes on
}

TEST_F(InspectorTest, CountsWhatKeepsTheEventLoopAlive) {
  NodeChild node;
  auto session = open(node.pid());
  ASSERT_TRUE(session) << session.error().message();
  EXPECT_EQ(read(**session).active_resources.at("TCPServerWrap"), 1u);
}

TEST_F(InspectorTest, MemoryHeldByAFinalizerIsFreedBeforeTheReading) {
  NodeChild node;
  auto session = open(node.pid());
  ASSERT_TRUE(session) << session.error().message();
  const auto before = read(**session);
  ASSERT_TRUE(node.tell("finalize 8"));
  EXPECT_NEAR(static_cast<double>(read(**session).heap_used), static_cast<double>(before.heap_used),
              0.1 * megabyte);
}

// An attached inspector makes V8 keep what the application logs.
TEST_F(InspectorTest, LoggedObjectsAreNotKeptOnOurAccount) {
  NodeChild node;
  auto session = open(node.pid());
  ASSERT_TRUE(session) << session.error().message();
  ASSERT_TRUE(node.tell("log 1"));
  const auto before = read(**session);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(node.tell("log 1"));
  EXPECT_NEAR(static_cast<double>(read(**session).heap_used), static_cast<double>(before.heap_used),
              0.2 * megabyte);
}

TEST_F(InspectorTest, ReadingsLeaveNothingBehind) {
  NodeChild node;
  auto session = open(node.pid());
  ASSERT_TRUE(session) << session.error().message();
  for (int i = 0; i < 10; ++i) (void)read(**session);
  const auto before = read(**session);
  for (int i = 0; i < 50; ++i) (void)read(**session);
  const auto after = read(**session);
  RecordProperty("bytes_per_reading", std::to_string((after.heap_used - before.heap_used) / 51));
  EXPECT_LT(after.heap_used - before.heap_used, 51 * 1024);
  EXPECT_LE(after.array_buffers, before.array_buffers);
}

TEST_F(InspectorTest, AnInspectorThatIsOnIsUsedAndLeftOn) {
  for (const char* option : {"--inspect=0", "--inspect=127.0.0.1:9231"}) {
    NodeChild node({option});
    auto session = open(node.pid());
    ASSERT_TRUE(session) << session.error().message();
    EXPECT_FALSE((*session)->opened_by_us());
    EXPECT_GT(read(**session).heap_used, megabyte);
    close(**session);
    usleep(200000);
    EXPECT_EQ(listeners(node.pid()), 2u);
    EXPECT_TRUE(open(node.pid()));
  }
}

TEST_F(InspectorTest, ASwallowedSignalIsExplained) {
  NodeChild node;
  ASSERT_TRUE(node.tell("handleSignal"));
  const auto session = open(node.pid());
  ASSERT_FALSE(session);
  EXPECT_NE(session.error().reason.find("process.on('SIGUSR1')"), std::string::npos);
  EXPECT_NE(session.error().remedy.find("--inspect"), std::string::npos);
  EXPECT_TRUE(node.running());
}

TEST_F(InspectorTest, ATakenPortIsReportedWithItsOwner) {
  NodeChild owner({"--inspect=127.0.0.1:9229"});
  NodeChild node({}, owner.pid());
  const auto session = open(node.pid());
  ASSERT_FALSE(session);
  const auto named = "9229 is taken by process " + std::to_string(owner.pid()) + " (";
  EXPECT_NE(session.error().reason.find(named), std::string::npos) << session.error().reason;
  EXPECT_NE(session.error().remedy, "");
}

TEST_F(InspectorTest, WhatIsNotNodeIsRefusedWithoutASignal) {
  Child sleeper({"sleep", "600"});
  const auto session = open(sleeper.pid());
  ASSERT_FALSE(session);
  EXPECT_NE(session.error().reason.find("no Node.js process"), std::string::npos);
  EXPECT_TRUE(sleeper.running());
}

// Node before it has taken over SIGUSR1, or told not to: the signal would kill it.
TEST_F(InspectorTest, NodeThatDoesNotCatchTheSignalIsNotSignalled) {
  Child probe({node_under_test(), "--disable-sigusr1", "-e", "console.log('supported')"});
  if (!probe.wait_for("supported")) GTEST_SKIP() << "this node has no --disable-sigusr1 (22+)";
  NodeChild node({"--disable-sigusr1"});
  const auto session = open(node.pid());
  ASSERT_FALSE(session);
  EXPECT_NE(session.error().reason.find("--disable-sigusr1"), std::string::npos);
  EXPECT_TRUE(node.running());
}

TEST_F(InspectorTest, WithoutTheRightToLookTheErrorSaysSo) {
  NodeChild node;
  const pid_t stranger = fork();
  if (stranger == 0) {
    const bool dropped = setgid(65534) == 0 && setuid(65534) == 0;
    const auto session = open(node.pid());
    const bool explained = !session && session.error().remedy.find("root") != std::string::npos;
    _exit(dropped && explained ? 0 : 1);
  }
  int status = 0;
  waitpid(stranger, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(node.running());
}

TEST_F(InspectorTest, ATargetThatDiesBetweenReadingsIsAnError) {
  NodeChild node;
  auto session = open(node.pid());
  ASSERT_TRUE(session) << session.error().message();
  node.kill();
  const auto reading = run((*session)->read_after_gc());
  ASSERT_FALSE(reading);
  EXPECT_NE(reading.error().reason.find("closed the connection"), std::string::npos)
      << reading.error().reason;
  close(**session);
}

TEST_F(InspectorTest, ATargetThatDiesInMidRequestIsAnErrorAtOnce) {
  NodeChild node;
  auto session = open(node.pid(), 1h);
  ASSERT_TRUE(session) << session.error().message();
  node.send("block 600000");
  ASSERT_TRUE(node.wait_for("blocking"));
  asio::steady_timer assassin(io_, 200ms);
  assassin.async_wait([&](const auto&) { node.kill(); });
  const auto reading = run((*session)->read_after_gc());
  ASSERT_FALSE(reading);
  EXPECT_NE(reading.error().reason.find("closed the connection"), std::string::npos)
      << reading.error().reason;
}

TEST_F(InspectorTest, ATargetThatIsBusyForTooLongIsAnError) {
  NodeChild node;
  auto session = open(node.pid(), 300ms);
  ASSERT_TRUE(session) << session.error().message();
  node.send("block 600000");
  ASSERT_TRUE(node.wait_for("blocking"));
  const auto reading = run((*session)->read_after_gc());
  ASSERT_FALSE(reading);
  EXPECT_NE(reading.error().reason.find("no answer within 300 ms"), std::string::npos)
      << reading.error().reason;
}

TEST_F(InspectorTest, TheTargetsVersionAndProbeSitesAreFound) {
  Child asked({node_under_test(), "-p", "process.version"});
  NodeChild node;
  const auto found = find_v8(node.pid());
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->runtime, "node");
  EXPECT_TRUE(asked.wait_for((*found)->version)) << (*found)->version;
  ASSERT_TRUE((*found)->gc_sites.has_value()) << (*found)->gc_sites_missing;

  Child sleeper({"sleep", "600"});
  const auto none = find_v8(sleeper.pid());
  ASSERT_TRUE(none) << none.error().message();
  EXPECT_FALSE(none->has_value());
}

}  // namespace
}  // namespace ebbtide
