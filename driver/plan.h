// Answers: what does one connection do, from connect to close? Plans are data; cohort.h runs them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

enum class Scheme : std::uint8_t { ws, http, tcp };

struct Url {
  Scheme scheme = Scheme::ws;
  std::string host;        // without the brackets of an IPv6 literal
  std::uint16_t port = 0;  // default 80 for ws and http; tcp needs one
  std::string target;      // path and query, "/" when empty; "" for tcp
};

// Accepts ws://, http:// and tcp://, IPv6 literals in brackets. Rejects user info, fragments,
// other schemes (wss and https are named as not supported yet), ports outside 1–65535.
Result<Url> parse_url(std::string_view text);

// "host:port" as a Host header carries it: brackets around IPv6, no default port.
std::string authority(const Url& url);

struct Step {
  enum class Kind : std::uint8_t { send, expect };
  Kind kind = Kind::send;
  std::string text;  // {id} stands for the connection's number; expect: a substring of a message
};

struct ConnectionPlan {
  Url url;
  std::vector<Step> steps;  // run in this order; established when the last expect was answered
  std::vector<std::pair<std::string, std::string>> headers;  // ws and http
  std::string subprotocol;                                   // ws
  std::chrono::milliseconds timeout{5000};  // for each of connect, upgrade, each expected answer
  std::chrono::milliseconds close_timeout{1000};  // for the server's side of the close
};

}  // namespace ebbtide
