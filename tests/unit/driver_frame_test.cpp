// A WebSocket's frames and messages on bytes alone: cut anywhere, and what RFC 6455 forbids.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/websocket/error.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "driver/ws_message.h"

namespace ebbtide {
namespace {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using testing::ElementsAre;
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
  EXPECT_EQ(error_of("\x81\x7f\x7f"s + std::string(7, '\xff')), websocket::error::message_too_big);
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

// All that a reader told, pieces of messages joined, and the error at last.
struct Told {
  std::string text;
  error_code error;
  bool operator==(const Told&) const = default;
};

Told told(const std::string& bytes, const std::vector<std::size_t>& cuts, bool with_deflate) {
  Told all;
  MessageReader reader(100'000, [&](std::string_view piece, bool ends_message) {
    all.text.append(piece).append(ends_message ? "|" : "");
  });
  Deflate deflate({});
  if (with_deflate) reader.decompress_by(deflate);
  std::size_t at = 0;
  for (std::size_t i = 0; at < bytes.size() && !all.error; ++i) {
    const std::size_t size = i < cuts.size() ? cuts[i] : bytes.size() - at;
    std::string_view come = std::string_view(bytes).substr(at, size);
    at += come.size();
    while (!come.empty() && !all.error) {
      const FramePart part = reader.take(come, all.error);
      if (part.kind > FramePart::Kind::message) all.text.append("<").append(part.payload) += '>';
    }
  }
  return all;
}

Told told(const std::string& bytes, bool with_deflate = false) {
  return told(bytes, {}, with_deflate);
}

TEST(FrameReader, KnowsWhatIsWrongByTheFirstTwoBytes) {
  EXPECT_EQ(error_of("\xff\xff"), websocket::error::bad_opcode);
  EXPECT_EQ(error_of("\x89\x7f"), websocket::error::bad_control_size);
  EXPECT_EQ(error_of("\x81\xff"), websocket::error::bad_masked_frame);
}

TEST(FrameReader, WantsSizesInTheFewestBytes) {
  EXPECT_EQ(error_of("\x82\x7e\x00\x7d"s), websocket::error::bad_size);
  EXPECT_FALSE(error_of("\x82\x7e\x00\x7e"s));
  EXPECT_EQ(error_of("\x82\x7f\0\0\0\0\0\0\xff\xff"s), websocket::error::bad_size);
  EXPECT_EQ(error_of("\x82\x7f\0\0\0\0\0\1\0\0"s), websocket::error::message_too_big);
  EXPECT_EQ(error_of("\x82\x7f\x80\0\0\0\0\0\0\x01"s), websocket::error::bad_size);
}

TEST(FrameReader, ReadsCloseFramesAsStrictlyAsTheyMustBeWritten) {
  const auto closed_by = [](int code, const std::string& reason = "") {
    return error_of(frame(0x88, close_payload(static_cast<std::uint16_t>(code)) + reason));
  };
  EXPECT_FALSE(error_of(frame(0x88, "")));
  EXPECT_EQ(error_of(frame(0x88, "\x03")), websocket::error::bad_close_size);
  for (const int code : {1000, 1001, 1003, 1007, 1011, 1013, 1014, 3000, 4001, 4999}) {
    EXPECT_FALSE(closed_by(code)) << code;
  }
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
    EXPECT_EQ(closed_by(code), websocket::error::bad_close_code) << code;
  }
  EXPECT_FALSE(closed_by(1000, "bis sp\xc3\xa4ter"));
  EXPECT_EQ(closed_by(1000, "sp\xe4ter"), websocket::error::bad_close_payload);
  EXPECT_EQ(closed_by(1000, "half \xc3"), websocket::error::bad_close_payload);
}

TEST(MessageReader, TakesTextInUtf8Only) {
  const std::string euro = "\xe2\x82\xac";
  EXPECT_EQ(told(frame(0x01, "a" + euro.substr(0, 1)) + frame(0x89, "") +
                 frame(0x80, euro.substr(1) + "z") + frame(0x81, "next")),
            (Told{"a\xe2<>\x82\xacz|next|", {}}));
  EXPECT_EQ(told(frame(0x82, "\xff")), (Told{"\xff|", {}}));  // binary
  for (const std::string& wrong :
       {"\x80"s, "\xc1\x81"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s, "\xf0\x8f\xbf\xbf"s,
        "\xf4\x90\x80\x80"s, "\xf5"s, "\xe2\x82"s, "seven b\xc3("s}) {
    SCOPED_TRACE(testing::PrintToString(wrong));
    EXPECT_EQ(told(frame(0x81, wrong)).error, websocket::error::bad_frame_payload);
    EXPECT_EQ(told(frame(0x01, wrong.substr(0, 1)) + frame(0x80, wrong.substr(1))).error,
              websocket::error::bad_frame_payload);
    Deflate deflate({});
    EXPECT_EQ(told(frame(0xc1, deflate.compress(wrong)), true).error,
              websocket::error::bad_frame_payload);
  }
  // As soon as it cannot become valid, not at the message's end.
  EXPECT_EQ(told("\x01\x05\xff").error, websocket::error::bad_frame_payload);
  for (const std::string& right : {"\xc2\x80"s, "\xed\x9f\xbf"s, "\xf4\x8f\xbf\xbf"s,
                                   "eight of ascii, then " + euro + " and ascii"}) {
    EXPECT_FALSE(told(frame(0x81, right)).error);
  }
}

TEST(MessageReader, LimitsWhatACompressedMessageBecomes) {
  Deflate deflate({});
  EXPECT_FALSE(told(frame(0xc1, deflate.compress(std::string(100'000, 'x'))), true).error);
  EXPECT_EQ(told(frame(0xc1, Deflate({}).compress(std::string(100'001, 'x'))), true).error,
            websocket::error::message_too_big);
}

// Messages, whole and in fragments, compressed and not, with control frames between and within.
std::string valid_stream(std::minstd_rand& random, bool with_deflate) {
  std::string bytes;
  Deflate deflate({});
  for (int i = 0; i < 6; ++i) {
    std::string message(random() % 400, static_cast<char>('a' + random() % 26));
    const bool is_compressed = with_deflate && random() % 2 == 0;
    if (is_compressed) message = deflate.compress(message);
    const std::size_t cut = random() % (message.size() + 1);
    const unsigned char first = (is_compressed ? 0x40 : 0) | 1;
    bytes += frame(first, message.substr(0, cut));
    if (random() % 2 == 0) bytes += frame(0x89, "ping");
    bytes += frame(0x80, message.substr(cut));
  }
  return bytes + frame(0x88, "\x03\xe8 bye");
}

TEST(MessageReader, HearsTheSameHoweverAnyBytesAreCut) {
  std::minstd_rand random(20240603);
  int failed = 0;
  for (int round = 0; round < 3000; ++round) {
    const bool with_deflate = random() % 2 == 0;
    std::string bytes = valid_stream(random, with_deflate);
    const auto changes = random() % 4;
    for (unsigned i = 0; i < changes; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random() >> 8);
    }
    if (round % 10 == 0) {
      for (char& byte : bytes) byte = static_cast<char>(random() >> 8);
    }
    std::vector<std::size_t> cuts(random() % 200);
    for (std::size_t& cut : cuts) cut = 1 + random() % 20;
    const Told whole = told(bytes, with_deflate);
    const Told cut = told(bytes, cuts, with_deflate);
    // Which of two errors comes first may depend on the cuts, and so does what comes before it.
    ASSERT_EQ(cut.error.failed(), whole.error.failed()) << "round " << round;
    if (whole.error) {
      ++failed;
    } else {
      ASSERT_EQ(cut.text, whole.text) << "round " << round;
    }
    if (changes == 0 && round % 10 != 0) {
      ASSERT_FALSE(whole.error) << whole.error.message();
    }
  }
  EXPECT_GT(failed, 300);  // every tenth at least
  EXPECT_LT(failed, 2700);
}

}  // namespace
}  // namespace ebbtide
