// Answers: how does a client ask for a WebSocket, and what did the server say? RFC 6455, section 4.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

#include "driver/plan.h"

namespace ebbtide {

// The plan's headers take the place of those that a client sends of itself. `key`: 16 random bytes,
// in base64.
std::string upgrade_request(const ConnectionPlan& plan, const std::string& target,
                            std::string_view key);

std::string base64(std::string_view bytes);

struct UpgradeAnswer {
  int status = 0;          // 0: it is not whole yet
  std::string extensions;  // agreed on, "" for none
};

// Takes the answer to a request with `key` off the front of `bytes`, once it is there as a whole.
// Any status but 101 is no error. Errors are Beast's, whose words reports use.
UpgradeAnswer take_upgrade_answer(std::string& bytes, std::string_view key,
                                  boost::system::error_code& error);

}  // namespace ebbtide
