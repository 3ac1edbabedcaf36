// Which subscriber got what: messages, tokens and times as a test makes them up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "driver/broadcast_deliveries.h"

namespace ebbtide {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(TriggerSyntax, TakesAMethodOrPosts) {
  const Result<TriggerPlan> request = parse_trigger("put  http://[::1]:8000/m/{n}?t={token}");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "PUT");
  EXPECT_EQ(request->url.host, "::1");
  EXPECT_EQ(request->url.target, "/m/{n}?t={token}");
  EXPECT_EQ(parse_trigger("http://localhost/x")->method, "POST");
  EXPECT_EQ(parse_trigger("ws://localhost:8000/ws")->url.scheme, Scheme::ws);
}

TEST(TriggerSyntax, RefusesWhatCannotBeSent) {
  for (const char* text :
       {"", "POST", "POST ", " http://localhost/", "P/ST http://localhost/", "tcp://localhost:1",
        "GET ws://localhost/", "POST localhost/", "POST http://localhost/a b"}) {
    EXPECT_FALSE(parse_trigger(text)) << text;
  }
  EXPECT_THAT(parse_trigger("GET ws://localhost/").error().message(),
              testing::HasSubstr("a WebSocket message has no HTTP method"));
}

TEST(TriggerText, FillsInTokenAndNumberOnceEach) {
  TriggerPlan plan = parse_trigger("POST http://localhost/{n}/{token}").value();
  plan.body = R"({"a":{"t":"{token}"},"n":{n},"x":"{{n}","y":"{to)";
  plan.headers = {{"X-Token", "<{token}>"}};
  const TriggerText text = fill_in(plan, "a{n}b", 7);
  EXPECT_EQ(text.target, "/7/a{n}b");
  EXPECT_EQ(text.body, R"({"a":{"t":"a{n}b"},"n":7,"x":"{7","y":"{to)");
  EXPECT_THAT(text.headers, ElementsAre(testing::Pair("X-Token", "<a{n}b>")));
}

TEST(TriggerTokens, AreFoundAnywhereAndOnlyWhole) {
  const TriggerTokens tokens("r1");
  std::vector<std::int64_t> found;
  const auto find = [&](const std::string& text) {
    found.clear();
    std::string_view rest = text;
    for (std::optional<std::uint64_t> number; tokens.next(rest, number);) {
      found.push_back(number ? static_cast<std::int64_t>(*number) : -1);
    }
    return !found.empty();
  };
  EXPECT_TRUE(find("x" + tokens.token(1) + tokens.token(12) + R"(\"})"));
  EXPECT_THAT(found, ElementsAre(1, 12));
  EXPECT_FALSE(find("nothing"));
  EXPECT_FALSE(find(""));
  EXPECT_FALSE(find(TriggerTokens("r2").token(1)));
  EXPECT_TRUE(find("ebbr1n12"));  // cut off
  EXPECT_THAT(found, ElementsAre(-1));
  EXPECT_TRUE(find("ebbr1nebbr1n3z"));
  EXPECT_THAT(found, ElementsAre(-1, 3));
  EXPECT_TRUE(find("ebbr1n99999999999999999999999z"));
  EXPECT_THAT(found, ElementsAre(-1));
}

class DeliveriesTest : public testing::Test {
 protected:
  std::size_t send(std::uint64_t at_ns) {
    const std::size_t index = deliveries_.begin(at_ns);
    deliveries_.note_sent(index, at_ns);
    return index;
  }
  void answer(std::size_t index, std::uint64_t at_ns) {
    deliveries_.triggers()[index].answered_ns = at_ns;
  }
  void come(std::uint64_t id, std::size_t index, std::uint64_t at_ns) {
    EXPECT_TRUE(deliveries_.take(id, deliveries_.token(index), {at_ns, at_ns + 5}));
  }
  const Trigger& trigger(std::size_t index) { return deliveries_.triggers()[index]; }
  std::uint64_t latencies(LatencyKind kind) {
    std::uint64_t count = 0;
    for (const LatencyBucket& bucket : deliveries_.result().latencies) {
      if (bucket.kind == kind) count += bucket.count;
    }
    return count;
  }

  Deliveries deliveries_{3, 100, "run", false};
};

TEST_F(DeliveriesTest, CountsFirstCopiesDuplicatesAndWhoIsMissing) {
  for (std::uint64_t id = 1; id <= 200; ++id) deliveries_.add_subscriber(id);
  const std::size_t index = send(1000);
  for (std::uint64_t id = 1; id <= 199; ++id) come(id, index, 1000 + id);
  come(7, index, 3000);
  come(7, index, 3001);
  EXPECT_EQ(trigger(index).number, 100u);
  EXPECT_EQ(trigger(index).cycle, 3u);
  EXPECT_EQ(trigger(index).expected, 200u);
  EXPECT_EQ(trigger(index).delivered, 199u);
  EXPECT_EQ(trigger(index).duplicates, 2u);
  EXPECT_EQ(trigger(index).first_ns, 1001u);
  EXPECT_EQ(trigger(index).last_ns, 1199u);
  EXPECT_EQ(deliveries_.missing(), 1u);
  EXPECT_EQ(latencies(LatencyKind::delivery), 199u);
  EXPECT_EQ(latencies(LatencyKind::reading), 199u);
  EXPECT_EQ(latencies(LatencyKind::after_answer), 0u);
}

TEST_F(DeliveriesTest, TakesEveryTokenOfABatchAndARepeatedOneOnce) {
  deliveries_.add_subscriber(1);
  const std::size_t first = send(10);
  const std::size_t second = send(11);
  const std::string a = deliveries_.token(first);
  const std::string b = deliveries_.token(second);
  EXPECT_TRUE(deliveries_.take(1, a + b + a, {20, 20}));
  EXPECT_EQ(trigger(first).delivered, 1u);
  EXPECT_EQ(trigger(second).delivered, 1u);
  EXPECT_EQ(trigger(first).duplicates, 0u);
}

TEST_F(DeliveriesTest, OnlyWhatWasSentAfterTheAnswerIsLater) {
  deliveries_.add_subscriber(1);
  deliveries_.add_subscriber(2);
  const std::size_t a = send(10);
  const std::size_t b = send(11);  // at the same time as a
  answer(a, 20);
  answer(b, 21);
  const std::size_t c = send(30);
  come(1, b, 40);
  come(1, a, 41);  // no order was promised
  come(1, c, 42);
  come(2, c, 43);
  come(2, b, 44);
  come(2, a, 45);
  come(2, a, 46);
  EXPECT_EQ(trigger(a).reordered, 1u);
  EXPECT_EQ(trigger(b).reordered, 1u);
  EXPECT_EQ(trigger(c).reordered, 0u);
  EXPECT_EQ(trigger(a).duplicates, 1u);
}

TEST_F(DeliveriesTest, OfOneConnectionEveryNumberIsLater) {
  deliveries_ = Deliveries(3, 100, "run", true);
  deliveries_.add_subscriber(1);
  const std::size_t a = send(10);
  const std::size_t b = send(11);
  come(1, b, 40);
  come(1, a, 41);
  EXPECT_EQ(trigger(a).reordered, 1u);
}

TEST_F(DeliveriesTest, ForgivesOnlyWhatMayHaveBeenOnTheWayToALeaver) {
  deliveries_.add_subscriber(1);
  deliveries_.add_subscriber(2);
  const std::size_t lost = send(10);
  const std::size_t got = send(20);
  const std::size_t on_the_way = send(30);
  come(1, got, 25);
  deliveries_.remove_subscriber(1);
  deliveries_.remove_subscriber(9);  // never came
  const std::size_t after = send(40);
  EXPECT_EQ(trigger(lost).expected, 2u);
  EXPECT_EQ(trigger(got).expected, 2u);
  EXPECT_EQ(trigger(on_the_way).expected, 1u);
  EXPECT_EQ(trigger(after).expected, 1u);
  EXPECT_EQ(deliveries_.missing(), 5u);
  EXPECT_EQ(deliveries_.subscribers(), 1u);
}

TEST_F(DeliveriesTest, ALateSubscriberIsToldAHistory) {
  deliveries_.add_subscriber(1);
  const std::size_t index = send(10);
  deliveries_.add_subscriber(2);
  come(2, index, 20);
  EXPECT_EQ(trigger(index).expected, 1u);
  EXPECT_EQ(trigger(index).delivered, 0u);
  deliveries_.remove_subscriber(2);
  EXPECT_EQ(trigger(index).expected, 1u);
}

TEST_F(DeliveriesTest, CountsWhatItCannotPlace) {
  deliveries_.add_subscriber(1);
  const std::size_t index = send(10);
  const std::size_t begun = deliveries_.begin(11);
  EXPECT_TRUE(deliveries_.take(1, "ebbrunn99z ebbrunn102z ebbrunnz", {20, 20}));
  EXPECT_TRUE(deliveries_.take(1, deliveries_.token(begun), {20, 20}));
  EXPECT_FALSE(deliveries_.take(1, "first without", {20, 20}));
  EXPECT_FALSE(deliveries_.take(1, "second", {20, 20}));
  EXPECT_FALSE(deliveries_.take(2, deliveries_.token(index), {20, 20}));  // no subscriber
  EXPECT_TRUE(deliveries_.take(1, deliveries_.token(index), {0, 20}));
  const BroadcastResult result = deliveries_.result();
  EXPECT_EQ(result.strange_tokens, 4u);
  EXPECT_EQ(result.unmatched.count, 2u);
  EXPECT_EQ(result.unmatched.sample, "first without");
  EXPECT_EQ(result.unmatched.cycle, 3u);
  EXPECT_EQ(result.unstamped, 1u);
  EXPECT_EQ(result.triggers[index].first_ns, 20u);
}

TEST_F(DeliveriesTest, ForgetsCopiesOfLongAgo) {
  deliveries_.add_subscriber(1);
  const std::size_t old = send(10);
  for (std::size_t i = 0; i + 1 < Deliveries::remembered_triggers; ++i) send(20);
  come(1, old, 30);
  EXPECT_EQ(trigger(old).delivered, 1u);
  send(40);
  come(1, old, 50);
  EXPECT_EQ(trigger(old).duplicates, 0u);
  EXPECT_EQ(deliveries_.result().too_old, 1u);
  deliveries_.remove_subscriber(1);
  EXPECT_EQ(trigger(old).expected, 1u);
  EXPECT_EQ(trigger(old + 1).expected, 0u);
}

TEST_F(DeliveriesTest, CutsTheSampleBetweenCharacters) {
  deliveries_.add_subscriber(1);
  std::string text = "x";
  for (int i = 0; i < 200; ++i) text += "é";
  deliveries_.take(1, text, {1, 1});
  EXPECT_EQ(deliveries_.result().unmatched.sample, text.substr(0, 199) + "…");
}

// A yardstick to be read, not asserted: what a delivery costs.
TEST_F(DeliveriesTest, PrintsWhatADeliveryCosts) {
  constexpr std::uint64_t clients = 1000;
  constexpr std::size_t triggers = 300;
  for (std::uint64_t id = 1; id <= clients; ++id) deliveries_.add_subscriber(id);
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < triggers; ++i) {
    const std::size_t index = send(i + 1);
    const std::string message = R"({"type":"commentary","data":{"id":12,"message":")" +
                                deliveries_.token(index) + R"(","minute":42}})";
    for (std::uint64_t id = 1; id <= clients; ++id) {
      deliveries_.take(id, message, {1000 + id, 1005 + id});
    }
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(deliveries_.delivered(), clients * triggers);
  EXPECT_EQ(deliveries_.missing(), 0u);
  std::printf("%.0f ns per delivery\n", took.count() / (clients * triggers));
}

}  // namespace
}  // namespace ebbtide
