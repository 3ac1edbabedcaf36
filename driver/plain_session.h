// Answers: how does a connection stay up and end when its protocol has no words for that? By
// reading, and by closing its own direction first (http and tcp).
#pragma once

#include "driver/session.h"

namespace ebbtide {

class PlainSession : public Session {
 public:
  explicit PlainSession(SessionContext context) : context_(context) {}

  boost::asio::awaitable<Attempt> hold() override;
  boost::asio::awaitable<Attempt> close() override;
  boost::asio::awaitable<void> release() override { co_return; }

 protected:
  SessionContext context_;

 private:
  boost::asio::awaitable<boost::system::error_code> read_to_end();
};

}  // namespace ebbtide
