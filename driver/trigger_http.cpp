// Triggers that are requests (http:// and https://): one at a time on a connection that is kept.
#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>
#include <utility>

#include "driver/deadline.h"
#include "driver/transport.h"
#include "driver/trigger_channel.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using TriggerRequest = http::request<http::string_body>;

TriggerRequest request_of(const TriggerPlan& plan, TriggerText text) {
  TriggerRequest request;
  request.version(11);
  request.method_string(plan.method);
  request.target(text.target);
  request.set(http::field::host, authority(plan.url));
  request.set(http::field::user_agent, "ebbtide");
  if (text.body.starts_with('{') || text.body.starts_with('[')) {
    request.set(http::field::content_type, "application/json");
  }
  for (const auto& [name, value] : text.headers) request.erase(name);
  for (const auto& [name, value] : text.headers) request.insert(name, value);
  request.body() = std::move(text.body);
  request.prepare_payload();
  return request;
}

// One connection, by TLS where the URL says so.
struct HttpLink {
  HttpLink(const asio::any_io_executor& executor, CohortContext& connections)
      : handle(executor), transport({connections, handle, outcome}) {}

  ConnectionHandle handle;
  Connection outcome;
  Transport transport;
  boost::beast::flat_buffer buffer;  // what came after the last answer
};

class HttpTriggerChannel : public TriggerChannel {
 public:
  HttpTriggerChannel(const asio::any_io_executor& executor, TriggerRoute& route)
      : executor_(executor), route_(route) {}

  // A server that closes an idle connection would otherwise take the next request with it.
  bool is_open() override {
    if (!link_ || !link_->handle.socket.is_open()) return false;
    char next = 0;
    const auto size = recv(link_->handle.socket.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    shut();
    return false;
  }

  asio::awaitable<Attempt> open() override {
    link_ = std::make_unique<HttpLink>(executor_, route_.connections);
    const auto limit = route_.plan.timeout;
    Attempt failure = co_await connect_channel(route_, link_->handle, aborted_);
    if (!failure) {
      failure = co_await within(
          limit, link_->handle, link_->transport.secure(),
          Attempt(late(Stage::connect, fmt::format("no TLS handshake in {} ms", limit.count()))));
    }
    if (failure && aborted_) failure = failure_of(failure->stage, asio::error::operation_aborted);
    if (failure) shut();
    co_return failure;
  }

  asio::awaitable<Attempt> send(TriggerText text, TriggerAnswer& answer) override {
    const auto limit = route_.plan.timeout;
    Attempt failure = co_await within(
        limit, link_->handle, exchange(request_of(route_.plan, std::move(text)), answer),
        Attempt(late(Stage::exchange, fmt::format("no answer in {} ms", limit.count()))));
    if (aborted_ && failure) failure = failure_of(Stage::exchange, asio::error::operation_aborted);
    if (failure) shut();
    if (!failure && answer.http_status >= 300) {
      failure = Failure{Stage::exchange, fmt::format("answered with HTTP {}", answer.http_status)};
    }
    co_return failure;
  }

  asio::awaitable<void> close() override {
    shut();
    co_return;
  }

  void abort() override {
    aborted_ = true;
    shut();
  }

 private:
  asio::awaitable<Attempt> exchange(TriggerRequest request, TriggerAnswer& answer) {
    const auto [write_error, written] =
        co_await http::async_write(link_->transport, request, as_value);
    if (write_error) co_return failure_of(Stage::exchange, translated(write_error));
    Traffic& traffic = route_.connections.traffic;
    ++traffic.messages_sent;
    traffic.bytes_sent += request.body().size();
    for (;;) {
      http::response_parser<http::string_body> parser;
      parser.body_limit(max_message_bytes);
      parser.skip(request.method() == http::verb::head);
      const auto [error, size] =
          co_await http::async_read(link_->transport, link_->buffer, parser, as_value);
      if (error) co_return failure_of(Stage::exchange, translated(error));
      if (parser.get().result_int() < 200) continue;  // 100 Continue: the answer is to come
      answer.answered_ns = monotonic_ns();
      answer.http_status = static_cast<std::int32_t>(parser.get().result_int());
      ++traffic.messages_received;
      traffic.bytes_received += parser.get().body().size();
      if (!parser.keep_alive()) shut();
      co_return std::nullopt;
    }
  }

  void shut() {
    error_code ignored;
    if (link_) link_->handle.socket.close(ignored);
  }

  asio::any_io_executor executor_;
  TriggerRoute& route_;
  std::unique_ptr<HttpLink> link_;
  bool aborted_ = false;
};

}  // namespace

std::unique_ptr<TriggerChannel> make_http_channel(const asio::any_io_executor& executor,
                                                  TriggerRoute& route) {
  return std::make_unique<HttpTriggerChannel>(executor, route);
}

}  // namespace ebbtide
