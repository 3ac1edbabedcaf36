// Answers: what does a person or a program read after `ebbtide compare`? The answer for each kind
// of run first, then figure by figure and cause by cause what it rests on.
#pragma once

#include <string>
#include <vector>

#include "analysis/compare/compare.h"

namespace ebbtide {

// Two recordings of one kind, by the names they were given.
struct ComparedPair {
  std::string before;
  std::string after;
  Comparison comparison;
};

struct CompareResult {
  std::vector<ComparedPair> pairs;
  std::vector<std::string> left_out;  // a sentence part each: kinds of run that only one side has
};

// The Markdown of 06-03-compare.md.
std::string compare_report(const CompareResult& result);

// In the conventions of json.h.
std::string compare_json(const CompareResult& result);

// For a terminal: the answer in the first line of each pair.
std::string compare_text(const CompareResult& result);

}  // namespace ebbtide
