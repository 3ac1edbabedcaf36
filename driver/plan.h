// Answers: what does one connection do, from connect to close? Plans are data; cohort.h runs them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recording/load.h"
#include "recording/result.h"

namespace ebbtide {

enum class Scheme : std::uint8_t { ws, wss, http, https, tcp };

inline bool is_websocket(Scheme scheme) { return scheme == Scheme::ws || scheme == Scheme::wss; }
inline bool is_http(Scheme scheme) { return scheme == Scheme::http || scheme == Scheme::https; }
inline bool is_encrypted(Scheme scheme) { return scheme == Scheme::wss || scheme == Scheme::https; }

struct Url {
  Scheme scheme = Scheme::ws;
  std::string host;        // without the brackets of an IPv6 literal
  std::uint16_t port = 0;  // default 80, with TLS 443; tcp needs one
  std::string target;      // path and query, "/" when empty; "" for tcp
};

// Accepts ws://, wss://, http://, https:// and tcp://, IPv6 literals in brackets. Rejects user
// info, fragments, other schemes, ports outside 1–65535.
Result<Url> parse_url(std::string_view text);

// "host:port" as a Host header carries it: brackets around IPv6, no default port.
std::string authority(const Url& url);

struct Step {
  enum class Kind : std::uint8_t { send, expect };
  Kind kind = Kind::send;
  std::string text;  // expect: a substring of a message
};

struct TlsOptions {
  bool insecure = false;  // take any certificate
  std::string ca_file;    // PEM; "": the system's store
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// In the steps' texts, url.target and the headers' values {id} stands for the connection's number.
struct ConnectionPlan {
  Url url;
  TlsOptions tls;           // wss and https
  std::vector<Step> steps;  // run in this order; established when the last expect was answered
  Headers headers;          // ws and http
  std::string subprotocol;  // ws
  bool deflate = false;     // ws: offer permessage-deflate
  CloseMode close_mode = CloseMode::clean;
  // So many of a cohort, its first, stop reading once established. Their receive buffers are kept
  // at the kernel's smallest, so that the server feels it after a few KB.
  std::uint32_t slow = 0;
  std::chrono::milliseconds timeout{5000};  // for each of connect, upgrade, each expected answer
  std::chrono::milliseconds close_timeout{1000};      // for the server's side of the close
  std::chrono::milliseconds half_open_limit{60'000};  // for a server that is left half open
};

// Connections that end in this way are never established: they go while they are opened.
inline bool ends_before_established(CloseMode mode) {
  return mode == CloseMode::early || mode == CloseMode::abort_handshake ||
         mode == CloseMode::wrong_path;
}

}  // namespace ebbtide
