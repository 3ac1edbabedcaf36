// Answers: where does this Node process's inspector listen, and if it does not yet, how do we make
// it? Node opens it on SIGUSR1; to any program that has not asked for that signal it is deadly, so
// it goes to a process only when /proc says that it is Node and catches it, once.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

#include "recording/result.h"
#include "tracer/v8/devtools.h"

namespace ebbtide {

struct InspectorPort {
  DevtoolsAddress address;
  std::string session_path;   // where the WebSocket session of the main thread opens
  bool opened_by_us = false;  // by SIGUSR1; otherwise it was on before
};

// Errors name the reason and the way out: not Node, signal not caught or swallowed, port taken, no
// right to signal, process gone.
boost::asio::awaitable<Result<InspectorPort>> find_or_open_inspector(
    boost::asio::any_io_executor executor, pid_t pid);

// Would SIGUSR1 reach Node's own handler? Sends nothing. Error: what speaks against it.
Result<void> may_wake_inspector(pid_t pid);

}  // namespace ebbtide
