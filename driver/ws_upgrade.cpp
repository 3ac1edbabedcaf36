#include "driver/ws_upgrade.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>
#include <charconv>

namespace ebbtide {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

namespace {

constexpr std::string_view deflate_offer = "permessage-deflate";
constexpr std::size_t most_header_bytes = 16384;

std::string accept_of(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()));
  return base64({digest.data(), digest.size()});
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// The value of a header, "" when there is none. `head` begins with the status line.
std::string_view value_of(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (beast::iequals({line.data(), colon}, {name.data(), name.size()})) {
      return trimmed(line.substr(colon + 1));
    }
  }
  return {};
}

// 0: this is no status line of HTTP/1.
int status_of(std::string_view head) {
  int status = 0;
  if (head.size() < 12 || head[8] != ' ') return 0;
  std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string upgrade_request(const ConnectionPlan& plan, const std::string& target,
                            std::string_view key) {
  std::string request = fmt::format("GET {} HTTP/1.1\r\n", target);
  const auto add = [&](std::string_view name, std::string_view value) {
    request.append(name).append(": ").append(value).append("\r\n");
  };
  const auto add_unless_planned = [&](std::string_view name, std::string_view value) {
    const bool planned =
        std::any_of(plan.headers.begin(), plan.headers.end(), [&](const auto& header) {
          return beast::iequals(header.first, {name.data(), name.size()});
        });
    if (!planned && !value.empty()) add(name, value);
  };
  add_unless_planned("Host", authority(plan.url));
  add_unless_planned("Upgrade", "websocket");
  add_unless_planned("Connection", "Upgrade");
  add_unless_planned("Sec-WebSocket-Key", key);
  add_unless_planned("Sec-WebSocket-Version", "13");
  add_unless_planned("Sec-WebSocket-Protocol", plan.subprotocol);
  add_unless_planned("Sec-WebSocket-Extensions", plan.deflate ? deflate_offer : "");
  add_unless_planned("User-Agent", "ebbtide");
  for (const auto& [name, value] : plan.headers) add(name, value);
  return request.append("\r\n");
}

UpgradeAnswer take_upgrade_answer(std::string& bytes, std::string_view key, error_code& error) {
  constexpr std::string_view begin = "HTTP/1.";
  const std::string_view come = bytes;
  const std::size_t seen = std::min(come.size(), begin.size());
  if (come.substr(0, seen) != begin.substr(0, seen)) {
    error = http::error::bad_version;
    return {};
  }
  const std::size_t end = come.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (come.size() > most_header_bytes) error = http::error::header_limit;
    return {};
  }
  const std::string_view head = come.substr(0, end);
  UpgradeAnswer answer{status_of(head), std::string(value_of(head, "Sec-WebSocket-Extensions"))};
  if (answer.status == 0) {
    error = http::error::bad_status;
  } else if (answer.status == 101 && value_of(head, "Sec-WebSocket-Accept") != accept_of(key)) {
    error = websocket::error::bad_sec_accept;
  }
  bytes.erase(0, end + 4);
  return answer;
}

}  // namespace ebbtide
