// tcp://: raw bytes in both directions.
#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>

#include "driver/deadline.h"
#include "driver/plain_session.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;

class TcpSession : public PlainSession {
 public:
  using PlainSession::PlainSession;

  asio::awaitable<Attempt> open() override { co_return std::nullopt; }

  asio::awaitable<Attempt> send(std::string text) override {
    const auto [error, size] =
        co_await asio::async_write(context_.handle.socket, asio::buffer(text), as_value);
    if (!error) context_.count_sent_message(size);
    co_return attempt_of(Stage::exchange, error);
  }

  // Reads until `text` has come; what follows it stays in received_.
  asio::awaitable<Attempt> expect(std::string text) override {
    std::array<char, 4096> chunk;
    std::size_t at = 0;
    while ((at = received_.find(text)) == std::string::npos) {
      // Only a beginning of `text` at the very end can still become a match.
      const std::size_t kept = std::min(received_.size(), text.size() - 1);
      received_.erase(0, received_.size() - kept);
      const auto [error, size] =
          co_await context_.handle.socket.async_read_some(asio::buffer(chunk), as_value);
      if (error) co_return failure_of(Stage::exchange, error);
      context_.count_received_bytes(size);
      received_.append(chunk.data(), size);
    }
    received_.erase(0, at + text.size());
    co_return std::nullopt;
  }

 private:
  std::string received_;
};

}  // namespace

std::unique_ptr<Session> make_tcp_session(SessionContext context) {
  return std::make_unique<TcpSession>(context);
}

}  // namespace ebbtide
