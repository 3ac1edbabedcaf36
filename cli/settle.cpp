#include "cli/settle.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ebbtide {
namespace {

bool moved(const Activity& before, const Activity& now, std::uint64_t rss_threshold) {
  const std::uint64_t rss_change = now.rss_bytes > before.rss_bytes
                                       ? now.rss_bytes - before.rss_bytes
                                       : before.rss_bytes - now.rss_bytes;
  return now.events != before.events || rss_change > rss_threshold;
}

}  // namespace

boost::asio::awaitable<Settled> wait_until_settled(const Tracer& tracer, SettleRule rule,
                                                   std::function<bool()> stop,
                                                   std::function<void(const Activity&)> tick) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  const auto deadline = std::chrono::steady_clock::now() + rule.cap;
  Activity before = tracer.activity();
  std::uint32_t quiet = 0;
  while (!stop()) {
    timer.expires_after(rule.window);
    co_await timer.async_wait(boost::asio::use_awaitable);
    const Activity now = tracer.activity();
    tick(now);
    quiet = moved(before, now, rule.rss_threshold) ? 0 : quiet + 1;
    before = now;
    const bool gone = now.live_sockets == 0 || !rule.sockets_gone;
    if (quiet >= rule.quiet_windows && gone) co_return Settled{};
    if (std::chrono::steady_clock::now() >= deadline) co_return Settled{true, now.live_sockets};
  }
  co_return Settled{false, before.live_sockets};
}

}  // namespace ebbtide
