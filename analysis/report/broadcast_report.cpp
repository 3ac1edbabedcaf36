#include "analysis/report/broadcast_report.h"

namespace ebbtide {

std::string broadcast_report(const BroadcastAssessment& assessment, const Recording&) {
  return assessment.sentence + "\n";
}

std::string broadcast_json(const BroadcastAssessment&, const Recording&) { return "{}\n"; }

std::string broadcast_summary_text(const BroadcastAssessment& assessment, const Recording&) {
  return assessment.sentence + "\n";
}

}  // namespace ebbtide
