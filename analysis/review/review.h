// Answers: what does the server's own source say about the lives of its connections? What each
// takes, and whether every way it can end gives that back. Pure: sources in, data out; reading a
// directory is cli/source_tree.h, writing it down is analysis/report/review_*.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/modules.h"
#include "analysis/review/parse.h"
#include "analysis/review/resource.h"
#include "recording/source_file.h"

namespace ebbtide {

enum class Severity : std::uint8_t { info, warning, error };
enum class RuleFamily : std::uint8_t { leak, robustness, hygiene };

struct ReviewRule {
  std::string id;    // "LC001": stable, also in SARIF
  std::string name;  // "tracked-not-removed"
  RuleFamily family;
  Severity severity;
  std::string sentence;  // what goes wrong, whoever the server is
  std::string in_order;  // what is true where there is no such fault
};

// In the order in which they are told: leaks, robustness, hygiene.
const std::vector<ReviewRule>& review_rules();
const ReviewRule& review_rule(std::string_view id);  // must exist

struct SourceSpot {
  std::string path;
  SourceRange range;

  bool operator==(const SourceSpot&) const = default;
};

// A line of source that a statement rests on, and what it shows.
struct ReviewEvidence {
  SourceSpot spot;
  std::string code;  // the line, cut to a readable length
  std::string note;  // "added here", "the close handler"
};

// What holds on to the things acquired, in the words a heap knows it by.
struct ReviewOwner {
  std::string path;     // "matchSubscribers[]", "Hub.#users"
  std::string name;     // variable, field or property: "matchSubscribers", "#users"
  std::string holder;   // class of the field, "" for a variable
  std::string type;     // "Map", "Set", "Array", "object", "timer", "emitter", "" unknown
  SourceSpot declared;  // where the variable or field is declared

  bool operator==(const ReviewOwner&) const = default;
};

struct ReviewFinding {
  std::string rule;
  Severity severity = Severity::info;
  SourceSpot at;
  std::string reason;  // one sentence, in the file's own names
  std::vector<ReviewEvidence> evidence;
  std::string condition;  // when the path is taken only sometimes: "METRICS_URL is set"; else ""
  std::string fix;        // code in the file's own names
  ReviewOwner owner;
  ReviewResource resource = ReviewResource::none;
  ReviewMoments runs = 0;            // when what is kept is taken; 0 when no connection does it
  std::vector<SourceSpot> closures;  // functions that are kept; a heap names them by position
  std::vector<SourceSpot> repeats;   // the same fault of the same owner elsewhere
  std::string fingerprint;           // survives edits elsewhere and another way to the file
};

enum class CheckOutcome : std::uint8_t { pass, finding, not_checkable };

// The answer to one question: a reader wants to see what was found in order, too. Every rule has at
// least one.
struct ReviewCheck {
  std::string rule;
  CheckOutcome outcome = CheckOutcome::pass;
  std::string statement;  // what is in order, the fault in a sentence, or why not checkable
  std::vector<ReviewEvidence> evidence;
};

struct ReviewServer {
  std::string library;  // "ws", "socket.io"
  SourceSpot at;        // where connections come in
  SourceSpot handler;
};

struct SuppressedFinding {
  ReviewFinding finding;
  std::string reason;  // after `// ebbtide-ignore LC001`
};

// A collection that the source keeps below a size.
struct SizeBound {
  ReviewOwner owner;
  SourceSpot at;
  std::string condition;  // "(lru.size > entries)"

  bool operator==(const SizeBound&) const = default;
};

struct Review {
  std::uint32_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<ReviewServer> servers;
  std::vector<ReviewFinding> findings;  // by path, line and rule
  std::vector<ReviewCheck> checks;      // by rule: faults, what is not checkable, what is in order
  std::vector<SuppressedFinding> suppressed;
  std::vector<SizeBound> bounds;
  std::vector<UnreadSource> unread;
};

// The same files in any order give the same review.
Review review_files(const std::vector<SourceFile>& files,
                    const std::vector<PathMapping>& mappings = {});

// Of a tree as it was read: its tsconfig.json files say how the others find each other.
Review review_tree(const std::vector<SourceFile>& tree);

}  // namespace ebbtide
