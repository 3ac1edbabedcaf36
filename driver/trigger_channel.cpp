#include "driver/trigger_channel.h"

#include <fmt/format.h>

#include <utility>

#include "driver/deadline.h"

namespace ebbtide {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

asio::awaitable<Attempt> connect_once(tcp::endpoint endpoint, tcp::socket& socket) {
  const auto [error] = co_await socket.async_connect(endpoint, as_value);
  co_return attempt_of(Stage::connect, error);
}

}  // namespace

TriggerRoute::TriggerRoute(TriggerPlan with, std::vector<tcp::endpoint> endpoints)
    : plan(std::move(with)) {
  connections.plan.url = plan.url;
  connections.plan.tls = plan.tls;
  connections.plan.headers = plan.headers;
  connections.plan.timeout = plan.timeout;
  connections.endpoints = std::move(endpoints);
}

asio::awaitable<Attempt> connect_channel(const TriggerRoute& route, ConnectionHandle& handle,
                                         const bool& aborted) {
  const auto limit = route.plan.timeout;
  Attempt failure = failure_of(Stage::connect, asio::error::operation_aborted);
  tcp::socket& socket = handle.socket;
  error_code ignored;
  for (const tcp::endpoint& endpoint : route.connections.endpoints) {
    if (aborted) break;
    socket.close(ignored);
    failure = co_await within(
        limit, handle, connect_once(endpoint, socket),
        Attempt(late(Stage::connect, fmt::format("no connection in {} ms", limit.count()))));
    if (!failure) break;
  }
  if (aborted) failure = failure_of(Stage::connect, asio::error::operation_aborted);
  if (!failure) socket.set_option(tcp::no_delay(true), ignored);
  co_return failure;
}

}  // namespace ebbtide
