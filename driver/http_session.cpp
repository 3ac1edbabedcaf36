// http:// and https://: requests on one keep-alive connection; a step that sends is a POST.
#include <fmt/format.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

#include "driver/deadline.h"
#include "driver/placeholder.h"
#include "driver/plain_session.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

bool looks_like_json(const std::string& text) {
  return text.starts_with('{') || text.starts_with('[');
}

class HttpSession : public PlainSession {
 public:
  using PlainSession::PlainSession;

  // A plan that does not begin with a request of its own gets a GET.
  asio::awaitable<Attempt> open() override {
    if (Attempt failure = co_await transport_.secure()) co_return failure;
    if (context_.outcome.close_mode == CloseMode::abort_handshake) {
      co_return co_await send_half_a_request();
    }
    const auto& steps = context_.plan().steps;
    if (!steps.empty() && steps.front().kind == Step::Kind::send) co_return std::nullopt;
    Attempt failure = co_await exchange(make_request(http::verb::get));
    if (!failure && steps.empty()) context_.outcome.answered_ns = monotonic_ns();
    co_return failure;
  }

  asio::awaitable<Attempt> send(std::string text) override {
    Request request = make_request(http::verb::post);
    if (looks_like_json(text) && request.find(http::field::content_type) == request.end()) {
      request.set(http::field::content_type, "application/json");
    }
    request.body() = std::move(text);
    request.prepare_payload();
    co_return co_await exchange(std::move(request));
  }

  // The answer is complete: either it holds the text or it never will.
  asio::awaitable<Attempt> expect(std::string text) override {
    if (answer_.find(text) != std::string::npos) co_return std::nullopt;
    co_return Failure{Stage::exchange, fmt::format("the answer has no \"{}\"", text)};
  }

  asio::awaitable<Attempt> hold() override {
    context_.count_received_bytes(buffer_.size());
    answer_ = {};
    buffer_ = {};
    co_return co_await PlainSession::hold();
  }

 private:
  asio::awaitable<Attempt> send_half_a_request() {
    const Url& url = context_.plan().url;
    const std::string half = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Ag",
                                         with_id(url.target, context_.outcome.id), authority(url));
    const auto [error, size] = co_await asio::async_write(transport_, asio::buffer(half), as_value);
    co_return attempt_of(Stage::exchange, error);
  }

  using Request = http::request<http::string_body>;

  [[nodiscard]] Request make_request(http::verb verb) const {
    const Url& url = context_.plan().url;
    const bool is_wrong = context_.outcome.close_mode == CloseMode::wrong_path;
    const std::uint64_t id = context_.outcome.id;
    Request request(verb, is_wrong ? unserved_path : with_id(url.target, id), 11);
    request.set(http::field::host, authority(url));
    request.set(http::field::user_agent, "ebbtide");
    for (const auto& [name, value] : context_.plan().headers) request.erase(name);
    for (const auto& [name, value] : context_.plan().headers)
      request.insert(name, with_id(value, id));
    return request;
  }

  // Sends the request and reads the whole answer into answer_.
  asio::awaitable<Attempt> exchange(Request request) {
    const auto [write_error, written] = co_await http::async_write(transport_, request, as_value);
    if (write_error) co_return failure_of(Stage::exchange, translated(write_error));
    context_.count_sent_message(request.body().size());

    http::response_parser<http::string_body> parser;
    parser.body_limit(max_message_bytes);
    const auto [error, size] = co_await http::async_read(transport_, buffer_, parser, as_value);
    if (error) co_return failure_of(Stage::exchange, translated(error));
    answer_ = std::move(parser.get().body());
    context_.count_received_message();
    context_.count_received_bytes(answer_.size());

    context_.outcome.http_status = static_cast<int>(parser.get().result_int());
    if (context_.outcome.http_status < 400) co_return std::nullopt;
    co_return Failure{Stage::exchange,
                      fmt::format("answered with HTTP {}", context_.outcome.http_status)};
  }

  boost::beast::flat_buffer buffer_;  // what came after the last answer
  std::string answer_;                // body of the last answer
};

}  // namespace

std::unique_ptr<Session> make_http_session(SessionContext context) {
  return std::make_unique<HttpSession>(context);
}

}  // namespace ebbtide
