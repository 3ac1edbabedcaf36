// Answers: how does a connection stay up and end when its protocol has no words for that? By
// reading, and by closing its own direction first (http, https and tcp).
#pragma once

#include "driver/session.h"
#include "driver/transport.h"

namespace ebbtide {

class PlainSession : public Session {
 public:
  explicit PlainSession(SessionContext context) : context_(context), transport_(context) {}

  boost::asio::awaitable<Attempt> hold() override;
  boost::asio::awaitable<Attempt> close() override;
  boost::asio::awaitable<void> release() override { co_return; }

 protected:
  SessionContext context_;
  Transport transport_;

 private:
  boost::asio::awaitable<boost::system::error_code> say_goodbye();
  boost::asio::awaitable<boost::system::error_code> read_to_end(bool until_leaving);
};

}  // namespace ebbtide
