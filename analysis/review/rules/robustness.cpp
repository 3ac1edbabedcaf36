// RB001: whether an error of a connection ends the process.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/rules/families.h"

namespace ebbtide {

void check_error_listeners(const ReviewSubject& s, RuleFindings& findings) {
  std::vector<NodeId> asked;
  for (const ServerEntry& entry : s.scope.servers().entries) {
    const LibraryFacts& facts = library_facts(entry.library);
    const bool seen = std::find(asked.begin(), asked.end(), entry.registration) != asked.end();
    if (!facts.unheard_error_is_fatal || seen) continue;
    asked.push_back(entry.registration);
    const ConnectionListener* heard = nullptr;
    for (const ConnectionListener& listener : s.scope.listeners()) {
      if (listener.event == "error") heard = &listener;
    }
    if (heard != nullptr) {
      findings.passed("RB001", "errors of a connection are listened to",
                      {findings.evidence(heard->node, "the error handler")});
      continue;
    }
    if (!s.scope.handed_out().empty()) {
      findings.not_checkable("RB001", "the connection is handed to code that was not read",
                             s.scope.handed_out().front());
      continue;
    }
    auto* finding = findings.report(
        "RB001", entry.registration,
        fmt::format("no 'error' listener on connections of {}: one bad frame ends the process",
                    facts.name));
    if (finding == nullptr) continue;
    const std::string name(entry.connection == 0 ? "socket" : s.ast.text(entry.connection));
    finding->evidence = {findings.evidence(entry.registration, "connections come in here")};
    finding->fix = fmt::format("{}.on('error', (error) => console.error(error.message));", name);
  }
}

}  // namespace ebbtide
