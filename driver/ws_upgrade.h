// Answers: how does a client ask for a WebSocket, and what did the server say? RFC 6455, section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "driver/failure.h"
#include "driver/plan.h"
#include "driver/ws_deflate.h"

namespace ebbtide {

// The plan's headers take the place of those that a client sends of itself. `key`: 16 random bytes,
// in base64.
std::string upgrade_request(const ConnectionPlan& plan, const std::string& target,
                            std::string_view key);

std::string base64(std::string_view bytes);

struct UpgradeAnswer {
  int status = 0;                                 // 0: it is not whole yet
  std::optional<DeflateParameters> deflate = {};  // when it was agreed on
  Attempt failure = {};  // it is no answer, or none that section 4.1 allows
};

// Takes the answer to the plan's request with `key` off the front of `bytes`, once it is there as a
// whole. Any status but 101 is no failure. What was not asked for is one.
UpgradeAnswer take_upgrade_answer(std::string& bytes, const ConnectionPlan& plan,
                                  std::string_view key);

}  // namespace ebbtide
