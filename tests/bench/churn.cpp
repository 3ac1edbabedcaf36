#include "tests/bench/churn.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "driver/cohort.h"
#include "driver/fd_limit.h"
#include "driver/resolve.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t window = 10;  // opening at once, as `ebbtide leak` does by default

}  // namespace

Result<void> churn(std::uint16_t port, std::uint32_t connections) {
  if (auto limit = raise_fd_limit(connections); !limit) return limit.error();
  ConnectionPlan plan;
  plan.url = parse_url(fmt::format("ws://127.0.0.1:{}/ws", port)).value();
  plan.steps = {{Step::Kind::send, R"({"type":"subscribe","matchId":1})"},
                {Step::Kind::expect, "subscribed"}};
  const auto endpoints = resolve(plan.url, false);
  if (!endpoints) return endpoints.error();

  asio::io_context context(1);
  Cohort cohort(context.get_executor(), plan, *endpoints, 1, 1);
  std::exception_ptr thrown;
  const auto round = [&]() -> asio::awaitable<void> {
    co_await cohort.open(connections, window);
    co_await cohort.close();
  };
  asio::co_spawn(context, round(), [&](std::exception_ptr failure) { thrown = failure; });
  context.run();
  if (thrown) std::rethrow_exception(thrown);
  for (const Connection& outcome : cohort.outcomes()) {
    if (outcome.established_ns == 0)
      return Error{"open", fmt::format("connection {} of {}", outcome.id, connections),
                   outcome.error, ""};
  }
  return {};
}

}  // namespace ebbtide
