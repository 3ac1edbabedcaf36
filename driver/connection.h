// Answers: what happens to one connection, from connect to close?
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "driver/session.h"

namespace ebbtide {

// Connects to the first of the cohort's endpoints that answers, runs the plan's steps, calls
// on_established, stays until handle.leaving and closes. `outcome` comes with id, cycle and what
// the plan wants of this connection, and tells in the end what happened; the socket is closed then.
// Everything passed by reference outlives the coroutine.
boost::asio::awaitable<void> run_connection(CohortContext& cohort, ConnectionHandle& handle,
                                            Connection& outcome,
                                            std::function<void()> on_established);

}  // namespace ebbtide
