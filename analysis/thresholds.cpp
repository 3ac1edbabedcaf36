#include "analysis/thresholds.h"

#include <algorithm>

namespace ebbtide {
namespace {

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;

// Clean Node servers under a forced GC grew by −189…+461 B per connection over 10 cycles of 100,
// so by at most 0.46 MB, and no more over 40 cycles; leaks from 1.5 KB on stood clear of that.
constexpr Threshold v8_heap = {128, 800 * kib};

// Code that is compiled and bytecode that is flushed come and go by some 100 KB whatever the dose;
// over 40 cycles clean servers measured 33 and 48 B per connection.
constexpr Threshold v8_heap_clean = {48, 100 * kib};

// The worst clean server measured: 461 B per connection over 10 cycles of 100, and no more over 40.
constexpr Threshold v8_heap_leak = {48, 450 * kib};

// Readings right after a forced GC are within 112 bytes of what V8 itself finds.
constexpr double v8_resolution = 112;
constexpr double block_resolution = 256;  // a timer or a request more or less
constexpr double page = 4 * kib;
constexpr double count_resolution = 0.1;  // counts are exact; nothing is surer than a tenth

// Blocks in use are counted one by one. Clean Node servers ended 10 cycles of 100 with 2–28 KB more
// after the first, and held still from then on: 3 KB in 46 cycles of a server that fragments its
// heap. One with a library not used here may warm up later.
constexpr Threshold malloc_blocks = {64, 400 * kib};
constexpr Threshold malloc_blocks_clean = {16, 64 * kib};
constexpr Threshold malloc_blocks_leak = {32, 200 * kib};
constexpr Threshold malloc_block_count = {0.5, 500};

// malloc takes memory from the kernel by 128 KB and more at a time (M_TOP_PAD), a Python arena has
// 1 MB: two MB are what a handful of such steps amounts to when nothing leaks.
constexpr double arena = 128 * kib;
constexpr Threshold resident = {256, 2 * mib};

// Clean Node servers that compress or read files grew by 2–19 KB of RSS per connection while their
// thread pools and deflate contexts filled up.
constexpr Threshold native_beside_v8 = {4 * kib, 4 * mib};

// One malloc arena reserves 64 MB of address space, and none of it need be memory.
constexpr Threshold reserved = {4 * kib, 64 * mib};

// A leak of one in a hundred connections; below five in all it may be libuv's four threads, an
// inspector's connection or a log file being rotated.
constexpr Threshold counted_things = {0.01, 5};

// Heaps grow by mappings too. V8 maps pages of 256 KB: half a mapping per connection is 128 KB of
// heap, which the heap's own gauge sees much earlier.
constexpr Threshold mapping_count = {0.1, 20};
constexpr Threshold mapping_count_v8 = {0.5, 100};

const std::string pages_of_v8 = "V8 gives pages back when it likes, so resident memory cannot tell";
const std::string blocks_decide = "what malloc keeps free is no leak: its blocks in use decide";
const std::string after_collection = "the heap after a full collection decides";
const std::string large_and_steady = "only large and steady growth counts here";
const std::string part_of_fds = "a part of file descriptors";
const std::string part_of_sockets = "a part of accepted sockets";

struct RuleTable {
  const Recording& recording;
  std::vector<GaugeRule> rules;

  void add(GaugeRule rule) {
    for (const GaugeTerm& term : rule.terms) {
      if (!was_read(recording, term.kind)) return;
    }
    rule.clean = rule.leak = rule.threshold;
    rule.resolution = gauge_info(rule.gauge).unit == Unit::count ? count_resolution : page;
    if (rule.threshold == v8_heap) {
      rule.clean = v8_heap_clean;
      rule.leak = v8_heap_leak;
      rule.resolution = v8_resolution;
    } else if (rule.threshold == malloc_blocks) {
      rule.clean = malloc_blocks_clean;
      rule.leak = malloc_blocks_leak;
      rule.resolution = block_resolution;
    } else if (rule.threshold == resident) {
      rule.resolution = arena;
    }
    rules.push_back(std::move(rule));
  }
  void add(GaugeKind kind, Threshold threshold, Role role = Role::decides,
           const std::string& aside = "") {
    add(kind, std::string(gauge_info(kind).title), {{kind, 1}}, threshold, role, aside);
  }
  void add(GaugeKind kind, const std::string& subject, std::vector<GaugeTerm> terms,
           Threshold threshold, Role role, const std::string& aside) {
    add({.gauge = kind,
         .subject = subject,
         .terms = std::move(terms),
         .threshold = threshold,
         .clean = {},
         .leak = {},
         .role = role,
         .aside = aside});
  }
  // A part decides only when the whole was not measured.
  void add_part(GaugeKind part, GaugeKind whole, const std::string& aside) {
    const bool alone = !was_read(recording, whole);
    add(part, counted_things, alone ? Role::decides : Role::shown, alone ? "" : aside);
  }
};

// Swapped-out pages are still taken: without them a leak would vanish as the machine fills up.
std::vector<GaugeTerm> anonymous_terms(const Recording& recording) {
  std::vector<GaugeTerm> terms = {{GaugeKind::anon, 1}};
  if (was_read(recording, GaugeKind::swap)) terms.push_back({GaugeKind::swap, 1});
  return terms;
}

using Terms = std::vector<GaugeTerm>;

Terms without(Terms terms, std::initializer_list<GaugeKind> parts) {
  for (const GaugeKind part : parts) terms.push_back({part, -1});
  return terms;
}

// Resident memory that is no allocator's to keep. Large blocks need not be in memory as a whole:
// then too much is taken off, and the blocks' own gauge sees them.
Terms beside_malloc(Terms terms) {
  return without(std::move(terms), {GaugeKind::malloc_resident, GaugeKind::malloc_mmapped});
}

// Blocks that garbage still holds are counted too, so that only a full collection gives them a say.
void add_v8_blocks(RuleTable& table, bool collected) {
  table.add(GaugeKind::malloc_in_use, "native memory (malloc)",
            without({{GaugeKind::malloc_in_use, 1}},
                    {collected ? GaugeKind::external : GaugeKind::heap_live_external}),
            malloc_blocks, collected ? Role::decides : Role::shown,
            "garbage not yet collected holds blocks too");
}

void add_v8_memory(RuleTable& table) {
  const bool collected = was_read(table.recording, GaugeKind::heap_used);
  const Role census_role = collected ? Role::shown : Role::decides;
  table.add(GaugeKind::heap_used, v8_heap);
  table.add(GaugeKind::external, v8_heap);
  table.add(GaugeKind::heap_live, v8_heap, census_role, after_collection);
  table.add(GaugeKind::heap_live_external, v8_heap, census_role, after_collection);
  const bool committed = was_read(table.recording, GaugeKind::heap_total);
  const Terms native = without(anonymous_terms(table.recording),
                               {committed ? GaugeKind::heap_total : GaugeKind::heap_used});
  const bool blocks = was_read(table.recording, GaugeKind::malloc_in_use);
  add_v8_blocks(table, collected);
  table.add(GaugeKind::anon, "native memory beside V8", without(native, {GaugeKind::external}),
            native_beside_v8, blocks ? Role::shown : Role::decides_when_steady,
            blocks ? blocks_decide : large_and_steady);
  table.add(GaugeKind::anon, "native memory beside V8 and malloc", beside_malloc(native),
            native_beside_v8, Role::decides_when_steady, large_and_steady);
  table.add(GaugeKind::array_buffers, v8_heap, Role::shown, "a part of V8 external memory");
  table.add(GaugeKind::heap_total, v8_heap, Role::shown, pages_of_v8);
  table.add(GaugeKind::anon, resident, Role::shown, pages_of_v8);
}

// Runtimes with a heap of their own take its pages beside malloc: both decide.
void add_native_memory(RuleTable& table) {
  const bool blocks = was_read(table.recording, GaugeKind::malloc_in_use);
  const Terms anon = anonymous_terms(table.recording);
  table.add(GaugeKind::malloc_in_use, "native memory (malloc)", {{GaugeKind::malloc_in_use, 1}},
            malloc_blocks, Role::decides, "");
  table.add(GaugeKind::anon, "anonymous memory beside malloc", beside_malloc(anon), resident,
            Role::decides, "");
  table.add(GaugeKind::anon, std::string(gauge_info(GaugeKind::anon).title), anon, resident,
            blocks ? Role::shown : Role::decides, blocks ? blocks_decide : "");
}

void add_memory(RuleTable& table) {
  const bool v8 = is_v8(table.recording);
  const bool anon = was_read(table.recording, GaugeKind::anon);
  const bool blocks = was_read(table.recording, GaugeKind::malloc_in_use);
  if (v8)
    add_v8_memory(table);
  else
    add_native_memory(table);
  table.add(GaugeKind::malloc_blocks, malloc_block_count, Role::shown, "their bytes decide");
  const std::string aside = v8 ? pages_of_v8 : "anonymous memory decides";
  table.add(GaugeKind::rss, resident, v8 || anon ? Role::shown : Role::decides, aside);
  table.add(GaugeKind::pss, resident, Role::shown, aside);
  table.add(GaugeKind::private_dirty, resident, Role::shown, aside);
  const Terms mapped = {{GaugeKind::mapped_bytes, 1}};
  table.add(GaugeKind::mapped_bytes, std::string(gauge_info(GaugeKind::mapped_bytes).title),
            blocks ? beside_malloc(mapped) : mapped, reserved,
            v8 ? Role::shown : Role::decides_when_steady, "address space need not be memory");
}

}  // namespace

double Threshold::limit(double connections) const {
  return connections > 0 ? std::max(per_connection, whole_run / connections) : whole_run;
}

bool is_v8(const Recording& recording) {
  const std::string& runtime = recording.run.runtime;
  return runtime == "node" || runtime == "deno" || was_read(recording, GaugeKind::heap_used);
}

bool was_read(const Recording& recording, GaugeKind kind) {
  return std::ranges::any_of(recording.gauges, [kind](const Gauge& gauge) {
    return gauge.kind == kind && gauge.point == Point::settled;
  });
}

std::vector<GaugeRule> gauge_rules(const Recording& recording) {
  RuleTable table{recording, {}};
  table.add(GaugeKind::fds, counted_things);
  table.add(GaugeKind::sockets_accepted, counted_things);
  table.add(GaugeKind::sockets_outgoing, counted_things);
  table.add(GaugeKind::threads, counted_things);
  table.add(GaugeKind::children, counted_things);
  add_memory(table);
  table.add(GaugeKind::mappings, is_v8(recording) ? mapping_count_v8 : mapping_count);
  for (const GaugeKind part : {GaugeKind::sockets_close_wait, GaugeKind::sockets_fin_wait2}) {
    table.add_part(part, GaugeKind::sockets_accepted, part_of_sockets);
  }
  for (const GaugeKind part :
       {GaugeKind::fd_tcp, GaugeKind::fd_udp, GaugeKind::fd_unix, GaugeKind::fd_pipe,
        GaugeKind::fd_file, GaugeKind::fd_event, GaugeKind::fd_other}) {
    table.add_part(part, GaugeKind::fds, part_of_fds);
  }
  return std::move(table.rules);
}

KindRule kind_rule(const Recording& recording, ResourceKind kind) {
  switch (kind) {
    case ResourceKind::accepted_socket:
      return {kind, "accepted sockets", counted_things, Role::decides, ""};
    case ResourceKind::outgoing_socket:
      return {kind, "outgoing sockets", counted_things, Role::decides, ""};
    case ResourceKind::fd:
      return {kind, "file descriptors", counted_things, Role::decides, ""};
    case ResourceKind::thread:
      return {kind, "threads", counted_things, Role::decides, ""};
    case ResourceKind::child:
      return {kind, "child processes", counted_things, Role::decides, ""};
    case ResourceKind::mapping:
      break;
  }
  if (!is_v8(recording)) return {kind, "mappings", mapping_count, Role::decides, ""};
  return {kind, "mappings", mapping_count_v8, Role::shown, "V8's heap grows by mappings"};
}

}  // namespace ebbtide
