// Answers: does the target give back what its connections took? The one header of the verdict;
// docs/method.md derives what is behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/retention.h"
#include "analysis/statistics.h"
#include "recording/names.h"
#include "recording/run.h"

namespace ebbtide {

enum class Verdict : std::uint8_t { no_leak, saturating, inconclusive, leak };

std::string_view verdict_title(Verdict verdict);  // "LEAK", "NO LEAK", "SATURATING", "INCONCLUSIVE"
std::string_view verdict_name(Verdict verdict);   // for JSON: "leak", "no_leak", …

// The verdict on one gauge's settled floor or on one resource kind's survivors.
struct Judgement {
  enum class Evidence : std::uint8_t { gauge, survivors };
  Evidence evidence = Evidence::gauge;
  GaugeKind gauge = GaugeKind::rss;                       // evidence gauge
  ResourceKind resource = ResourceKind::accepted_socket;  // evidence survivors
  std::string subject;  // "V8 heap used", "file descriptors (pipe)"
  Unit unit = Unit::bytes;
  Verdict verdict = Verdict::inconclusive;
  bool estimated = true;      // false: too little to go by, so that per_connection means nothing
  bool decisive = true;       // false: shown, but has no say in the overall verdict (why in reason)
  double per_connection = 0;  // in the gauge's unit
  Interval interval;          // confidence in Assessment
  double limit = 0;           // a leak from this size per connection on would have been seen
  double drift_per_second = 0;       // the clock's share; 0 when not told apart from nothing
  double per_cycle = 0;              // growth that each cycle brings, whatever its dose
  double late_return = 0;            // per connection, given back in the cool-down alone
  bool may_come_back = false;        // what is left looks as if it were given back late
  std::uint32_t points = 0;          // n: settle points used
  std::uint32_t warm_up_cycles = 0;  // set aside
  std::string reason;                // one sentence
};

// Survivors of one kind by the cycle they were born in.
struct CohortSurvivors {
  ResourceKind kind = ResourceKind::accepted_socket;
  std::uint32_t cycle = 0;
  std::uint64_t births = 0;
  std::uint64_t survivors = 0;  // alive when the next cycle had settled (the last: at the end)
  std::uint64_t alive_at_end = 0;
  std::uint64_t survivor_bytes = 0;  // of those alive at the end
};

struct Assessment {
  Verdict verdict = Verdict::inconclusive;
  std::string sentence;               // the answer with its number
  std::vector<Judgement> judgements;  // the most telling first
  std::vector<CohortSurvivors> survivors;
  Retention retention;            // resident memory that is none of the above
  std::uint32_t cycles = 0;       // finished cycles with connections
  std::uint64_t connections = 0;  // established in them
  double confidence = 0.95;       // of every interval: less error at each further look
};

Assessment assess(const Recording& recording);

}  // namespace ebbtide
