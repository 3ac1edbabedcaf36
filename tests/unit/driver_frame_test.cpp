// The WebSocket codec on bytes alone: frames cut anywhere, what RFC 6455 forbids, compression, and
// the answer to an upgrade.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "driver/ws_deflate.h"
#include "driver/ws_frame.h"
#include "driver/ws_upgrade.h"

namespace ebbtide {
namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

// A server's frame: not masked.
std::string frame(unsigned char first, const std::string& payload) {
  std::string bytes(1, static_cast<char>(first));
  const std::size_t size = payload.size();
  if (size < 126) {
    bytes += static_cast<char>(size);
  } else if (size < 65536) {
    bytes += {126, static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
  } else {
    bytes += static_cast<char>(127);
    for (int i = 7; i >= 0; --i) bytes += static_cast<char>(size >> (8 * i) & 0xff);
  }
  return bytes + payload;
}

struct Heard {
  std::vector<std::string> messages;
  std::vector<std::string> pings;
  std::vector<std::string> closes;
  error_code error;
};

Heard read(FrameReader reader, const std::string& bytes, std::size_t step) {
  Heard heard;
  std::string message;
  for (std::size_t at = 0; at < bytes.size() && !heard.error; at += step) {
    std::string_view come = std::string_view(bytes).substr(at, step);
    while (!come.empty() && !heard.error) {
      const FramePart part = reader.take(come, heard.error);
      if (part.kind == FramePart::Kind::ping) heard.pings.emplace_back(part.payload);
      if (part.kind == FramePart::Kind::close) heard.closes.emplace_back(part.payload);
      if (part.kind != FramePart::Kind::message) continue;
      message += part.payload;
      if (part.ends_message) heard.messages.push_back(std::exchange(message, {}));
    }
  }
  return heard;
}

error_code error_of(const std::string& bytes, std::uint64_t limit = 1000) {
  return read(FrameReader(limit), bytes, bytes.size()).error;
}

TEST(FrameReader, FindsMessagesHoweverTheBytesAreCut) {
  const std::string large(70'000, 'x'), medium(300, 'y');
  const std::string bytes = frame(0x81, "one") + frame(0x01, "two ") + frame(0x89, "ping") +
                            frame(0x80, "halves") + frame(0x82, "") + frame(0x82, medium) +
                            frame(0x81, large) + frame(0x89, "") + frame(0x88, "\x03\xe8");
  for (const std::size_t step : {1UL, 2UL, 3UL, 7UL, 4096UL, bytes.size()}) {
    SCOPED_TRACE(step);
    const Heard heard = read(FrameReader(1 << 20), bytes, step);
    EXPECT_FALSE(heard.error) << heard.error.message();
    EXPECT_THAT(heard.messages, ElementsAre("one", "two halves", "", medium, large));
    EXPECT_THAT(heard.pings, ElementsAre("ping", ""));
    EXPECT_THAT(heard.closes, ElementsAre("\x03\xe8"));
  }
}

TEST(FrameReader, NamesWhatTheProtocolForbids) {
  EXPECT_EQ(error_of(frame(0x83, "")), websocket::error::bad_opcode);
  EXPECT_EQ(error_of(frame(0x8b, "")), websocket::error::bad_opcode);
  EXPECT_EQ(error_of(frame(0xc1, "x")), websocket::error::bad_reserved_bits);
  EXPECT_EQ(error_of(frame(0xa1, "x")), websocket::error::bad_reserved_bits);
  EXPECT_EQ(error_of("\x81\x81masked"), websocket::error::bad_masked_frame);
  EXPECT_EQ(error_of(frame(0x09, "")), websocket::error::bad_control_fragment);
  EXPECT_EQ(error_of(frame(0x89, std::string(126, 'x'))), websocket::error::bad_control_size);
  EXPECT_EQ(error_of(frame(0x80, "x")), websocket::error::bad_continuation);
  EXPECT_EQ(error_of(frame(0x01, "x") + frame(0x81, "y")), websocket::error::bad_data_frame);
}

TEST(FrameReader, LimitsAMessageByWhatItsFramesAnnounce) {
  EXPECT_FALSE(error_of(frame(0x81, std::string(1000, 'x'))));
  EXPECT_EQ(error_of(frame(0x81, std::string(1001, 'x'))), websocket::error::message_too_big);
  const std::string half = frame(0x01, std::string(600, 'x'));
  EXPECT_EQ(error_of(half + frame(0x80, std::string(401, 'x'))), websocket::error::message_too_big);
  EXPECT_FALSE(
      error_of(half + frame(0x80, std::string(400, 'x')) + frame(0x81, std::string(1000, 'x'))));
  EXPECT_EQ(error_of("\x81\x7f"s + std::string(8, '\xff')), websocket::error::message_too_big);
}

TEST(MaskedFrame, IsMaskedAndSizedAsTheProtocolSays) {
  EXPECT_EQ(masked_frame(Opcode::text, "Hello", 0x3d21fa37),
            "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");  // RFC 6455, 5.7
  EXPECT_EQ(masked_frame(Opcode::binary, std::string(126, 'x'), 0).substr(0, 4),
            "\x82\xfe\x00\x7e"s);
  EXPECT_EQ(masked_frame(Opcode::text, std::string(65536, 'x'), 0).substr(0, 10),
            "\x81\xff\0\0\0\0\0\1\0\0"s);
  EXPECT_EQ(masked_frame(Opcode::text, "", 0, true).front(), '\xc1');
}

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
  for (const char* agreed : {"permessage-deflate",
                             "permessage-deflate; server_no_context_takeover; "
                             "client_no_context_takeover"}) {
    for (const std::size_t step : {1UL, 10UL, 100'000UL}) {
      Deflate deflate(agreed);
      for (const std::string& text :
           {""s, "Hello"s, std::string(50'000, 'x'), noise(50'000), "Hello"s, ""s, "again"s}) {
        EXPECT_EQ(decompressed(deflate, deflate.compress(text), step), text);
      }
    }
  }
}

TEST(Deflate, ReadsTheExamplesOfItsStandard) {  // RFC 7692, 7.2.3: two messages of one context
  Deflate deflate("permessage-deflate");
  EXPECT_EQ(decompressed(deflate, "\xf2\x48\xcd\xc9\xc9\x07\x00"s, 7), "Hello");
  EXPECT_EQ(decompressed(deflate, "\xf2\x00\x11\x00\x00"s, 5), "Hello");
  error_code error =
      deflate.decompress("\xff\xff\xff", true, [](std::string_view) { return true; });
  EXPECT_TRUE(error);
}

// The key and its answer are those of RFC 6455, 1.3.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string agreement =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\n"
    "sec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n";

TEST(Upgrade, TakesTheAnswerAndLeavesWhatFollows) {
  std::string bytes;
  error_code error;
  for (const char byte : agreement) {
    EXPECT_EQ(take_upgrade_answer(bytes, key, error).status, 0);
    bytes += byte;
  }
  bytes += "frame";
  EXPECT_EQ(take_upgrade_answer(bytes, key, error).status, 101);
  EXPECT_FALSE(error);
  EXPECT_EQ(bytes, "frame");
}

TEST(Upgrade, BelievesNoServerThatDidNotUnderstandTheKey) {
  error_code error;
  std::string bytes = agreement;
  take_upgrade_answer(bytes, "another key", error);
  EXPECT_EQ(error, websocket::error::bad_sec_accept);

  bytes = "SSH-2.0-OpenSSH_9.2\r\n";
  take_upgrade_answer(bytes, key, error);
  EXPECT_EQ(error, http::error::bad_version);

  bytes = "HTTP/1.1 no status\r\n\r\n";
  take_upgrade_answer(bytes, key, error);
  EXPECT_EQ(error, http::error::bad_status);

  bytes = "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x');
  take_upgrade_answer(bytes, key, error);
  EXPECT_EQ(error, http::error::header_limit);
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
