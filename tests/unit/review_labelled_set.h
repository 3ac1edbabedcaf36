// Answers: how much of the labelled set in tests/review does the reviewer get right? What the
// labels mean is said in tests/review/README.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/review.h"

namespace ebbtide {

// One finding that is to be made, of any of the rules, at any of the places.
struct ReviewExpectation {
  std::vector<std::string> rules;
  struct Place {
    std::string path;
    std::uint32_t first_line = 0;
    std::uint32_t last_line = 0;  // of what begins on the labelled line
  };
  std::vector<Place> places;
  std::string tag;
};

struct LabelledCase {
  std::string name;
  std::vector<SourceFile> files;
  std::vector<PathMapping> mappings;
  std::vector<ReviewExpectation> expectations;
  std::vector<ReviewExpectation> allowed;  // further true consequences
  bool judges_hygiene = false;
};

// Pairs, tricky files and mutants below `directory`, in the order of their names.
std::vector<LabelledCase> read_labelled_set(const std::string& directory);

struct RuleScore {
  std::uint32_t expected = 0;
  std::uint32_t met = 0;
  std::uint32_t false_alarms = 0;

  [[nodiscard]] double recall() const;     // 1 when nothing was expected
  [[nodiscard]] double precision() const;  // 1 when nothing was said
  RuleScore& operator+=(const RuleScore& other);
};

struct CaseScore {
  std::map<std::string, RuleScore> by_rule;  // an expectation counts for the first of its rules
  std::vector<std::string> misses;           // "LC001 expected at a.js:12"
  std::vector<std::string> false_alarms;     // "LC001 at a.js:12: reason"
};

CaseScore score_case(const LabelledCase& labelled, const Review& review);

struct SetScore {
  std::map<std::string, RuleScore> by_rule;
  std::string disagreements;  // a line for each miss and false alarm

  // Over the rules whose id begins so: "LC", "RB", "HY".
  [[nodiscard]] RuleScore of_family(std::string_view prefix) const;
};

SetScore score_set(const std::vector<LabelledCase>& cases);

}  // namespace ebbtide
