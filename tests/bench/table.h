// Answers: how does a person read the figures? One table; each figure stands beside its aim,
// whether that was met, and what it was measured against.
#pragma once

#include <string>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

enum class Met { no_aim, yes, no, within_error };

struct Row {
  std::string name;
  std::string figure;
  std::string aim = {};
  Met met = Met::no_aim;
  std::string against = {};
};

using Rows = std::vector<Row>;

// Is `figure` at most `aim`? Within two standard errors of it nothing can be said.
Met at_most(double aim, double figure, double standard_error = 0);

class Table {
 public:
  // `rows` may be an error: then the table says why there is no figure.
  void add(const std::string& heading, const Result<Rows>& rows);

  void print() const;
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  Rows rows_;  // a heading is a row with nothing but a name
  bool complete_ = true;
};

}  // namespace ebbtide
