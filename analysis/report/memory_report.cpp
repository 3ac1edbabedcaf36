#include "analysis/report/memory_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "analysis/disturbances.h"
#include "analysis/format.h"
#include "analysis/report/close_modes_section.h"
#include "analysis/report/conditions.h"
#include "analysis/report/escape.h"
#include "analysis/report/retention_section.h"
#include "analysis/report/review_section.h"
#include "analysis/report/sections.h"
#include "analysis/sentence.h"
#include "analysis/survivors.h"

namespace ebbtide {
namespace {

constexpr std::size_t judgements_shown = 3;

std::string run_line(const Recording& run, const ReportInput& input) {
  const Recording& recording = input.recording;
  const auto idle = std::ranges::count(recording.cycles, 0u, &Cycle::dose);
  std::string line = fmt::format("- {} finished with {} established, {}, against {}",
                                 counted(input.assessment.cycles, "cycle"),
                                 counted(input.assessment.connections, "connection"),
                                 counted(static_cast<std::uint64_t>(idle), "idle control"),
                                 code_span(recording.run.url));
  if (run.end.reason != EndReason::completed) line += "; the run " + prose(how_it_ended(run));
  return line + ".\n";
}

std::string survivors_line(const ReportInput& input) {
  std::uint64_t births = 0;
  std::uint64_t alive = 0;
  for (const CohortSurvivors& row : input.assessment.survivors) {
    if (row.kind != ResourceKind::accepted_socket) continue;
    births += row.births;
    alive += row.alive_at_end;
  }
  if (births == 0) return "";
  const std::string state = survivor_state(input.recording, input.join);
  return fmt::format("- Of {} on the server's side, {} {} still there at the end{}.\n",
                     counted(births, "socket"),
                     alive == 0 ? "none" : integer_text(static_cast<std::int64_t>(alive)),
                     alive <= 1 ? "was" : "were", state.empty() ? "" : ", " + state);
}

// Three to six lines: the run, the judgements that weigh most, survivors, losses.
std::string basis_lines(const Recording& run, const ReportInput& input) {
  std::string lines = run_line(run, input);
  if (const std::string next = what_decides(input.recording, input.assessment); !next.empty())
    lines += "- To decide it, " + next + ".\n";
  std::size_t shown = 0;
  for (const Judgement& judgement : input.assessment.judgements) {
    if (!judgement.decisive || shown == judgements_shown) break;
    if (input.assessment.sentence.find(judgement.reason) != std::string::npos) continue;
    ++shown;
    const bool survivors = judgement.evidence == Judgement::Evidence::survivors;
    lines += fmt::format("- {}: {} – {}.\n", verdict_title(judgement.verdict),
                         survivors ? "surviving " + judgement.subject : judgement.subject,
                         prose(judgement.reason));
  }
  std::vector<std::string> disturbances;
  for (const Disturbance& disturbance : find_disturbances(input.recording, input.join))
    disturbances.push_back(disturbance.text);
  if (!disturbances.empty())
    lines += fmt::format("- Disturbed: {}.\n", fmt::join(disturbances, "; "));
  return lines + survivors_line(input) + losses_line(input.recording);
}

}  // namespace

std::string memory_report(const Recording& run, const LeakAnswer& answer) {
  const auto& [recording, assessment, causes, modes] = answer;
  const SocketJoin join = join_sockets(recording);
  const ReportInput input{recording, assessment, join, causes, modes};
  std::string text = "# Memory Analysis: " + code_span(recording.run.cmdline, 80) + "\n\n";
  text += "**" + prose(assessment.sentence) + "**\n\n";
  const HeapCause* cause = main_cause(causes.heap);
  if (cause != nullptr && assessment.verdict == Verdict::leak)
    text += "**" + cause_line(*cause) + ".**\n\n";
  if (const ReviewFinding* finding = main_finding(causes); finding != nullptr)
    text += "**" + finding_line(*finding) + ".**\n\n";
  text += basis_lines(run, input) + "\n";
  text += joined_review_section(causes);
  text += test_results_section(input);
  text += leak_detection_section(input);
  text += close_modes_section(modes);
  text += recommendations_section(input);
  text += conditions_section(run);
  return text;
}

std::string memory_summary_text(const Recording& run, const LeakAnswer& answer) {
  const auto& [recording, assessment, causes, modes] = answer;
  std::string text = clean_text(assessment.sentence, 2000) + "\n";
  const HeapCause* cause = main_cause(causes.heap);
  if (assessment.verdict == Verdict::leak && cause != nullptr)
    text += fmt::format("Kept by {}\n", clean_text(cause->path, 300));
  if (const ReviewFinding* finding = main_finding(causes); finding != nullptr)
    text += fmt::format("Mend    {}:{} {}: {}\n", clean_text(finding->at.path),
                        finding->at.range.line, finding->rule, clean_text(finding->reason, 300));
  text += retention_line(assessment.retention) + close_modes_lines(modes);
  if (const std::string next = what_decides(recording, assessment); !next.empty())
    text += fmt::format("Next    {}\n", next);
  if (run.end.reason == EndReason::completed) return text;
  return text + fmt::format("Run     {}\n", clean_text(how_it_ended(run), 300));
}

}  // namespace ebbtide
