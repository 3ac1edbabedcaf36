// Answers: what of a heap is worth recording? Classes with their counts, and the tree of retainer
// paths with what each leads to; a whole graph is too much to keep of every cycle.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/heap/graph.h"
#include "recording/run.h"

namespace ebbtide {

// Texts that a script refers to: its source map, a source. The argument is a path or URL made
// absolute against the script's own, never fetched from a network; nullopt when it cannot be had.
using ReadText = std::function<std::optional<std::string>(const std::string& path)>;

struct HeapDigest {
  HeapCensus census;  // cycle, isolate and the graph's sums; times are the caller's
  std::vector<HeapClass> classes;
  std::vector<HeapPath> paths;
  std::vector<HeapPathLevel> levels;
  std::vector<HeapTimer> timers;
  std::uint64_t paths_left_out = 0;  // that led to too few objects to tell a growth from chance
};

// The sums alone, for when it only matters how much there is; cycle and isolate are the caller's.
HeapCensus weigh_heap(const HeapGraph& graph);

// Keeps what does not change between looks: source maps, declarations that were found.
class HeapDigester {
 public:
  explicit HeapDigester(ReadText read_text);
  ~HeapDigester();
  HeapDigester(const HeapDigester&) = delete;
  HeapDigester& operator=(const HeapDigester&) = delete;

  HeapDigest digest(const HeapGraph& graph, std::uint32_t cycle, const std::string& isolate);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ebbtide
