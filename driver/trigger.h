// Answers: what does one trigger say, and which trigger does a message come from? Each carries a
// token of its own that the server passes on to whoever it broadcasts to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "driver/plan.h"

namespace ebbtide {

struct TriggerPlan;

// Tokens are letters and digits, so that neither JSON nor a URL changes them, and end in a letter,
// so that one of trigger 1 is not found in one of trigger 12.
class TriggerTokens {
 public:
  // `run`: letters and digits.
  explicit TriggerTokens(std::string_view run) : beginning_("ebb" + std::string(run) + "n") {}

  [[nodiscard]] std::string token(std::uint64_t number) const {
    return beginning_ + std::to_string(number) + end;
  }

  // Moves `text` behind its first token; returns false when it has none. `number` is nullopt where
  // it begins like one of ours and no number follows. Linear in the text.
  bool next(std::string_view& text, std::optional<std::uint64_t>& number) const;

 private:
  static constexpr char end = 'z';
  std::string beginning_;
};

// A trigger with its token and number filled in.
struct TriggerText {
  std::string target;
  Headers headers;
  std::string body;
};

TriggerText fill_in(const TriggerPlan& plan, const std::string& token, std::uint64_t number);

}  // namespace ebbtide
