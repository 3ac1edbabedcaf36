// Any bytes as what a WebSocket server sends, the answer to the upgrade or frames: reading ends,
// and where the bytes are cut makes no difference. The first byte says what they are, the second
// how they are cut.
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "driver/ws_message.h"
#include "driver/ws_upgrade.h"

namespace {

using namespace ebbtide;

void must(bool condition) {
  if (!condition) __builtin_trap();
}

// All that a reader told, in its order.
std::string heard(std::string_view bytes, std::size_t step, bool with_deflate) {
  constexpr std::uint64_t limit = 1 << 16;
  std::string told;
  std::uint64_t message_bytes = 0;
  MessageReader reader(limit, [&](std::string_view piece, bool ends_message) {
    message_bytes += piece.size();
    must(message_bytes <= limit);
    told += piece;
    if (!ends_message) return;
    told += "|";
    message_bytes = 0;
  });
  Deflate deflate({.server_window_bits = 10});
  if (with_deflate) reader.decompress_by(deflate);
  boost::system::error_code error;
  while (!bytes.empty() && !error) {
    std::string_view come = bytes.substr(0, step);
    bytes.remove_prefix(come.size());
    while (!come.empty() && !error) {
      const FramePart part = reader.take(come, error);
      const bool is_control = part.kind > FramePart::Kind::message;
      must(!is_control || part.payload.size() <= 125);
      if (is_control) told.append("<").append(part.payload).append(">");
    }
  }
  // What was told before an error depends on the cuts; so does which of two errors comes first.
  return error ? "error" : told;
}

std::string answered(std::string_view bytes, std::size_t step) {
  ConnectionPlan plan;
  plan.deflate = true;
  plan.subprotocol = "graphql-ws, json";
  std::string unread;
  UpgradeAnswer answer;
  while (!bytes.empty() && answer.status == 0 && !answer.failure) {
    const std::string_view come = bytes.substr(0, step);
    bytes.remove_prefix(come.size());
    unread += come;
    answer = take_upgrade_answer(unread, plan, "dGhlIHNhbXBsZSBub25jZQ==");
  }
  if (answer.failure) return answer.failure->text;
  return std::to_string(answer.status) + (answer.deflate ? " deflate " : " ") + unread +
         std::string(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t step = 1 + data[1] % 64;
  if (data[0] % 3 == 0) {
    const std::string cut = answered(bytes, step);
    if (cut.starts_with("0 ")) return 0;
    must(cut == answered(bytes, size));
  } else {
    const bool with_deflate = data[0] % 3 == 1;
    must(heard(bytes, step, with_deflate) == heard(bytes, size, with_deflate));
  }
  return 0;
}
