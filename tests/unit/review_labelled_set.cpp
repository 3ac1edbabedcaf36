#include "review_labelled_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_statement(const Ast& ast, NodeId node) {
  using enum SyntaxKind;
  return is_function(ast, node) || is_class(ast, node) ||
         ast.is_any(node, expression_statement, lexical_declaration, variable_declaration,
                    if_statement, for_statement, for_in_statement, while_statement, try_statement,
                    return_statement, export_statement, pair, public_field_definition,
                    field_definition);
}

// The last line of whatever statement begins on that line.
std::uint32_t last_line_of(const Ast& ast, const std::string& path, std::uint32_t line) {
  std::uint32_t last = line;
  for (NodeId node = 1; node < ast.size(); node++) {
    if (!is_statement(ast, node) || ast.files()[ast.file_of(node)].path != path) continue;
    const SourceRange range = ast.range(node);
    if (range.line == line) last = std::max(last, range.end_line);
  }
  return last;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

void add_expectation(LabelledCase& labelled, ReviewExpectation expectation) {
  for (ReviewExpectation& known : labelled.expectations) {
    if (expectation.tag.empty() || known.tag != expectation.tag) continue;
    known.places.insert(known.places.end(), expectation.places.begin(), expectation.places.end());
    return;
  }
  labelled.expectations.push_back(std::move(expectation));
}

void read_labels(LabelledCase& labelled) {
  const Parsed parsed = parse_sources(labelled.files);
  for (const SourceFile& file : labelled.files) {
    std::istringstream text(file.text);
    std::uint32_t number = 0;
    for (std::string line; std::getline(text, line);) {
      number++;
      if (number == 1 && line.starts_with("// clean: all")) labelled.judges_hygiene = true;
      const auto at = line.find("// expect: ");
      if (at == std::string::npos) continue;
      std::string tag;
      std::vector<std::string> labels;
      for (const std::string& word : split(line.substr(at + 11), ' ')) {
        if (word.starts_with("#"))
          tag = word;
        else if (word.starts_with("LC") || word.starts_with("RB") || word.starts_with("HY"))
          labels.push_back(word);
      }
      for (const std::string& label : labels) {
        ReviewExpectation expectation;
        expectation.rules = split(label, '|');
        expectation.places = {{file.path, number, last_line_of(parsed.ast, file.path, number)}};
        expectation.tag = tag;
        if (expectation.rules.front().starts_with("HY")) labelled.judges_hygiene = true;
        add_expectation(labelled, std::move(expectation));
      }
    }
  }
}

LabelledCase read_case(const fs::path& path) {
  LabelledCase labelled;
  labelled.name = path.filename();
  std::vector<fs::path> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  } else {
    files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  const fs::path base = fs::is_directory(path) ? path : path.parent_path();
  for (const fs::path& file : files) {
    const std::string name = file.lexically_relative(base);
    if (file.filename() == "tsconfig.json") {
      if (auto mapping = read_path_mapping(name, content_of(file)))
        labelled.mappings.push_back(*std::move(mapping));
    } else if (file.extension() != ".json" && file.extension() != ".md") {
      labelled.files.push_back({name, content_of(file)});
    }
  }
  read_labels(labelled);
  return labelled;
}

std::uint32_t line_of(const std::string& text, const std::string& part) {
  const auto at = text.find(part);
  if (at == std::string::npos) throw std::runtime_error("no such text in the mutant: " + part);
  return static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + at, '\n')) + 1;
}

void read_mutants(const fs::path& directory, std::vector<LabelledCase>& cases) {
  if (!fs::exists(directory / "mutants.json")) return;
  const auto mutants = nlohmann::json::parse(content_of(directory / "mutants.json"));
  const fs::path server = [&] {
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.is_directory()) return entry.path();
    }
    return directory;
  }();
  const LabelledCase original = read_case(server);
  cases.push_back(original);
  for (const auto& mutant : mutants) {
    LabelledCase labelled = original;
    labelled.name = "mutant " + mutant.at("name").get<std::string>();
    labelled.expectations.clear();
    labelled.judges_hygiene = true;
    const auto file_named = [&](const std::string& name) -> SourceFile& {
      for (SourceFile& file : labelled.files) {
        if (file.path == name || name.ends_with("/" + file.path)) return file;
      }
      throw std::runtime_error("no such file in the mutant: " + name);
    };
    SourceFile& changed = file_named(mutant.at("file"));
    const std::string find = mutant.at("find");
    const auto at = changed.text.find(find);
    if (at == std::string::npos) throw std::runtime_error("nothing to mutate: " + find);
    changed.text.replace(at, find.size(), mutant.at("replace").get<std::string>());
    const Parsed parsed = parse_sources(labelled.files);
    const auto read = [&](const nlohmann::json& expected) {
      ReviewExpectation expectation;
      expectation.rules = split(expected.at("rule"), '|');
      const SourceFile& file = file_named(expected.at("file"));
      const std::uint32_t line = line_of(file.text, expected.at("line_of"));
      expectation.places = {{file.path, line, last_line_of(parsed.ast, file.path, line)}};
      expectation.tag = expected.value("group", "");
      return expectation;
    };
    for (const auto& expected : mutant.at("expect")) add_expectation(labelled, read(expected));
    for (const auto& allowed : mutant.value("also", nlohmann::json::array()))
      labelled.allowed.push_back(read(allowed));
    cases.push_back(std::move(labelled));
  }
}

bool meets(const ReviewFinding& finding, const ReviewExpectation& expectation) {
  const bool rule = std::find(expectation.rules.begin(), expectation.rules.end(), finding.rule) !=
                    expectation.rules.end();
  std::vector<SourceSpot> spots = finding.repeats;
  spots.push_back(finding.at);
  return rule && std::any_of(spots.begin(), spots.end(), [&](const SourceSpot& spot) {
           return std::any_of(
               expectation.places.begin(), expectation.places.end(), [&](const auto& place) {
                 return place.path == spot.path && spot.range.line + 1 >= place.first_line &&
                        spot.range.line <= std::max(place.last_line, place.first_line + 1);
               });
         });
}

}  // namespace

std::vector<LabelledCase> read_labelled_set(const std::string& directory) {
  std::vector<LabelledCase> cases;
  for (const std::string folder : {"pairs", "tricky"}) {
    const fs::path path = fs::path(directory) / folder;
    if (!fs::exists(path)) continue;
    std::set<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(path)) entries.insert(entry.path());
    for (const fs::path& entry : entries) cases.push_back(read_case(entry));
  }
  read_mutants(fs::path(directory) / "mutants", cases);
  return cases;
}

CaseScore score_case(const LabelledCase& labelled, const Review& review) {
  CaseScore score;
  std::vector<bool> used(review.findings.size());
  for (const ReviewExpectation& expectation : labelled.expectations) {
    RuleScore& rule = score.by_rule[expectation.rules.front()];
    rule.expected++;
    bool met = false;
    for (std::size_t i = 0; i < used.size() && !met; i++) {
      if (used[i] || !meets(review.findings[i], expectation)) continue;
      used[i] = met = true;
      rule.met++;
    }
    if (!met)
      score.misses.push_back(fmt::format("{} expected at {}:{}", fmt::join(expectation.rules, "|"),
                                         expectation.places.front().path,
                                         expectation.places.front().first_line));
  }
  for (std::size_t i = 0; i < used.size(); i++) {
    const ReviewFinding& finding = review.findings[i];
    const bool consequence =
        std::any_of(labelled.allowed.begin(), labelled.allowed.end(),
                    [&](const ReviewExpectation& allowed) { return meets(finding, allowed); });
    const bool again = std::any_of(
        labelled.expectations.begin(), labelled.expectations.end(),
        [&](const ReviewExpectation& met) { return !met.tag.empty() && meets(finding, met); });
    if (consequence || again) continue;
    if (used[i] || (finding.rule.starts_with("HY") && !labelled.judges_hygiene)) continue;
    score.by_rule[finding.rule].false_alarms++;
    score.false_alarms.push_back(fmt::format("{} at {}:{}: {}", finding.rule, finding.at.path,
                                             finding.at.range.line, finding.reason));
  }
  return score;
}

double RuleScore::recall() const { return expected == 0 ? 1 : double(met) / expected; }

double RuleScore::precision() const {
  return met + false_alarms == 0 ? 1 : double(met) / (met + false_alarms);
}

RuleScore& RuleScore::operator+=(const RuleScore& other) {
  expected += other.expected;
  met += other.met;
  false_alarms += other.false_alarms;
  return *this;
}

RuleScore SetScore::of_family(std::string_view prefix) const {
  RuleScore sum;
  for (const auto& [rule, score] : by_rule) {
    if (rule.starts_with(prefix)) sum += score;
  }
  return sum;
}

SetScore score_set(const std::vector<LabelledCase>& cases) {
  SetScore set;
  for (const LabelledCase& labelled : cases) {
    const CaseScore score = score_case(labelled, review_files(labelled.files, labelled.mappings));
    for (const auto& [rule, of_rule] : score.by_rule) set.by_rule[rule] += of_rule;
    for (const std::string& miss : score.misses)
      set.disagreements += fmt::format("{}: missed: {}\n", labelled.name, miss);
    for (const std::string& alarm : score.false_alarms)
      set.disagreements += fmt::format("{}: false alarm: {}\n", labelled.name, alarm);
  }
  return set;
}

}  // namespace ebbtide
