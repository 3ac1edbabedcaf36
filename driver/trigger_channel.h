// Answers: how does a trigger reach the server, and what does the server say to it? One
// implementation for requests and one for WebSocket messages.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "driver/broadcast.h"
#include "driver/failure.h"
#include "driver/session.h"
#include "driver/trigger.h"

namespace ebbtide {

struct TriggerAnswer {
  std::uint64_t answered_ns = 0;  // 0: none came, or none is expected
  std::int32_t http_status = 0;
};

// One connection, opened again when it is gone. Everything takes plan.timeout at most.
class TriggerChannel {
 public:
  virtual ~TriggerChannel() = default;

  // Whether the next trigger can be sent without open().
  virtual bool is_open() = 0;
  // Connects, and does what comes before a first trigger.
  virtual boost::asio::awaitable<Attempt> open() = 0;

  // Returns when the server has answered, or when the message is written.
  virtual boost::asio::awaitable<Attempt> send(TriggerText text, TriggerAnswer& answer) = 0;

  // Why the server ended the connection behind the last send(), told once; of requests send()
  // tells.
  virtual Attempt take_end() { return std::nullopt; }

  virtual boost::asio::awaitable<void> close() = 0;

  // Ends what is pending; nothing can be opened again.
  virtual void abort() = 0;
};

// What the channels of one run share; it outlives them.
struct TriggerRoute {
  TriggerRoute(TriggerPlan with, std::vector<boost::asio::ip::tcp::endpoint> endpoints);

  TriggerPlan plan;
  CohortContext connections;  // counts their traffic
};

std::unique_ptr<TriggerChannel> make_http_channel(const boost::asio::any_io_executor& executor,
                                                  TriggerRoute& route);
// `on_end` is called when the connection is over.
std::unique_ptr<TriggerChannel> make_ws_channel(const boost::asio::any_io_executor& executor,
                                                TriggerRoute& route, std::function<void()> on_end);

// Connects the socket to the first endpoint that answers; `aborted` may come true meanwhile.
boost::asio::awaitable<Attempt> connect_channel(const TriggerRoute& route, ConnectionHandle& handle,
                                                const bool& aborted);

}  // namespace ebbtide
