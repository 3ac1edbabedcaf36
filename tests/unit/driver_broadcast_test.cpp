// Broadcasts of real Node servers (broadcast_servers.js), each spoiled in a way that is known, and
// triggers that servers refuse.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "driver/broadcast.h"
#include "driver/resolve.h"
#include "tests/unit/driver_certificate.h"
#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::Ge;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::uint64_t ms = 1'000'000;

// The lower bound of the bucket that holds the middle one of a kind's latencies; 0 of none.
std::uint64_t median(const BroadcastResult& result, LatencyKind kind) {
  std::vector<std::uint64_t> values;
  for (const LatencyBucket& bucket : result.latencies) {
    if (bucket.kind == kind) values.insert(values.end(), bucket.count, bucket.lower_ns);
  }
  return values.empty() ? 0 : values[values.size() / 2];
}

std::uint64_t count(const BroadcastResult& result, LatencyKind kind) {
  std::uint64_t sum = 0;
  for (const LatencyBucket& bucket : result.latencies) {
    if (bucket.kind == kind) sum += bucket.count;
  }
  return sum;
}

// `n` requests, one after the other.
TriggerPlan posts(std::uint64_t n) {
  TriggerPlan plan;
  plan.url = {Scheme::http, "127.0.0.1", 0, "/say"};
  plan.body = R"({"text":"{token}","n":{n}})";
  plan.concurrency = 1;
  plan.count = n;
  plan.duration = 0ms;
  plan.quiet = 300ms;
  return plan;
}

// Keeps the messages that it passes on.
class Listener : public ConnectionObserver {
 public:
  Listener(ConnectionObserver& next, std::vector<std::string>& messages)
      : next_(next), messages_(messages) {}
  void on_established(std::uint64_t id, bool slow) override { next_.on_established(id, slow); }
  void on_left(std::uint64_t id) override { next_.on_left(id); }
  void on_message(std::uint64_t id, std::string_view payload, Receipt receipt) override {
    messages_.emplace_back(payload);
    next_.on_message(id, payload, receipt);
  }

 private:
  ConnectionObserver& next_;
  std::vector<std::string>& messages_;
};

class BroadcastTest : public testing::Test {
 protected:
  // Without subscribers, against any server of 127.0.0.1.
  BroadcastResult trigger(std::uint16_t port, TriggerPlan plan) {
    make(port, std::move(plan));
    bool done = false;
    asio::co_spawn(io_, broadcast_->run(), [&](const std::exception_ptr& fault) {
      if (fault) std::rethrow_exception(fault);
      done = true;
    });
    io_.restart();
    while (!done && io_.run_one() > 0) {
    }
    EXPECT_TRUE(done);
    return broadcast_->result();
  }

  // With `clients` that have subscribed.
  BroadcastResult broadcast(const std::string& behaviour, std::uint32_t clients, TriggerPlan plan,
                            std::uint32_t slow = 0) {
    const bool encrypted = is_encrypted(plan.url.scheme);
    const NodeServer server((encrypted ? "tls:" : "") + behaviour, "127.0.0.1",
                            "broadcast_servers.js");
    const char* scheme = encrypted ? "wss" : "ws";
    make(server.port(), std::move(plan));
    ConnectionPlan subscription;
    subscription.tls.insecure = true;
    subscription.steps = {expect("welcome")};
    subscription.slow = slow;
    Load load{.count = clients, .window = clients};
    Listener listener(*broadcast_, messages_);
    load.observer = &listener;
    load.held = [this](Cohort&) { return broadcast_->run(); };
    const auto outcomes =
        drive(io_, fmt::format("{}://127.0.0.1:{}/ws", scheme, server.port()), subscription, load);
    EXPECT_THAT(outcomes, Each(Field(&Connection::established_ns, Not(0u))));
    return broadcast_->result();
  }

  void make(std::uint16_t port, TriggerPlan plan) {
    plan.url.port = port;
    auto endpoints = resolve(plan.url, false).value();
    broadcast_ = std::make_unique<Broadcast>(io_.get_executor(), std::move(plan),
                                             std::move(endpoints), 3, 1, "test");
  }

  asio::io_context io_{1};
  std::unique_ptr<Broadcast> broadcast_;
  std::vector<std::string> messages_;  // that any client got
};

TEST_F(BroadcastTest, ReachesEveryClientOnce) {
  const BroadcastResult result = broadcast("plain", 20, posts(30));
  ASSERT_THAT(result.triggers, SizeIs(30));
  for (const Trigger& each : result.triggers) {
    EXPECT_EQ(each.error, "");
    EXPECT_EQ(each.cycle, 3u);
    EXPECT_EQ(each.http_status, 200);
    EXPECT_EQ(each.expected, 20u);
    EXPECT_EQ(each.delivered, 20u);
    EXPECT_EQ(each.duplicates + each.reordered, 0u);
    EXPECT_LE(each.scheduled_ns, each.sent_ns);
    EXPECT_LT(each.sent_ns, each.answered_ns);
    EXPECT_LT(each.sent_ns, each.first_ns);
    EXPECT_LE(each.first_ns, each.last_ns);
  }
  EXPECT_EQ(result.triggers.back().number, 30u);
  EXPECT_EQ(count(result, LatencyKind::delivery), 600u);
  EXPECT_EQ(result.unmatched.count, 0u);
  EXPECT_EQ(result.strange_tokens + result.too_old, 0u);
  EXPECT_EQ(result.unstamped, 0u);
  EXPECT_EQ(count(result, LatencyKind::reading), 600u);
  EXPECT_FALSE(result.still_coming);
  const BroadcastStatus status = broadcast_->status();
  EXPECT_EQ(status.sent, 30u);
  EXPECT_EQ(status.answered, 30u);
  EXPECT_EQ(status.delivered, 600u);
  EXPECT_EQ(status.traffic.messages_received, 30u);
  EXPECT_EQ(status.traffic.bytes_received, 60u);  // "ok"
}

TEST_F(BroadcastTest, KeepsManyRequestsGoingOnASchedule) {
  TriggerPlan plan = posts(0);
  plan.concurrency = 4;
  plan.rate = 400;
  plan.duration = 250ms;
  const BroadcastResult result = broadcast("plain", 5, plan);
  ASSERT_THAT(result.triggers, SizeIs(100));
  for (std::size_t i = 1; i < result.triggers.size(); ++i) {
    const Trigger& each = result.triggers[i];
    EXPECT_EQ(each.scheduled_ns - result.triggers[0].scheduled_ns, i * 5 * ms / 2);
    EXPECT_GE(each.sent_ns, each.scheduled_ns);
    EXPECT_EQ(each.delivered, 5u);
    EXPECT_EQ(each.reordered, 0u);
  }
}

TEST_F(BroadcastTest, MissesEvery7thClient) {
  const BroadcastResult result = broadcast("drops_every_7th", 21, posts(10));
  EXPECT_THAT(result.triggers, AllOf(SizeIs(10), Each(AllOf(Field(&Trigger::expected, 21u),
                                                            Field(&Trigger::delivered, 18u),
                                                            Field(&Trigger::duplicates, 0u)))));
}

TEST_F(BroadcastTest, CountsEvery10thMessageTwice) {
  const BroadcastResult result = broadcast("doubles_every_10th", 6, posts(30));
  ASSERT_THAT(result.triggers, SizeIs(30));
  for (const Trigger& each : result.triggers) {
    EXPECT_EQ(each.delivered, 6u);
    EXPECT_EQ(each.duplicates, each.number % 10 == 0 ? 6u : 0u);
  }
}

TEST_F(BroadcastTest, SeesTwoMessagesChangePlaces) {
  const BroadcastResult result = broadcast("swaps_5_and_6", 6, posts(10));
  ASSERT_THAT(result.triggers, SizeIs(10));
  for (const Trigger& each : result.triggers) {
    EXPECT_EQ(each.delivered, 6u);
    EXPECT_EQ(each.reordered, each.number == 5 ? 6u : 0u);
  }
}

TEST_F(BroadcastTest, MeasuresTheServersDelay) {
  TriggerPlan plan = posts(10);
  plan.quiet = 1ms;  // the delay seen so far makes it wait
  const BroadcastResult result = broadcast("delays_50_ms", 5, plan);
  EXPECT_THAT(result.triggers, Each(Field(&Trigger::delivered, 5u)));
  EXPECT_EQ(count(result, LatencyKind::delivery), 50u);
  EXPECT_GE(median(result, LatencyKind::delivery), 49'600'000u);  // a bucket is 1/128 wide
  for (const Trigger& each : result.triggers) EXPECT_GE(each.first_ns - each.sent_ns, 50 * ms);
}

TEST_F(BroadcastTest, TellsWhatCameAfterTheAnswer) {
  const BroadcastResult result = broadcast("answers_20_ms_before", 5, posts(10));
  EXPECT_THAT(result.triggers, Each(Field(&Trigger::delivered, 5u)));
  EXPECT_EQ(count(result, LatencyKind::after_answer), 50u);
  for (const Trigger& each : result.triggers) EXPECT_GE(each.first_ns - each.sent_ns, 20 * ms);
  for (const Trigger& each : result.triggers) EXPECT_GT(each.first_ns, each.answered_ns);
}

TEST_F(BroadcastTest, ShowsWhatCameWhenNothingHasAToken) {
  const BroadcastResult result = broadcast("tells_no_token", 5, posts(4));
  EXPECT_THAT(result.triggers,
              Each(AllOf(Field(&Trigger::expected, 5u), Field(&Trigger::delivered, 0u),
                         Field(&Trigger::first_ns, 0u))));
  EXPECT_EQ(result.unmatched.count, 20u);
  EXPECT_THAT(result.unmatched.sample, StartsWith("score 1:0 é"));
}

TEST_F(BroadcastTest, FindsEachMessageOfAnEscapedBatch) {
  const BroadcastResult result = broadcast("batches_by_3", 5, posts(9));
  EXPECT_THAT(result.triggers,
              Each(AllOf(Field(&Trigger::delivered, 5u), Field(&Trigger::duplicates, 0u))));
  EXPECT_EQ(result.unmatched.count, 0u);
}

TEST_F(BroadcastTest, ExpectsNothingOfThoseWhoLeft) {
  TriggerPlan plan = posts(10);
  plan.rate = 50;  // time to notice that the server closed some
  const BroadcastResult result = broadcast("closes_3_clients", 5, plan);
  ASSERT_THAT(result.triggers, SizeIs(10));
  EXPECT_EQ(result.triggers.front().expected, 5u);
  EXPECT_EQ(result.triggers.back().expected, 2u);
  for (const Trigger& each : result.triggers) EXPECT_EQ(each.delivered, each.expected);
}

TEST_F(BroadcastTest, ExpectsNothingOfSlowClients) {
  const BroadcastResult result = broadcast("plain", 10, posts(5), 4);
  EXPECT_THAT(result.triggers,
              Each(AllOf(Field(&Trigger::expected, 6u), Field(&Trigger::delivered, 6u))));
}

TEST_F(BroadcastTest, SendsAMessageOverOneMoreConnection) {
  for (const double rate : {0.0, 500.0}) {
    TriggerPlan plan = posts(20);
    plan.url = {Scheme::ws, "127.0.0.1", 0, "/speak"};
    plan.steps = {send("hello"), expect("go on, hello")};
    plan.rate = rate;
    const BroadcastResult result = broadcast("plain", 5, plan);
    ASSERT_THAT(result.triggers, SizeIs(20));
    EXPECT_THAT(result.triggers,
                Each(AllOf(Field(&Trigger::error, ""), Field(&Trigger::answered_ns, 0u),
                           Field(&Trigger::delivered, 5u), Field(&Trigger::reordered, 0u))));
    EXPECT_EQ(broadcast_->status().traffic.messages_sent, 21u);
  }
}

TEST_F(BroadcastTest, SpeaksTls) {
  const TestCertificate certificate("IP:127.0.0.1");
  for (const Scheme scheme : {Scheme::https, Scheme::wss}) {
    TriggerPlan plan = posts(5);
    plan.url = {scheme, "127.0.0.1", 0, scheme == Scheme::wss ? "/speak" : "/say"};
    if (scheme == Scheme::wss) plan.steps = {send("hello"), expect("go on, hello")};
    plan.tls.ca_file = certificate.path();
    const BroadcastResult result = broadcast("plain", 3, plan);
    EXPECT_THAT(
        result.triggers,
        AllOf(SizeIs(5), Each(AllOf(Field(&Trigger::error, ""), Field(&Trigger::delivered, 3u)))));
  }
}

TEST_F(BroadcastTest, TrustsNoUnknownCertificate) {
  const TestCertificate certificate("IP:127.0.0.1");
  TriggerPlan plan = posts(2);
  plan.url.scheme = Scheme::https;
  const BroadcastResult result = broadcast("plain", 1, plan);
  EXPECT_THAT(result.triggers,
              AllOf(SizeIs(2), Each(AllOf(Field(&Trigger::error, HasSubstr("certificate")),
                                          Field(&Trigger::sent_ns, 0u)))));
}

TEST_F(BroadcastTest, NamesTheServersObjectionToAMessage) {
  TriggerPlan plan = posts(3);
  plan.url = {Scheme::ws, "127.0.0.1", 0, "/mute"};
  const BroadcastResult result = broadcast("plain", 2, plan);
  EXPECT_THAT(
      result.triggers,
      AllOf(SizeIs(3),
            Each(AllOf(Field(&Trigger::error, "server closed the connection (close code 1008)"),
                       Field(&Trigger::delivered, 0u)))));
  EXPECT_EQ(broadcast_->status().failed, 3u);
}

TEST_F(BroadcastTest, GoesOnWhenTheServerDies) {
  TriggerPlan plan = posts(8);
  plan.rate = 100;
  const BroadcastResult result = broadcast("dies_at_5", 4, plan);
  ASSERT_THAT(result.triggers, SizeIs(8));
  for (const Trigger& each : result.triggers) {
    EXPECT_EQ(each.error == "", each.number < 5) << each.error;
    EXPECT_EQ(each.delivered, each.number < 5 ? 4u : 0u);
  }
  EXPECT_EQ(result.triggers.back().error, "connection refused");
  EXPECT_EQ(result.gave_up, "");
}

TEST_F(BroadcastTest, NamesAnAnswerThatIsNoHttp) {
  ScriptedServer server(io_, [](tcp::socket socket) -> asio::awaitable<void> {
    std::array<char, 4096> request;
    co_await socket.async_read_some(asio::buffer(request), asio::as_tuple(asio::use_awaitable));
    co_await asio::async_write(socket, asio::buffer("nonsense\r\n\r\n", 12),
                               asio::as_tuple(asio::use_awaitable));
  });
  const BroadcastResult result = trigger(server.port(), posts(2));
  EXPECT_THAT(result.triggers,
              AllOf(SizeIs(2), Each(Field(&Trigger::error, StartsWith("protocol error")))));
  server.stop();
}

TEST_F(BroadcastTest, FillsInTargetHeadersAndBody) {
  TriggerPlan plan = posts(2);
  plan.method = "PATCH";
  plan.url.target = "/say/{n}?t={token}";
  plan.headers = {{"X-Trigger", "<{token}>"}};
  plan.body = "{}{n}";
  const BroadcastResult result = broadcast("mirror", 1, plan);
  EXPECT_THAT(
      result.triggers,
      AllOf(SizeIs(2), Each(AllOf(Field(&Trigger::error, ""), Field(&Trigger::delivered, 1u)))));
  EXPECT_THAT(messages_,
              ElementsAre("PATCH /say/1?t=ebbtestn1z <ebbtestn1z> application/json {}1",
                          "PATCH /say/2?t=ebbtestn2z <ebbtestn2z> application/json {}2"));
}

TEST_F(BroadcastTest, NotesAnErrorStatusAndGoesOn) {
  const BroadcastResult result = broadcast("fails_every_2nd", 3, posts(6));
  ASSERT_THAT(result.triggers, SizeIs(6));
  for (const Trigger& each : result.triggers) {
    const bool fails = each.number % 2 == 0;
    EXPECT_EQ(each.http_status, fails ? 500 : 200);
    EXPECT_EQ(each.error, fails ? "answered with HTTP 500" : "");
    EXPECT_NE(each.answered_ns, 0u);
    EXPECT_EQ(each.delivered, fails ? 0u : 3u);
  }
  EXPECT_EQ(broadcast_->status().failed, 3u);
}

TEST_F(BroadcastTest, GivesUpOnAnAnswerThatDoesNotCome) {
  TriggerPlan plan = posts(5);
  plan.timeout = 2s;
  const BroadcastResult result = broadcast("hangs_at_3", 3, plan);
  ASSERT_THAT(result.triggers, SizeIs(5));
  for (const Trigger& each : result.triggers) {
    EXPECT_EQ(each.error, each.number == 3 ? "no answer in 2000 ms" : "");
    EXPECT_EQ(each.answered_ns == 0, each.number == 3);
    EXPECT_EQ(each.delivered, 3u);  // the message came all the same
  }
}

TEST_F(BroadcastTest, ConnectsAgainWhenTheServerDoesNotKeepTheConnection) {
  const BroadcastResult result = broadcast("ends_keep_alive", 3, posts(5));
  EXPECT_THAT(
      result.triggers,
      AllOf(SizeIs(5), Each(AllOf(Field(&Trigger::error, ""), Field(&Trigger::delivered, 3u)))));
}

TEST_F(BroadcastTest, NamesAConnectionThatTheServerDrops) {
  const BroadcastResult result = broadcast("drops_connection_at_2", 3, posts(4));
  ASSERT_THAT(result.triggers, SizeIs(4));
  for (const Trigger& each : result.triggers) {
    EXPECT_EQ(each.error, each.number == 2 ? "server closed the connection" : "");
    EXPECT_EQ(each.delivered, 3u);
  }
}

TEST_F(BroadcastTest, EndsEarlyWhenNothingCanConnect) {
  tcp::acceptor acceptor(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const std::uint16_t port = acceptor.local_endpoint().port();
  acceptor.close();
  TriggerPlan plan = posts(100'000);
  plan.concurrency = 10;
  const BroadcastResult closed_loop = trigger(port, plan);
  EXPECT_EQ(closed_loop.gave_up, "connection refused");
  EXPECT_THAT(closed_loop.triggers,
              AllOf(SizeIs(Ge(50u)), Each(Field(&Trigger::error, "connection refused"))));
  EXPECT_LE(closed_loop.triggers.size(), 60u);
  EXPECT_THAT(closed_loop.triggers, Each(Field(&Trigger::sent_ns, 0u)));

  plan.rate = 1000;
  const BroadcastResult scheduled = trigger(port, plan);
  EXPECT_EQ(scheduled.gave_up, "connection refused");
  EXPECT_LE(scheduled.triggers.size(), 60u);
}

TEST_F(BroadcastTest, ForgivesNoServerThatStalls) {
  // Accepts by the kernel alone, and answers nothing.
  tcp::acceptor acceptor(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  TriggerPlan plan = posts(0);
  plan.concurrency = 2;
  plan.rate = 100;
  plan.duration = 200ms;
  plan.timeout = 150ms;
  const BroadcastResult result = trigger(acceptor.local_endpoint().port(), plan);
  ASSERT_THAT(result.triggers, SizeIs(20));
  EXPECT_THAT(result.triggers, Each(Field(&Trigger::error, Not(""))));
  EXPECT_EQ(result.triggers.front().error, "no answer in 150 ms");
  EXPECT_EQ(result.triggers.back().error, "not sent: all 2 connections were waiting for answers");
  EXPECT_EQ(result.triggers.back().sent_ns, 0u);
}

TEST_F(BroadcastTest, StopEndsARequestThatHangsAndWhatWaits) {
  tcp::acceptor acceptor(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  for (const double rate : {0.0, 0.5}) {
    TriggerPlan plan = posts(0);
    plan.concurrency = 3;
    plan.rate = rate;
    plan.timeout = 60s;
    plan.drain_limit = plan.quiet = 60s;
    asio::steady_timer soon(io_, 50ms);
    soon.async_wait([&](const auto&) { broadcast_->stop(); });
    const BroadcastResult result = trigger(acceptor.local_endpoint().port(), plan);
    EXPECT_THAT(result.triggers, SizeIs(rate == 0 ? 3 : 1));
    EXPECT_THAT(result.triggers, Each(Field(&Trigger::error, "aborted")));
  }
}

TEST_F(BroadcastTest, StopBeforeRunSendsNothing) {
  make(1, posts(5));
  broadcast_->stop();
  asio::co_spawn(io_, broadcast_->run(), [](const std::exception_ptr&) {});
  io_.run();
  EXPECT_THAT(broadcast_->result().triggers, SizeIs(0));
}

}  // namespace
}  // namespace ebbtide
