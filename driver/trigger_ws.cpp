// Triggers that are WebSocket messages: sent on a connection that reads what comes meanwhile.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "driver/deadline.h"
#include "driver/trigger_channel.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;

// One connection and its session; reads until it is told to leave or the server ends it.
struct TriggerLink {
  explicit TriggerLink(const asio::any_io_executor& executor) : handle(executor) {}

  ConnectionHandle handle;
  Connection outcome;
  std::unique_ptr<Session> session;  // once connected
  bool reading = false;
  std::exception_ptr fault;
  Attempt end;  // why the server ended it
};

class WsTriggerChannel : public TriggerChannel {
 public:
  WsTriggerChannel(const asio::any_io_executor& executor, TriggerRoute& route,
                   std::function<void()> on_end)
      : executor_(executor), route_(route), on_end_(std::move(on_end)) {}

  bool is_open() override { return link_ && link_->reading; }

  asio::awaitable<Attempt> open() override {
    link_ = std::make_unique<TriggerLink>(executor_);
    Attempt failure = co_await connect_channel(route_, link_->handle, aborted_);
    if (!failure) failure = co_await begin();
    if (failure) {
      link_.reset();
      co_return aborted_ ? failure_of(failure->stage, asio::error::operation_aborted) : failure;
    }
    link_->reading = true;
    asio::co_spawn(executor_, read(*link_), [this](const std::exception_ptr& fault) {
      link_->fault = fault;
      link_->reading = false;
      link_->handle.changed.notify();
      on_end_();
    });
    co_return std::nullopt;
  }

  asio::awaitable<Attempt> send(TriggerText text, TriggerAnswer& /*answer*/) override {
    Attempt failure = co_await bounded(link_->session->send(std::move(text.body)),
                                       "could not send the message in {} ms");
    if (!failure) co_return std::nullopt;
    co_await close();
    co_return aborted_ ? failure_of(Stage::exchange, asio::error::operation_aborted) : failure;
  }

  Attempt take_end() override {
    if (!link_ || aborted_) return std::nullopt;
    return std::exchange(link_->end, std::nullopt);
  }

  asio::awaitable<void> close() override {
    if (!link_) co_return;
    link_->handle.leave();
    co_await link_->handle.changed.until([this] { return !link_->reading; });
    if (link_->fault) std::rethrow_exception(link_->fault);
    link_.reset();
  }

  void abort() override {
    aborted_ = true;
    if (link_) link_->handle.abort();
  }

 private:
  asio::awaitable<Attempt> bounded(asio::awaitable<Attempt> attempt, std::string_view if_late) {
    const auto limit = route_.plan.timeout;
    co_return co_await within(
        limit, link_->handle, std::move(attempt),
        Attempt(late(Stage::exchange, fmt::format(fmt::runtime(if_late), limit.count()))));
  }

  asio::awaitable<Attempt> begin() {
    link_->session = make_ws_session({route_.connections, link_->handle, link_->outcome});
    Session& session = *link_->session;
    if (Attempt failure = co_await bounded(session.open(), "no answer to the upgrade in {} ms")) {
      co_return failure;
    }
    for (const Step& step : route_.plan.steps) {
      const bool is_send = step.kind == Step::Kind::send;
      asio::awaitable<Attempt> attempt =
          is_send ? session.send(step.text) : session.expect(step.text);
      const char* if_late =
          is_send ? "could not send a first message in {} ms" : "no expected answer in {} ms";
      Attempt failure = co_await bounded(std::move(attempt), if_late);
      if (failure) co_return failure;
    }
    co_return std::nullopt;
  }

  static asio::awaitable<void> read(TriggerLink& link) {
    link.end = co_await link.session->hold();
    if (!link.end) link.end = co_await link.session->close();
    boost::system::error_code ignored;
    link.handle.socket.close(ignored);
  }

  asio::any_io_executor executor_;
  TriggerRoute& route_;
  std::function<void()> on_end_;
  std::unique_ptr<TriggerLink> link_;
  bool aborted_ = false;
};

}  // namespace

std::unique_ptr<TriggerChannel> make_ws_channel(const asio::any_io_executor& executor,
                                                TriggerRoute& route, std::function<void()> on_end) {
  return std::make_unique<WsTriggerChannel>(executor, route, std::move(on_end));
}

}  // namespace ebbtide
