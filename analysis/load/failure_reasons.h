// Answers: why did connections or triggers fail, how often each, and who is behind it?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

// Who is behind a connection that failed.
enum class FailureOrigin : std::uint8_t {
  server,     // it did not answer, or reset
  refusal,    // the application said no: an HTTP status, a close code
  own_limit,  // this machine or the tool had no fd or port left
  run_end,    // the run was stopped meanwhile
};

struct FailureReason {
  std::string text;  // may hold what the target controls
  std::uint64_t count = 0;
  Stage stage = Stage::none;
  FailureOrigin origin = FailureOrigin::server;
  bool timed_out = false;
};

// Alike but for their numbers (an id, a port) are one reason, told in the words of the first.
std::vector<FailureReason> failure_reasons(const std::vector<const Connection*>& connections);
std::vector<FailureReason> failure_reasons(const std::vector<Trigger>& triggers);

// Neither an error nor an answer of 400 and above; one without an answer needs none.
bool is_well(const Trigger& trigger);

// The code in "… (close code 1013)"; 0 without one.
int close_code(const std::string& error);

}  // namespace ebbtide
