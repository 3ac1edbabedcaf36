// Answers: why did a connection fail, in words for a report?
#pragma once

#include <boost/system/error_code.hpp>
#include <optional>
#include <string>

#include "recording/run.h"

namespace ebbtide {

struct Failure {
  Stage stage = Stage::none;
  std::string text;             // one sentence part
  std::int32_t error_code = 0;  // errno, 0 when none applies
};

// What a step of a connection comes to: nullopt when it worked.
using Attempt = std::optional<Failure>;

// Asio's eof for each way of Asio, OpenSSL and Beast to say that the server ended the connection.
boost::system::error_code translated(const boost::system::error_code& error);

// The failure behind an error of Asio or Beast. Errors of this machine and not of the server (no
// free fd, no free local port) say so.
Failure failure_of(Stage stage, const boost::system::error_code& error);

// The same, and nullopt when there is no error.
Attempt attempt_of(Stage stage, const boost::system::error_code& error);

// The failure of a step that was not done in time.
Failure late(Stage stage, std::string text);

}  // namespace ebbtide
