// Answers: what must a protocol be able to do for a connection? One implementation each for ws,
// http and tcp.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "driver/condition.h"
#include "driver/departures.h"
#include "driver/driver_load.h"
#include "driver/failure.h"
#include "driver/observer.h"
#include "driver/plan.h"
#include "recording/run.h"

namespace ebbtide {

// A message or body longer than this fails the connection, so that no server can grow the tool.
inline constexpr std::size_t max_message_bytes = 64 << 20;

// What the close mode wrong_path asks for.
inline constexpr const char* unserved_path = "/ebbtide-wrong-path";

struct TlsContext;

// The handle that a cohort keeps on a running connection.
struct ConnectionHandle {
  explicit ConnectionHandle(const boost::asio::any_io_executor& executor)
      : socket(executor), changed(executor) {}

  // Asks the connection to close, once it is up.
  void leave() {
    leaving = true;
    boost::system::error_code ignored;
    if (idle) socket.cancel(ignored);
    changed.notify();
  }

  // Ends every pending operation.
  void abort() {
    aborted = true;
    leave();
    shut();
  }

  // Closes the socket, whatever is done with it.
  void shut() {
    boost::system::error_code ignored;
    socket.close(ignored);
    changed.notify();
  }

  boost::asio::ip::tcp::socket socket;
  bool leaving = false;
  bool aborted = false;
  bool idle = false;  // waits for nothing but what the server may send
  Condition changed;  // `leaving`, or what a session waits for
};

// What the connections of one cohort share; it outlives them.
struct CohortContext {
  ConnectionPlan plan;
  std::vector<boost::asio::ip::tcp::endpoint> endpoints{};
  std::uint64_t first_id = 0;
  ConnectionObserver* observer = nullptr;
  std::shared_ptr<TlsContext> tls{};  // made by the first connection that needs it
  Traffic traffic{};
  Departures departures{};  // of those that nobody reads
  // Of WebSocket keys and masks. Those protect proxies from scripts, of which there are none here.
  std::mt19937 random{std::random_device{}()};
  std::array<char, 65536> received{};  // where all read; nobody waits before it is looked at
};

// What every session works with; all of it outlives the session.
struct SessionContext {
  CohortContext& cohort;
  ConnectionHandle& handle;
  Connection& outcome;  // sessions note times and statuses here; failures they return

  [[nodiscard]] const ConnectionPlan& plan() const { return cohort.plan; }

  void count_sent_message(std::size_t bytes) const {
    ++outcome.messages_sent;
    ++cohort.traffic.messages_sent;
    cohort.traffic.bytes_sent += bytes;
  }
  void count_received_bytes(std::size_t bytes) const {
    outcome.bytes_received += bytes;
    cohort.traffic.bytes_received += bytes;
  }
  void count_received_message() const {
    ++outcome.messages_received;
    ++cohort.traffic.messages_received;
  }
};

// Methods are called one at a time in the order of their declaration, send() and expect() as the
// plan's steps say; none after one that failed. The socket is connected. The caller bounds open(),
// send() and expect() in time.
class Session {
 public:
  virtual ~Session() = default;

  // The protocol's own opening: an upgrade, a first request, nothing. In the close mode
  // abort_handshake it stops within the request, in wrong_path it asks for a path of ours.
  virtual boost::asio::awaitable<Attempt> open() = 0;
  virtual boost::asio::awaitable<Attempt> send(std::string text) = 0;
  virtual boost::asio::awaitable<Attempt> expect(std::string text) = 0;

  // Reads and counts until handle.leaving; fails when the server ends the connection before. A slow
  // connection reads nothing. Meanwhile a WebSocket may send().
  virtual boost::asio::awaitable<Attempt> hold() = 0;

  // Says goodbye and waits for the server's FIN within plan.close_timeout. Sets
  // outcome.server_closed or outcome.close_timed_out. In the close mode terminate it waits for
  // nothing.
  virtual boost::asio::awaitable<Attempt> close() = 0;

  // Instead of close(): stops reading. The socket stays open and is the caller's alone.
  virtual boost::asio::awaitable<void> release() = 0;
};

std::unique_ptr<Session> make_ws_session(SessionContext context);
std::unique_ptr<Session> make_http_session(SessionContext context);
std::unique_ptr<Session> make_tcp_session(SessionContext context);

}  // namespace ebbtide
