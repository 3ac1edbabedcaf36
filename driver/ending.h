// Answers: how does a connection stay without reading, and how does it end other than by its
// protocol's goodbye?
#pragma once

#include "driver/session.h"

namespace ebbtide {

// Until handle.leaving; fails when the server lets go before.
boost::asio::awaitable<Attempt> hold_unread(SessionContext context);

// Reads until the server's FIN (eof) or another end. What comes counts for nothing.
boost::asio::awaitable<boost::system::error_code> read_to_fin(SessionContext context);

// Whether a connection that aborts its handshake sends the whole request and soon a RST; else
// a part of the request and a FIN.
inline bool resets_handshake(const Connection& outcome) {
  return outcome.close_mode == CloseMode::abort_handshake && outcome.id % 2 == 0;
}

// Ends an open connection in the plan's mode, any but clean and terminate. Nothing else uses the
// socket any more. Sets outcome.server_closed and outcome.close_timed_out.
boost::asio::awaitable<Attempt> end_connection(SessionContext context);

}  // namespace ebbtide
