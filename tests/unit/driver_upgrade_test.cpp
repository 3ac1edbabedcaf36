// How a WebSocket is asked for and agreed on, and permessage-deflate, on bytes alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "driver/ws_deflate.h"
#include "driver/ws_upgrade.h"

namespace ebbtide {
namespace {

using boost::system::error_code;
using testing::HasSubstr;
using namespace std::string_literals;

std::string decompressed(Deflate& deflate, const std::string& bytes, std::size_t step) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const error_code error =
        deflate.decompress(std::string_view(bytes).substr(at, step), at + step >= bytes.size(),
                           [&](std::string_view piece) {
                             text += piece;
                             return true;
                           });
    EXPECT_FALSE(error) << error.message();
  }
  return text;
}

// Does not become shorter.
std::string noise(std::size_t size) {
  std::minstd_rand random;
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(random() >> 8);
  return bytes;
}

TEST(Deflate, GivesBackWhatWasCompressed) {
  for (const bool forgets : {false, true}) {
    for (const std::size_t step : {1UL, 10UL, 100'000UL}) {
      Deflate deflate({.client_forgets = forgets, .server_forgets = forgets});
      for (const std::string& text :
           {""s, "Hello"s, std::string(50'000, 'x'), noise(50'000), "Hello"s, ""s, "again"s}) {
        EXPECT_EQ(decompressed(deflate, deflate.compress(text), step), text);
      }
    }
  }
}

TEST(Deflate, ReadsTheExamplesOfItsStandard) {  // RFC 7692, 7.2.3: two messages of one context
  Deflate deflate({});
  EXPECT_EQ(decompressed(deflate, "\xf2\x48\xcd\xc9\xc9\x07\x00"s, 7), "Hello");
  EXPECT_EQ(decompressed(deflate, "\xf2\x00\x11\x00\x00"s, 5), "Hello");
  error_code error =
      deflate.decompress("\xff\xff\xff", true, [](std::string_view) { return true; });
  EXPECT_TRUE(error);
}

TEST(Deflate, ReadsFinalBlocks) {  // RFC 7692, 7.2.3.4
  Deflate deflate({});
  const std::string final_block = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s;
  EXPECT_EQ(decompressed(deflate, final_block, 3), "Hello");
  EXPECT_EQ(decompressed(deflate, final_block, 8), "Hello");
  EXPECT_EQ(decompressed(deflate, deflate.compress("and more"), 8), "and more");
  // Two final blocks in one message, the second right behind the first.
  const std::string twice = final_block.substr(0, 7) + final_block;
  for (const std::size_t step : {1UL, 2UL, 5UL, twice.size()}) {
    EXPECT_EQ(decompressed(deflate, twice, step), "HelloHello");
  }
}

TEST(Deflate, ForgetsWhatItAgreedToForget) {
  Deflate server({.client_forgets = true});
  server.compress("Hello");
  EXPECT_EQ(server.compress("Hello"), "\xf2\x48\xcd\xc9\xc9\x07\x00"s);
  Deflate remembering({}), forgetting({.server_forgets = true});
  for (Deflate* const deflate : {&remembering, &forgetting}) {
    EXPECT_EQ(decompressed(*deflate, "\xf2\x48\xcd\xc9\xc9\x07\x00"s, 7), "Hello");
  }
  const auto refers_back = "\xf2\x00\x11\x00\x00"s;
  const auto ignore = [](std::string_view) { return true; };
  EXPECT_FALSE(remembering.decompress(refers_back, true, ignore));
  EXPECT_TRUE(forgetting.decompress(refers_back, true, ignore));
}

// The key and its answer are those of RFC 6455, 1.3.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string agreement =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\n"
    "sec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n";

UpgradeAnswer answer_to(const ConnectionPlan& plan, std::string bytes) {
  return take_upgrade_answer(bytes, plan, key);
}

// Why the answer is none; "" when it is one.
std::string refusal(const std::string& bytes, const ConnectionPlan& plan = {}) {
  const UpgradeAnswer answer = answer_to(plan, bytes);
  return answer.failure ? answer.failure->text : "";
}

std::string agreement_with(const std::string& header) {
  std::string bytes = agreement;
  return bytes.insert(bytes.size() - 2, header + "\r\n");
}

std::string agreement_but(const std::string& from, const std::string& to) {
  std::string bytes = agreement;
  return bytes.replace(bytes.find(from), from.size(), to);
}

TEST(Upgrade, TakesTheAnswerAndLeavesWhatFollows) {
  std::string bytes;
  for (const char byte : agreement) {
    EXPECT_EQ(take_upgrade_answer(bytes, {}, key).status, 0);
    bytes += byte;
  }
  bytes += "frame";
  const UpgradeAnswer answer = take_upgrade_answer(bytes, {}, key);
  EXPECT_EQ(answer.status, 101);
  EXPECT_FALSE(answer.failure);
  EXPECT_EQ(bytes, "frame");
}

TEST(Upgrade, BelievesNoServerThatSpeaksSomethingElse) {
  EXPECT_EQ(refusal("SSH-2.0-OpenSSH_9.2\r\n"), "protocol error: bad version");
  EXPECT_EQ(refusal("HTTP/1.1 no status\r\n\r\n"), "protocol error: bad status");
  EXPECT_EQ(refusal("HTTP/1.1 10\r\n\r\n"), "protocol error: bad status");
  EXPECT_EQ(refusal("HTTP/1.1 -10 x\r\n\r\n"), "protocol error: bad status");
  EXPECT_EQ(refusal("HTTP/1.1 1011 x\r\n\r\n"), "protocol error: bad status");
  EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x')),
            "protocol error: header limit exceeded");
  EXPECT_EQ(refusal("HTTP/1.1 401\r\n\r\n"), "");  // a status of its own is the caller's
}

TEST(Upgrade, WantsTheHeadersOfAnAgreement) {
  const std::string words = "protocol error: The WebSocket handshake ";
  EXPECT_EQ(refusal(agreement), "");
  EXPECT_EQ(refusal(agreement_but("HTTP/1.1", "HTTP/1.0")), words + "was not HTTP/1.1");
  EXPECT_EQ(refusal(agreement_but("upgrade: websocket\r\n", "")),
            words + "Upgrade field is missing");
  EXPECT_EQ(refusal(agreement_but("websocket", "h2c")),
            words + "Upgrade field is missing the websocket token");
  EXPECT_EQ(refusal(agreement_but("Connection: Upgrade\r\n", "")),
            words + "Connection field is missing");
  EXPECT_EQ(refusal(agreement_but("Connection: Upgrade", "Connection: keep-alive")),
            words + "Connection field is missing the upgrade token");
  EXPECT_EQ(refusal(agreement_but("sec-websocket-accept", "x")),
            words + "Sec-WebSocket-Accept field is missing");
  EXPECT_EQ(refusal(agreement_but("s3p", "S3p")), words + "Sec-WebSocket-Accept field is invalid");

  EXPECT_EQ(refusal(agreement_but("websocket", "h2c, WebSocket")), "");
  EXPECT_EQ(refusal(agreement_but("Connection: Upgrade", "Connection: keep-alive,upgrade")), "");
  EXPECT_EQ(refusal(agreement_but("Connection: Upgrade",
                                  "Connection: keep-alive\r\nConnection: UPGRADE")),
            "");
}

TEST(Upgrade, TakesTheSubprotocolThatWasAskedForOnly) {
  const std::string chosen = agreement_with("Sec-WebSocket-Protocol: json");
  const std::string words =
      "the server agreed to the subprotocol \"json\", which was not asked for";
  EXPECT_EQ(refusal(chosen), words);
  ConnectionPlan plan;
  plan.subprotocol = "graphql-ws";
  EXPECT_EQ(refusal(chosen, plan), words);
  EXPECT_EQ(refusal(agreement, plan), "");
  plan.subprotocol = "graphql-ws, json";
  EXPECT_EQ(refusal(chosen, plan), "");
  plan.headers = {{"sec-websocket-protocol", "mqtt"}};
  EXPECT_EQ(refusal(chosen, plan), words);
  plan.headers = {{"sec-websocket-protocol", "json"}};
  EXPECT_EQ(refusal(chosen, plan), "");
}

TEST(Upgrade, TakesTheExtensionThatWasAskedForOnly) {
  ConnectionPlan plan;
  const std::string deflated = agreement_with("Sec-WebSocket-Extensions: permessage-deflate");
  EXPECT_EQ(refusal(deflated),
            "the server agreed to the extension \"permessage-deflate\", which was not asked for");
  plan.deflate = true;
  EXPECT_TRUE(answer_to(plan, deflated).deflate);
  EXPECT_FALSE(answer_to(plan, agreement).deflate);
  EXPECT_EQ(refusal(agreement, plan), "");
  EXPECT_EQ(refusal(agreement_with("Sec-WebSocket-Extensions: x-zip; level=1"), plan),
            "the server agreed to the extension \"x-zip\", which was not asked for");
  EXPECT_EQ(
      refusal(agreement_with("Sec-WebSocket-Extensions: permessage-deflate, x-zip"), plan),
      "the server agreed to the extension \"permessage-deflate, x-zip\", which was not asked for");
}

TEST(Upgrade, ReadsTheParametersOfPermessageDeflate) {
  ConnectionPlan plan;
  plan.deflate = true;
  const auto agreed = [&](const std::string& parameters) {
    return answer_to(plan,
                     agreement_with("Sec-WebSocket-Extensions: permessage-deflate;" + parameters));
  };
  const UpgradeAnswer all =
      agreed("server_no_context_takeover ; client_no_context_takeover;server_max_window_bits=10");
  ASSERT_TRUE(all.deflate);
  EXPECT_TRUE(all.deflate->server_forgets && all.deflate->client_forgets);
  EXPECT_EQ(all.deflate->server_window_bits, 10);
  const UpgradeAnswer quoted = agreed(" server_max_window_bits=\"9\"");
  ASSERT_TRUE(quoted.deflate);
  EXPECT_EQ(quoted.deflate->server_window_bits, 9);
  EXPECT_FALSE(quoted.deflate->server_forgets || quoted.deflate->client_forgets);

  for (const std::string wrong :
       {"level=1", "server_max_window_bits", "server_max_window_bits=7",
        "server_max_window_bits=16", "server_max_window_bits=010", "server_max_window_bits=1x",
        "server_no_context_takeover=1", "client_max_window_bits=15", "client_max_window_bits"}) {
    const UpgradeAnswer refused = agreed(wrong);
    EXPECT_FALSE(refused.deflate) << wrong;
    ASSERT_TRUE(refused.failure) << wrong;
    EXPECT_EQ(refused.failure->text,
              "cannot agree on permessage-deflate: the server answered with the parameter \"" +
                  wrong + "\"");
  }
  for (const std::string once :
       {"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits=10"}) {
    EXPECT_TRUE(agreed(once + ";" + once).failure) << once;
  }
}

TEST(Upgrade, AsksWithThePlansHeadersInPlaceOfItsOwn) {
  ConnectionPlan plan;
  plan.url = parse_url("ws://example.org:8080/ws").value();
  plan.headers = {{"host", "other.example"}, {"X-Token", "secret"}};
  plan.deflate = true;
  const std::string request = upgrade_request(plan, "/ws?a=b", key);
  EXPECT_THAT(request, testing::StartsWith("GET /ws?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nhost: other.example\r\nX-Token: secret\r\n"));
  EXPECT_THAT(request, testing::Not(HasSubstr("example.org")));
  EXPECT_THAT(request, HasSubstr("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"));
}

}  // namespace
}  // namespace ebbtide
