#include "analysis/report/connections_report.h"

namespace ebbtide {

std::string connections_report(const LevelsAssessment& assessment, const Recording&) {
  return assessment.sentence + "\n";
}

std::string connections_json(const LevelsAssessment&, const Recording&) { return "{}\n"; }

std::string connections_summary_text(const LevelsAssessment& assessment, const Recording&) {
  return assessment.sentence + "\n";
}

}  // namespace ebbtide
