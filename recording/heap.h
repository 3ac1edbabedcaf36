// Answers: what did a run see in the target's JavaScript heap? A part of run.h, whose conventions
// hold.
#pragma once

#include <cstdint>
#include <string>

namespace ebbtide {

// A place in a script, as V8 counts: the script is a path or URL, lines and columns start at 1,
// line 0 means unknown. What the target controls.
struct CodePosition {
  std::string script;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string compiled;  // "dist/index.js:1:198" when a source map led to the position, else ""

  bool operator==(const CodePosition&) const = default;
};

enum class HeapSource : std::uint8_t { live = 0, snapshot = 1 };

// One look into one JavaScript heap: an isolate of the target after a cycle had settled, or one
// .heapsnapshot file (then `cycle` is its place in the row of files, from 0).
struct HeapCensus {
  std::uint32_t cycle = 0;
  std::string isolate;  // "main", "worker 1"
  HeapSource source = HeapSource::live;
  std::uint64_t ts_ns = 0;
  std::uint64_t pause_ns = 0;         // how long the target's threads were held
  std::uint64_t took_ns = 0;          // copying and reading, on our side
  std::uint64_t objects = 0;          // reachable ones
  std::uint64_t reachable_bytes = 0;  // from JavaScript: globals, modules, the running code
  std::uint64_t handle_bytes = 0;     // kept by handles of C++ alone: sockets, active timers
  std::uint64_t compiled_bytes = 0;   // beside those: V8's compiled code and feedback; live only
  std::uint64_t garbage_bytes = 0;    // kept by nothing, not yet collected; 0 in a snapshot
  std::uint64_t external_bytes = 0;   // outside the heap, owned by reachable objects (Buffers)
  std::uint64_t resident_bytes = 0;   // pages of the heap that are in memory; live only
  std::uint32_t walked_permille = 0;  // share of the heap that could be read as objects; live only
};

// Objects of one class in one look: class as DevTools shows it, for closures the function's name;
// `position` is where the function or the class's constructor stands.
struct HeapClass {
  std::uint32_t cycle = 0;
  std::string isolate;
  std::string name;
  CodePosition position;
  std::uint64_t objects = 0;         // reachable from JavaScript
  std::uint64_t bytes = 0;           // of those, shallow
  std::uint64_t handle_objects = 0;  // reachable from C++ handles alone
  std::uint64_t garbage_objects = 0;
};

// What a step of a retainer path is, which says how to write it.
enum class PathStep : std::uint8_t {
  root = 0,  // the isolate's roots, or its C++ handles
  global,    // property of the global object
  variable,  // of a module, function or block: `edge` is its name, `position` its declaration
  property,  // `edge` is its name, "#x" when private
  element,   // of an Array, Map, Set, or table: edge is ""
  internal,  // V8's own reference
};

// A retainer path from a root to objects of one class, as a tree: each row is one step below its
// parent. Objects that are reached by the same names through objects of the same classes share it,
// so that it means the same thing in every look.
struct HeapPath {
  std::uint64_t id = 0;      // never 0; the same in every run
  std::uint64_t parent = 0;  // 0: a root
  std::string isolate;
  PathStep step = PathStep::root;
  std::string edge;
  std::string class_name;
  CodePosition position;
};

// How much a path led to in one look.
struct HeapPathLevel {
  std::uint32_t cycle = 0;
  std::uint64_t path_id = 0;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;           // shallow
  std::uint64_t retained_bytes = 0;  // by them, memory outside the heap included
  std::uint64_t entries = 0;         // of the containers among them: what they hold, summed
};

// What keeps the target's event loop alive, as process.getActiveResourcesInfo() counts it.
struct ActiveResource {
  std::uint32_t cycle = 0;
  std::string kind;  // "TCPSocketWrap", "Timeout"; what the target controls
  std::uint64_t count = 0;
};

// Timers of one kind that are running in one JavaScript heap at a look: what they call may give
// something back later on.
struct HeapTimer {
  std::uint32_t cycle = 0;
  std::string isolate;
  CodePosition callback;  // unknown for functions of Node's own and for bound ones
  std::uint64_t delay_ms = 0;
  bool repeats = false;
  std::uint64_t count = 0;
};

// A .heapsnapshot that the target's inspector wrote on request. It makes the target's memory grow
// for good: readings of it after `ts_ns` are void.
struct SnapshotFile {
  std::uint32_t cycle = 0;
  std::uint64_t ts_ns = 0;  // when it was asked for
  std::uint64_t took_ns = 0;
  std::uint64_t size_bytes = 0;
  std::string path;
};

}  // namespace ebbtide
