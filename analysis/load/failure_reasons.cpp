#include "analysis/load/failure_reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <map>
#include <tuple>

namespace ebbtide {
namespace {

constexpr int policy_violation = 1008;
constexpr int try_again_later = 1013;

// "no answer within 5000 ms" → "no answer within # ms".
std::string without_numbers(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit) plain += c;
    if (digit && !plain.ends_with('#')) plain += '#';
  }
  return plain;
}

class Tally {
 public:
  void add(FailureReason reason, int code) {
    auto& entry = reasons_[{reason.stage, reason.origin, code, without_numbers(reason.text)}];
    const std::uint64_t count = entry.count + 1;
    if (count == 1) entry = std::move(reason);
    entry.count = count;
  }

  [[nodiscard]] std::vector<FailureReason> ranked() const {
    std::vector<FailureReason> reasons;
    for (const auto& [key, reason] : reasons_) reasons.push_back(reason);
    std::ranges::stable_sort(reasons, std::ranges::greater(), &FailureReason::count);
    return reasons;
  }

 private:
  std::map<std::tuple<Stage, FailureOrigin, int, std::string>, FailureReason> reasons_;
};

FailureOrigin origin_of(const Connection& connection) {
  constexpr std::array own = {EMFILE, ENFILE, EADDRNOTAVAIL, EADDRINUSE, ENOBUFS, ENOMEM};
  if (connection.error_code == ECANCELED) return FailureOrigin::run_end;
  if (connection.failed_at == Stage::connect &&
      std::ranges::find(own, connection.error_code) != own.end()) {
    return FailureOrigin::own_limit;
  }
  const int code = close_code(connection.error);
  if (connection.http_status >= 400 || code == policy_violation || code == try_again_later) {
    return FailureOrigin::refusal;
  }
  return FailureOrigin::server;
}

std::string with_status(std::int32_t status, const std::string& error) {
  const std::string code = fmt::format("HTTP {}", status);
  if ((status < 400 || error.find(code) != std::string::npos) && !error.empty()) return error;
  if (status == 0) return error.empty() ? "no reason recorded" : error;
  return code + (error.empty() ? "" : ", " + error);
}

}  // namespace

int close_code(const std::string& error) {
  constexpr std::string_view mark = "(close code ";
  const std::size_t at = error.find(mark);
  if (at == std::string::npos) return 0;
  int code = 0;
  for (std::size_t i = at + mark.size(); i < error.size() && code < 10'000; ++i) {
    if (error[i] < '0' || error[i] > '9') break;
    code = code * 10 + (error[i] - '0');
  }
  return code;
}

std::vector<FailureReason> failure_reasons(const std::vector<const Connection*>& connections) {
  Tally tally;
  for (const Connection* connection : connections) {
    if (connection->failed_at == Stage::none) continue;
    const int code =
        connection->http_status != 0 ? connection->http_status : close_code(connection->error);
    tally.add({.text = with_status(connection->http_status, connection->error),
               .stage = connection->failed_at,
               .origin = origin_of(*connection),
               .timed_out = connection->error_code == ETIMEDOUT},
              code);
  }
  return tally.ranked();
}

std::vector<FailureReason> failure_reasons(const std::vector<Trigger>& triggers) {
  Tally tally;
  for (const Trigger& trigger : triggers) {
    if (is_well(trigger)) continue;
    const bool refused = trigger.http_status >= 400;
    tally.add({.text = with_status(trigger.http_status, trigger.error),
               .stage = Stage::exchange,
               .origin = refused ? FailureOrigin::refusal : FailureOrigin::server},
              trigger.http_status);
  }
  return tally.ranked();
}

bool is_well(const Trigger& trigger) { return trigger.error.empty() && trigger.http_status < 400; }

}  // namespace ebbtide
