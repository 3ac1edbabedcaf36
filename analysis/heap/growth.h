// Answers: what in the JavaScript heap grows with the connections, and which line keeps it? Reads
// the recorded looks of one run, or of a row of snapshots.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

// One reference that keeps more with every connection.
struct HeapCause {
  std::uint64_t path_id = 0;
  std::string isolate;
  std::string path;  // "server.ts:11 matchSubscribers (Map) → Set → WebSocket"; hostile text
  std::string container;   // class of what grows: "Map", "Array", "TimersList"; "" when none does
  std::string content;     // class of what it keeps more of: "WebSocket"
  CodePosition position;   // of the variable, class field or function the path begins with
  bool user_code = false;  // false: in the runtime's or a package's own code
  double objects_per_connection = 0;
  double retained_per_connection = 0;  // bytes, memory outside the heap included
  std::vector<std::uint64_t> levels;   // at each look, in their order
  bool by_entries = false;             // what was counted: the entries of a container, not objects
  bool bounded = false;       // the growth stopped or slows down: a cache, a pool, a warm-up
  std::string bounded_by;     // where the source keeps it below a size, "" where it does not
  bool given_back = false;    // most of it was gone after the cool-down; is bounded then
  bool handles_only = false;  // kept by C++ handles, not by a JavaScript reference
  struct Companion {          // what else grows below it
    std::string class_name;
    CodePosition position;
    double per_connection = 0;
  };
  std::vector<Companion> companions;  // the most numerous first
};

// A class, or a function's closures, of which each connection leaves some.
struct HeapGrowth {
  std::string isolate;
  std::string name;
  CodePosition position;
  double objects_per_connection = 0;
  double bytes_per_connection = 0;
  std::vector<std::uint64_t> levels;
  bool bounded = false;
};

struct HeapFindings {
  std::vector<HeapCause> causes;    // most retained per connection first
  std::vector<HeapGrowth> growths;  // most bytes per connection first
  std::uint32_t looks = 0;          // that were compared, per isolate
  double connections = 0;           // from the first of them to the last
  std::string reservation;          // why nothing can be said, "" when something can
};

// The cause to name beside a LEAK: the first whose growth has not slowed down; nullptr without one.
const HeapCause* main_cause(const HeapFindings& findings);

// Against the connections established until each look. In a row of snapshots without a run's cycles
// (the recording has none) each step from one to the next counts as one "connection".
HeapFindings find_heap_growth(const Recording& recording);

// The same of two looks with connections between them. One step cannot tell growth from a warm-up;
// who reads this goes by whether the counts are whole numbers per connection.
HeapFindings find_heap_growth_of_one_step(const Recording& recording);

}  // namespace ebbtide
