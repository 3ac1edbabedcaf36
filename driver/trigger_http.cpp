// Triggers that are requests (http://): one at a time on a connection that is kept.
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
#include "driver/trigger_channel.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using TriggerRequest = http::request<http::string_body>;

// Beast's ways to say that the server is gone, as the one that failure.h knows.
Attempt exchange_failure(const error_code& error) {
  const bool ended = error == http::error::end_of_stream || error == http::error::partial_message;
  return failure_of(Stage::exchange, ended ? error_code(asio::error::eof) : error);
}

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

class HttpTriggerChannel : public TriggerChannel {
 public:
  HttpTriggerChannel(const asio::any_io_executor& executor, TriggerRoute& route)
      : route_(route), socket_(executor) {}

  // A server that closes an idle connection would otherwise take the next request with it.
  bool is_open() override {
    if (!socket_.is_open()) return false;
    char next = 0;
    const auto size = recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    shut();
    return false;
  }

  asio::awaitable<Attempt> open() override {
    buffer_.clear();
    co_return co_await connect_channel(route_, socket_, aborted_);
  }

  asio::awaitable<Attempt> send(TriggerText text, TriggerAnswer& answer) override {
    const auto limit = route_.plan.timeout;
    Attempt failure = co_await within(
        limit, socket_, exchange(request_of(route_.plan, std::move(text)), answer),
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
    const auto [write_error, written] = co_await http::async_write(socket_, request, as_value);
    if (write_error) co_return exchange_failure(write_error);
    Traffic& traffic = route_.connections.traffic;
    ++traffic.messages_sent;
    traffic.bytes_sent += request.body().size();
    for (;;) {
      http::response_parser<http::string_body> parser;
      parser.body_limit(max_message_bytes);
      parser.skip(request.method() == http::verb::head);
      const auto [error, size] = co_await http::async_read(socket_, buffer_, parser, as_value);
      if (error) co_return exchange_failure(error);
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
    socket_.close(ignored);
  }

  TriggerRoute& route_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;  // what came after the last answer
  bool aborted_ = false;
};

}  // namespace

std::unique_ptr<TriggerChannel> make_http_channel(const asio::any_io_executor& executor,
                                                  TriggerRoute& route) {
  return std::make_unique<HttpTriggerChannel>(executor, route);
}

}  // namespace ebbtide
