#include "driver/failure.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>
#include <cerrno>

namespace ebbtide {
namespace {

std::string describe(const boost::system::error_code& error) {
  if (error == boost::asio::error::eof) return "server closed the connection";
  if (error.category() != boost::system::system_category()) {
    return "protocol error: " + error.message();
  }
  switch (error.value()) {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
      return "server reset the connection";
    case EPIPE:
      return "server closed the connection";
    case ECANCELED:
      return "aborted";
    case EMFILE:
      return "the tool's own fd limit";
    case ENFILE:
      return "this machine's limit of open files";
    case EADDRNOTAVAIL:
      return "this machine has no free local port";
    default:
      return error.message();
  }
}

}  // namespace

boost::system::error_code translated(const boost::system::error_code& error) {
  namespace beast = boost::beast;
  const bool is_end = error == beast::http::error::end_of_stream ||
                      error == beast::http::error::partial_message ||
                      error == beast::websocket::error::closed ||
                      error == boost::asio::ssl::error::stream_truncated;
  return is_end ? boost::system::error_code(boost::asio::error::eof) : error;
}

Failure failure_of(Stage stage, const boost::system::error_code& error) {
  const bool is_errno = error.category() == boost::system::system_category();
  return {stage, describe(error), is_errno ? error.value() : 0};
}

Attempt attempt_of(Stage stage, const boost::system::error_code& error) {
  return error ? Attempt(failure_of(stage, error)) : std::nullopt;
}

Failure late(Stage stage, std::string text) { return {stage, std::move(text), ETIMEDOUT}; }

}  // namespace ebbtide
