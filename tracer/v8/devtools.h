// Answers: what does a DevTools endpoint (the HTTP and WebSocket server inside an inspected
// runtime) reply to a request? Knows the wire, not the runtime; answers are untrusted JSON.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "recording/result.h"

namespace ebbtide {

struct DevtoolsAddress {
  boost::asio::ip::tcp::endpoint endpoint;
  pid_t pid = 0;  // who listens there: the connection is made in this process's network namespace
};

// GET path, answered with JSON within the timeout, at most 1 MB.
boost::asio::awaitable<Result<nlohmann::json>> devtools_get(boost::asio::any_io_executor executor,
                                                            DevtoolsAddress address,
                                                            std::string path,
                                                            std::chrono::milliseconds timeout);

// One WebSocket session. One call at a time. Ends by itself when the process wants to exit: Node
// waits for its debuggers (if told so by NodeRuntime.notifyWhenWaitingForDisconnect).
class DevtoolsChannel {
 public:
  static boost::asio::awaitable<Result<std::unique_ptr<DevtoolsChannel>>> connect(
      boost::asio::any_io_executor executor, DevtoolsAddress address, std::string path,
      std::chrono::milliseconds timeout);
  ~DevtoolsChannel();

  // An event's "params".
  using OnEvent = std::function<void(std::string_view method, const nlohmann::json& parameters)>;

  // The answer's "result"; events that come in between go to `on_event`, later and earlier ones are
  // dropped. Errors: the peer is gone (at once), silent for the whole timeout (an event is a sign
  // of life), or answers "error". Only after the last does the channel still serve.
  boost::asio::awaitable<Result<nlohmann::json>> call(std::string method, nlohmann::json parameters,
                                                      OnEvent on_event = {});

 private:
  struct Stream;
  DevtoolsChannel(std::shared_ptr<Stream> stream, std::string name,
                  std::chrono::milliseconds timeout);
  static boost::asio::awaitable<void> read_messages(std::shared_ptr<Stream> stream);

  std::shared_ptr<Stream> stream_;
  std::string name_;  // for errors: "process 42's inspector"
  std::chrono::milliseconds timeout_;
  int last_id_ = 0;
};

}  // namespace ebbtide
