// Answers: which questions are asked of a server's source? One function for each family of rules;
// each looks at the whole subject and reports what it finds and what it found in order.
#pragma once

#include "analysis/review/rule_context.h"

namespace ebbtide {

void check_tracking(const ReviewSubject& subject, RuleFindings& findings);  // LC001, 011, 014, 017

// rules/robustness.cpp
void check_error_listeners(const ReviewSubject& subject, RuleFindings& findings);  // RB001

}  // namespace ebbtide
