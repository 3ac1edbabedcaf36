// Answers: what does somebody read who reads only one page of `ebbtide profile`? The plan's
// summary: what was done, what was found, which lines to mend, with the report behind each figure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

struct SummaryPart {
  RunKind kind = RunKind::leak;
  std::optional<Recording> recording;
  std::string missing;  // why there is none; a sentence part
};

// The Markdown of 06-03-SUMMARY.md. Links are relative: the reports lie beside it.
std::string summary_report(const std::vector<SummaryPart>& parts);

}  // namespace ebbtide
