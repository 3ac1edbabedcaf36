// Answers: what happens to one connection, from connect to close?
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <vector>

#include "driver/session.h"

namespace ebbtide {

// Connects to the first of `endpoints` that answers, runs the plan's steps, calls on_established,
// stays until handle.leaving and closes. `outcome` comes with id and cycle and is returned with
// what happened; the socket is closed then. Everything passed by reference outlives the coroutine.
boost::asio::awaitable<Connection> run_connection(
    const ConnectionPlan& plan, const std::vector<boost::asio::ip::tcp::endpoint>& endpoints,
    ConnectionHandle& handle, Connection outcome, std::function<void()> on_established);

}  // namespace ebbtide
