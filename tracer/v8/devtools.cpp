#include "tracer/v8/devtools.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <thread>

#include "tracer/proc.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using nlohmann::json;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t max_http_bytes = 1 << 20;
constexpr std::size_t max_message_bytes = 256 << 20;

Error inspector_error(std::string operation, const std::string& subject, std::string reason) {
  return {std::move(operation), subject, std::move(reason), ""};
}

std::string describe(const error_code& code, std::chrono::milliseconds timeout) {
  if (code == beast::error::timeout)
    return fmt::format("no answer within {}", timeout.count()) + " ms";
  if (code == asio::error::eof || code == beast::websocket::error::closed ||
      code == asio::error::connection_reset || code == asio::error::broken_pipe) {
    return "the process closed the connection";
  }
  return code.message();
}

// A socket belongs for good to the namespace it was made in, so only its making needs a visit
// there, by a thread that ends with it: a namespace is a property of the thread.
Result<int> socket_in_namespace_of(pid_t pid, int family) {
  int socket_fd = -1;
  int failure = 0;
  const auto make = [&] {
    socket_fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) failure = errno;
  };
  if (network_namespace(pid) == network_namespace(getpid())) {
    make();
  } else {
    std::thread([&] {
      const int fd = open(fmt::format("/proc/{}/ns/net", pid).c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
        failure = errno;
      } else {
        make();
      }
      if (fd >= 0) close(fd);
    }).join();
  }
  if (failure == 0) return socket_fd;
  return Error{"enter the network namespace of", fmt::format("process {}", pid),
               std::strerror(failure),
               "run as root, or inside the container that the process runs in"};
}

asio::awaitable<Result<beast::tcp_stream>> connect_tcp(asio::any_io_executor executor,
                                                       DevtoolsAddress address,
                                                       std::chrono::milliseconds timeout) {
  const auto protocol = address.endpoint.protocol();
  auto made = socket_in_namespace_of(address.pid, protocol.family());
  if (!made) co_return made.error();
  beast::tcp_stream stream(asio::ip::tcp::socket(executor, protocol, *made));
  stream.expires_after(timeout);
  auto [code] = co_await stream.async_connect(address.endpoint, as_value);
  if (code) {
    co_return inspector_error("connect to", fmt::format("the inspector of process {}", address.pid),
                              describe(code, timeout));
  }
  co_return stream;
}

// Node refuses names (DNS rebinding) but takes any IP address as Host.
std::string host_header(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(),
                     endpoint.port());
}

}  // namespace

asio::awaitable<Result<json>> devtools_get(asio::any_io_executor executor, DevtoolsAddress address,
                                           std::string path, std::chrono::milliseconds timeout) {
  const auto url = fmt::format("http://{}{}", host_header(address.endpoint), path);
  auto connected = co_await connect_tcp(executor, address, timeout);
  if (!connected) co_return connected.error();
  beast::tcp_stream stream = std::move(connected).value();

  namespace http = beast::http;
  http::request<http::empty_body> request{http::verb::get, path, 11};
  request.set(http::field::host, host_header(address.endpoint));
  stream.expires_after(timeout);
  auto [written, write_size] = co_await http::async_write(stream, request, as_value);
  if (written) co_return inspector_error("get", url, describe(written, timeout));

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> response;
  response.body_limit(max_http_bytes);
  auto [read, read_size] = co_await http::async_read(stream, buffer, response, as_value);
  if (read) co_return inspector_error("get", url, describe(read, timeout));
  auto document = json::parse(response.get().body(), nullptr, false);
  if (document.is_discarded()) co_return inspector_error("get", url, "the answer is not JSON");
  co_return document;
}

// Shared with the coroutine that reads, which may outlive the channel by a turn of the event loop.
struct DevtoolsChannel::Stream {
  // No compression is offered, so none need be compiled.
  beast::websocket::stream<beast::tcp_stream, false> socket;
  beast::flat_buffer buffer;
  asio::steady_timer answered;  // cancelled when the awaited answer, or the end, has come
  int awaited_id = 0;           // 0: none
  OnEvent on_event;             // of the awaited call
  std::chrono::milliseconds timeout;
  json answer;
  std::string ended;  // why no more answers will come; "" while they may

  Stream(beast::tcp_stream tcp, std::chrono::milliseconds silence)
      : socket(std::move(tcp)), answered(socket.get_executor()), timeout(silence) {}

  // Of the call that waits, if one does.
  void take_event(const std::string& method, const json& message) {
    if (awaited_id == 0 || !on_event) return;
    answered.expires_after(timeout);  // whoever waits looks again: see call()
    const auto parameters = message.find("params");
    on_event(method, parameters == message.end() ? json() : *parameters);
  }

  void end(std::string why) {
    ended = std::move(why);
    error_code ignored;
    beast::get_lowest_layer(socket).socket().close(ignored);
    answered.cancel();
  }
};

DevtoolsChannel::DevtoolsChannel(std::shared_ptr<Stream> stream, std::string name,
                                 std::chrono::milliseconds timeout)
    : stream_(std::move(stream)), name_(std::move(name)), timeout_(timeout) {}

DevtoolsChannel::~DevtoolsChannel() { stream_->end("the session is closed"); }

asio::awaitable<Result<std::unique_ptr<DevtoolsChannel>>> DevtoolsChannel::connect(
    asio::any_io_executor executor, DevtoolsAddress address, std::string path,
    std::chrono::milliseconds timeout) {
  auto name = fmt::format("the inspector of process {}", address.pid);
  auto connected = co_await connect_tcp(executor, address, timeout);
  if (!connected) co_return connected.error();
  auto stream = std::make_shared<Stream>(std::move(connected).value(), timeout);
  stream->socket.read_message_max(max_message_bytes);
  stream->socket.next_layer().expires_after(timeout);
  auto [code] =
      co_await stream->socket.async_handshake(host_header(address.endpoint), path, as_value);
  if (code) co_return inspector_error("open a session with", name, describe(code, timeout));
  stream->socket.next_layer().expires_never();  // from here on a read is always pending
  asio::co_spawn(executor, read_messages(stream), [stream](std::exception_ptr failure) {
    if (failure) stream->end("reading failed");
  });
  co_return std::unique_ptr<DevtoolsChannel>(
      new DevtoolsChannel(std::move(stream), std::move(name), timeout));
}

asio::awaitable<void> DevtoolsChannel::read_messages(std::shared_ptr<Stream> stream) {
  while (stream->ended.empty()) {
    stream->buffer.clear();
    auto [failed, size] = co_await stream->socket.async_read(stream->buffer, as_value);
    if (!stream->ended.empty()) co_return;
    if (failed) co_return stream->end(describe(failed, {}));
    const auto bytes = stream->buffer.cdata();
    const auto* begin = static_cast<const char*>(bytes.data());
    auto message = json::parse(begin, begin + bytes.size(), nullptr, false);
    if (!message.is_object()) co_return stream->end("the answer is not JSON");
    // An exiting Node waits for its debugger to go; our staying would keep it from dying.
    const auto method = message.find("method");
    if (method != message.end() && method->is_string()) {
      if (*method == "NodeRuntime.waitingForDisconnect")
        co_return stream->end("the process is exiting");
      stream->take_event(method->get_ref<const std::string&>(), message);
    }
    const auto id = message.find("id");
    if (id == message.end() || stream->awaited_id == 0 || *id != stream->awaited_id) continue;
    stream->answer = std::move(message);
    stream->awaited_id = 0;
    stream->answered.cancel();
  }
}

asio::awaitable<Result<json>> DevtoolsChannel::call(std::string method, json parameters,
                                                    OnEvent on_event) {
  const auto stream = stream_;
  if (!stream->ended.empty()) co_return inspector_error("ask", name_, stream->ended);
  stream->awaited_id = ++last_id_;
  stream->on_event = std::move(on_event);
  json request;
  request["id"] = last_id_;
  request["method"] = method;
  request["params"] = std::move(parameters);
  const auto text = request.dump();

  stream->answered.expires_after(timeout_);
  auto [written, size] = co_await stream->socket.async_write(asio::buffer(text), as_value);
  if (written && stream->ended.empty()) stream->end(describe(written, timeout_));
  // An event moves the deadline, which cancels the wait.
  while (stream->awaited_id != 0 && stream->ended.empty() &&
         stream->answered.expiry() > std::chrono::steady_clock::now()) {
    co_await stream->answered.async_wait(as_value);
  }
  stream->on_event = {};
  if (stream->awaited_id != 0) {
    stream->awaited_id = 0;
    co_return inspector_error(
        "ask", name_,
        stream->ended.empty() ? describe(beast::error::timeout, timeout_) : stream->ended);
  }
  json answer = std::move(stream->answer);
  if (answer.contains("error"))
    co_return inspector_error("ask", name_, method + ": " + answer["error"].dump());
  co_return std::move(answer["result"]);
}

}  // namespace ebbtide
