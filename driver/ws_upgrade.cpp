#include "driver/ws_upgrade.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
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

bool equal(std::string_view left, std::string_view right) {
  return beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

// The values of a header as one list, "" when there is none. `head` begins with the status line.
std::string values_of(std::string_view head, std::string_view name) {
  std::string values;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !equal(line.substr(0, colon), name)) continue;
    if (!values.empty()) values += ", ";
    values += trimmed(line.substr(colon + 1));
  }
  return values;
}

// 0: this is no status line of HTTP/1.
int status_of(std::string_view head) {
  int status = 0;
  if (head.size() < 12 || head[8] != ' ' || (head.size() > 12 && head[12] > ' ')) return 0;
  const auto [end, error] = std::from_chars(head.data() + 9, head.data() + 12, status);
  return end == head.data() + 12 && status >= 100 ? status : 0;
}

// What a request carries under `name`: the plan's headers come before a client's own.
std::string_view asked(const ConnectionPlan& plan, std::string_view name, std::string_view own) {
  const auto header = std::find_if(plan.headers.begin(), plan.headers.end(),
                                   [&](const auto& each) { return equal(each.first, name); });
  return header == plan.headers.end() ? own : std::string_view(header->second);
}

bool has_token(std::string_view list, std::string_view token) {
  return http::token_list({list.data(), list.size()}).exists({token.data(), token.size()});
}

error_code check_agreement(std::string_view head, std::string_view key) {
  if (!head.starts_with("HTTP/1.1")) return websocket::error::bad_http_version;
  const std::string upgrade = values_of(head, "Upgrade");
  if (upgrade.empty()) return websocket::error::no_upgrade;
  if (!has_token(upgrade, "websocket")) return websocket::error::no_upgrade_websocket;
  const std::string connection = values_of(head, "Connection");
  if (connection.empty()) return websocket::error::no_connection;
  if (!has_token(connection, "upgrade")) return websocket::error::no_connection_upgrade;
  const std::string accept = values_of(head, "Sec-WebSocket-Accept");
  if (accept.empty()) return websocket::error::no_sec_accept;
  return accept == accept_of(key) ? error_code() : websocket::error::bad_sec_accept;
}

Failure unasked(std::string_view what, std::string_view name) {
  return {Stage::upgrade,
          fmt::format("the server agreed to the {} \"{}\", which was not asked for", what, name)};
}

Attempt check_subprotocol(std::string_view head, const ConnectionPlan& plan) {
  const std::string chosen = values_of(head, "Sec-WebSocket-Protocol");
  std::string_view offered = asked(plan, "Sec-WebSocket-Protocol", plan.subprotocol);
  while (!chosen.empty() && !offered.empty()) {
    const std::size_t end = std::min(offered.find(','), offered.size());
    if (trimmed(offered.substr(0, end)) == chosen) return std::nullopt;
    offered.remove_prefix(std::min(end + 1, offered.size()));
  }
  return chosen.empty() ? std::nullopt : Attempt(unasked("subprotocol", chosen));
}

Attempt take_extensions(std::string_view head, const ConnectionPlan& plan, UpgradeAnswer& answer) {
  const std::string agreed = values_of(head, "Sec-WebSocket-Extensions");
  if (agreed.empty()) return std::nullopt;
  const std::string_view name = trimmed(std::string_view(agreed).substr(0, agreed.find(';')));
  const bool is_offered = asked(plan, "Sec-WebSocket-Extensions", plan.deflate ? deflate_offer : "")
                              .starts_with(deflate_offer);
  if (name != deflate_offer || !is_offered) return unasked("extension", name);
  auto deflate = parse_deflate_answer(agreed);
  if (!deflate) return Failure{Stage::upgrade, deflate.error().message()};
  answer.deflate = *deflate;
  return std::nullopt;
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
    const bool is_planned = asked(plan, name, value).data() != value.data();
    if (!is_planned && !value.empty()) add(name, value);
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

UpgradeAnswer take_upgrade_answer(std::string& bytes, const ConnectionPlan& plan,
                                  std::string_view key) {
  constexpr std::string_view begin = "HTTP/1.";
  const std::string_view come = bytes;
  const std::size_t seen = std::min(come.size(), begin.size());
  if (come.substr(0, seen) != begin.substr(0, seen)) {
    return {.failure = failure_of(Stage::upgrade, http::error::bad_version)};
  }
  const std::size_t end = come.find("\r\n\r\n");
  if (end > most_header_bytes && come.size() >= most_header_bytes + 4) {
    return {.failure = failure_of(Stage::upgrade, http::error::header_limit)};
  }
  if (end == std::string_view::npos) return {};
  const std::string_view head = come.substr(0, end);
  UpgradeAnswer answer{status_of(head)};
  if (answer.status == 0) answer.failure = failure_of(Stage::upgrade, http::error::bad_status);
  if (answer.status == 101) {
    answer.failure =
        attempt_of(Stage::upgrade, check_agreement(head, asked(plan, "Sec-WebSocket-Key", key)));
    if (!answer.failure) answer.failure = check_subprotocol(head, plan);
    if (!answer.failure) answer.failure = take_extensions(head, plan, answer);
  }
  bytes.erase(0, end + 4);
  return answer;
}

}  // namespace ebbtide
