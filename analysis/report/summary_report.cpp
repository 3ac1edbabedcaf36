#include "analysis/report/summary_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "analysis/causes/causes.h"
#include "analysis/format.h"
#include "analysis/load/broadcast.h"
#include "analysis/load/levels.h"
#include "analysis/report/conditions.h"
#include "analysis/report/escape.h"
#include "analysis/report/report_names.h"
#include "analysis/report/review_section.h"
#include "analysis/report/sections.h"
#include "analysis/verdict.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

constexpr std::size_t most_places = 8;

// What the three runs found, each absent when it did not take place.
struct Findings {
  std::optional<LevelsAssessment> levels;
  std::optional<BroadcastAssessment> broadcast;
  std::optional<Assessment> memory;
  Causes causes;
};

std::string link(RunKind kind) {
  return fmt::format("[{}]({})", report_name(kind), report_name(kind));
}

std::string title_of(RunKind kind) {
  switch (kind) {
    case RunKind::connections:
      return "Connection levels";
    case RunKind::broadcast:
      return "Broadcast";
    case RunKind::leak:
      break;
  }
  return "Memory and lifecycle";
}

Findings assess_parts(const std::vector<SummaryPart>& parts) {
  Findings findings;
  for (const SummaryPart& part : parts) {
    if (!part.recording) continue;
    switch (part.kind) {
      case RunKind::connections:
        findings.levels = assess_levels(*part.recording);
        break;
      case RunKind::broadcast:
        findings.broadcast = assess_broadcast(*part.recording);
        break;
      case RunKind::leak:
        findings.memory = assess(*part.recording);
        findings.causes = find_causes(*part.recording, *findings.memory);
        break;
    }
  }
  return findings;
}

std::string done_line(const SummaryPart& part, const Findings& findings) {
  const Recording& recording = *part.recording;
  const std::string url = code_span(recording.run.url);
  std::string line;
  switch (part.kind) {
    case RunKind::connections: {
      std::string levels;
      for (const LevelReport& level : findings.levels->levels)
        levels += (levels.empty() ? "" : ", ") + number_text(level.attempted);
      line = fmt::format("{} connections at once against {}", levels, url);
      break;
    }
    case RunKind::broadcast:
      line = fmt::format("{} broadcast to {}",
                         counted(findings.broadcast->deliveries.triggers, "message"),
                         counted(findings.broadcast->subscribers, "client"));
      break;
    case RunKind::leak:
      line = fmt::format("{} opened and closed in {}, the source reviewed beside them ({} read)",
                         counted(findings.memory->connections, "connection"),
                         counted(findings.memory->cycles, "cycle"),
                         counted(findings.causes.review.files, "file"));
      break;
  }
  if (recording.end.reason != EndReason::completed)
    line += "; the run " + prose(how_it_ended(recording));
  return fmt::format("- {}: {}.\n", title_of(part.kind), line);
}

std::string accomplishments(const std::vector<SummaryPart>& parts, const Findings& findings) {
  std::string text = "## Accomplishments\n\n";
  for (const SummaryPart& part : parts) {
    text += part.recording ? done_line(part, findings)
                           : fmt::format("- {}: **not done**: {}.\n", title_of(part.kind),
                                         prose(part.missing));
  }
  return text + "\n";
}

std::string files(const std::vector<SummaryPart>& parts) {
  std::string text = "## Files Created/Modified\n\n";
  for (const SummaryPart& part : parts) {
    if (!part.recording) continue;
    text +=
        fmt::format("- {} – {}; for machines [{}]({}), the recording [{}.ebbtide]({}.ebbtide)\n",
                    link(part.kind), title_of(part.kind), results_name(part.kind),
                    results_name(part.kind), name_of(part.kind), name_of(part.kind));
  }
  return text + "\n";
}

// What to mend, the surest first: confirmed findings, measured causes that no finding explains,
// then what the source alone says.
std::vector<std::string> places(const Causes& causes) {
  std::vector<std::string> lines;
  const auto add_findings = [&](Standing standing, std::string_view remark) {
    for (const JoinedFinding& joined : causes.join.findings) {
      const ReviewFinding& finding = causes.review.findings[joined.finding];
      if (joined.standing != standing || finding.severity == Severity::info) continue;
      lines.push_back(fmt::format("{} – {}", finding_line(finding), remark));
    }
  };
  add_findings(Standing::confirmed, "confirmed by the measurement");
  for (const std::size_t index : causes.join.unexplained) {
    if (!causes.heap.causes[index].bounded)
      lines.push_back(cause_line(causes.heap.causes[index]) + " – measured");
  }
  add_findings(Standing::likely, "the source says so, this run did not put it to the test");
  return lines;
}

std::string code_locations(const Findings& findings) {
  if (!findings.memory) return "not looked for";
  const std::vector<std::string> lines = places(findings.causes);
  if (lines.empty()) return "none was found, in " + link(RunKind::leak);
  std::string text = "in " + link(RunKind::leak) + "\n";
  for (std::size_t i = 0; i < std::min(lines.size(), most_places); ++i)
    text += fmt::format("  {}. {}\n", i + 1, lines[i]);
  if (lines.size() > most_places)
    text += fmt::format("  and {} more\n", lines.size() - most_places);
  text.pop_back();
  return text;
}

std::string sentence_with_link(const std::string& sentence, RunKind kind) {
  return prose(sentence) + " (" + link(kind) + ")";
}

std::string missing_of(const std::vector<SummaryPart>& parts, RunKind kind) {
  const auto part = std::ranges::find(parts, kind, &SummaryPart::kind);
  return "not measured" + (part == parts.end() ? "" : ": " + prose(part->missing));
}

std::string key_findings(const std::vector<SummaryPart>& parts, const Findings& findings) {
  const auto said = [&](const auto& assessment, RunKind kind) {
    return assessment ? sentence_with_link(assessment->sentence, kind) : missing_of(parts, kind);
  };
  std::string text = "## Key Findings\n\n";
  text += "- **Maximum connections before degradation**: " +
          said(findings.levels, RunKind::connections) + "\n";
  text +=
      "- **Broadcast throughput and latency**: " + said(findings.broadcast, RunKind::broadcast) +
      "\n";
  text += "- **Leaks and lifecycle**: " + said(findings.memory, RunKind::leak) + "\n";
  text += "- **Code locations that need fixing**: " + code_locations(findings) + "\n";
  return text + "\n";
}

std::string step_after_broadcast(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::none:
      return "Nothing here calls for a change. Keep these reports as the baseline of Phase 7, and "
             "compare with them after each change.";
    case Bottleneck::no_trigger:
      return "Correct the trigger, then measure broadcasts again: none succeeded.";
    case Bottleneck::driver:
    case Bottleneck::machine:
      return "Measure broadcasts again where the server and this tool have CPUs enough: this "
             "machine bounded them, not the server.";
    default:
      return "Take up what a broadcast waits for; nothing else limits it as much.";
  }
}

std::string next_step(const Findings& findings) {
  std::string step;
  const bool leaks = findings.memory && findings.memory->verdict == Verdict::leak;
  if (leaks) {
    step =
        "Mend the first of the code locations, then run `ebbtide profile` again: the verdict on "
        "memory must turn before figures of speed mean much.";
  } else if (findings.levels && findings.levels->limit.cause != LimitCause::none) {
    step = fmt::format("Lift the limit that was met ({}), then measure again.",
                       prose(findings.levels->limit.reason));
  } else {
    step = step_after_broadcast(findings.broadcast ? findings.broadcast->bottleneck
                                                   : Bottleneck::none);
  }
  return "## Next Step\n\n" + step + "\n";
}

// The answers of the three in one line each.
std::string answer(const Findings& findings) {
  if (findings.memory) return prose(findings.memory->sentence);
  if (findings.levels) return prose(findings.levels->sentence);
  if (findings.broadcast) return prose(findings.broadcast->sentence);
  return "Nothing was measured: each part says why.";
}

}  // namespace

std::string summary_report(const std::vector<SummaryPart>& parts) {
  const Findings findings = assess_parts(parts);
  return "# Phase 6 Plan 3: WebSocket Profiling Summary\n\n**" + answer(findings) + "**\n\n" +
         accomplishments(parts, findings) + files(parts) + key_findings(parts, findings) +
         next_step(findings);
}

}  // namespace ebbtide
