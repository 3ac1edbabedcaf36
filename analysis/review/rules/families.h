// Answers: which questions are asked of a server's source? One function for each family of rules;
// each looks at the whole subject and reports what it finds and what it found in order.
#pragma once

#include "analysis/review/rule_context.h"

namespace ebbtide {

// Every acquisition and its releases: LC001, 002, 004, 005, 006, 007, 011, 014, 017.
void check_lifecycles(const ReviewSubject& subject, RuleFindings& findings);
// Variables that forget what they held: LC003, LC015.
void check_slots(const ReviewSubject& subject, RuleFindings& findings);
// Collections under keys, and two collections of the same thing: LC012, LC013, LC016.
void check_indexes(const ReviewSubject& subject, RuleFindings& findings);
// What an await lets happen in between: LC008, RB002, RB007.
void check_awaits(const ReviewSubject& subject, RuleFindings& findings);
// Sockets before they are connections: LC010, RB003, RB004.
void check_upgrades(const ReviewSubject& subject, RuleFindings& findings);
// What ends the process, or leaves a connection to itself: RB001, RB005, RB006, LC009.
void check_robustness(const ReviewSubject& subject, RuleFindings& findings);
// HY001 to HY005.
void check_hygiene(const ReviewSubject& subject, RuleFindings& findings);

}  // namespace ebbtide
