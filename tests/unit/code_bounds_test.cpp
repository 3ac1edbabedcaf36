// A cache that the source keeps below a size grows like a leak until it is full.
#include "analysis/causes/code_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/review/review.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// `body` runs for each connection, from line 4 on.
SourceFile server(const std::string& body) {
  return {.path = "server.js",
          .text =
              "const { WebSocketServer } = require('ws');\nconst kept = new Map();\n"
              "new WebSocketServer({ port: 1 }).on('connection', (ws) => {\n" +
              body + "\n});\n",
          .location = "/srv/server.js"};
}

// The variable `kept` of line 2 keeps 300 bytes of every connection.
struct KeptRun {
  explicit KeptRun(const std::string& body) {
    recording.source_files = {server(body)};
    recording.heap_paths = {
        {1, 0, "main", PathStep::root, "", "(JavaScript roots)", {}},
        {2, 1, "main", PathStep::variable, "kept", "Map", {"/srv/server.js", 2, 7, ""}}};
    heap.causes = {{.path_id = 2,
                    .path = "server.js:2 kept (Map)",
                    .user_code = true,
                    .objects_per_connection = 1,
                    .retained_per_connection = 300}};
    assessment.verdict = Verdict::leak;
    assessment.connections = 1000;
    assessment.judgements = {{.gauge = GaugeKind::heap_used,
                              .verdict = Verdict::leak,
                              .decisive = true,
                              .per_connection = 320}};
    const Review review = review_files(recording.source_files);
    mark_bounded(recording, review, heap);
    weigh_bounds(heap, assessment);
  }

  Recording recording;
  HeapFindings heap;
  Assessment assessment;
};

TEST(CodeBounds, ACacheThatIsNotFullYetIsNoLeak) {
  const KeptRun run(
      "  kept.set(Math.random(), {});\n"
      "  if (kept.size > 5000) kept.delete(kept.keys().next().value);");
  EXPECT_TRUE(run.heap.causes.front().bounded);
  EXPECT_EQ(run.assessment.verdict, Verdict::saturating);
  EXPECT_THAT(run.assessment.sentence, HasSubstr("server.js:5 (kept.size > 5000)"));
  EXPECT_EQ(run.assessment.judgements.front().verdict, Verdict::saturating);
}

TEST(CodeBounds, ARingByLengthToo) {
  const KeptRun run("  while (kept.length >= limit) kept.shift();\n  kept.push(ws);");
  EXPECT_EQ(run.assessment.verdict, Verdict::saturating);
}

TEST(CodeBounds, WithoutABoundItStaysALeak) {
  for (const char* body :
       {"  kept.set(Math.random(), {});",
        "  kept.set(ws, {});\n  if (kept.size > 0) kept.delete(1);",      // asks for any
        "  kept.set(ws, {});\n  if (other.size > 5000) kept.delete(1);",  // of another
        "  kept.set(ws, {});\n  if (kept.size > 5000) console.log('many');"}) {
    EXPECT_EQ(KeptRun(body).assessment.verdict, Verdict::leak) << body;
  }
}

TEST(CodeBounds, WhatElseGrowsIsNotExcused) {
  KeptRun run("  kept.set(ws, {});");
  run.heap.causes.front().bounded = true;
  run.heap.causes.front().bounded_by = "server.js:5";
  Assessment fds = run.assessment;
  fds.judgements.push_back({.gauge = GaugeKind::fds, .verdict = Verdict::leak, .decisive = true});
  weigh_bounds(run.heap, fds);
  EXPECT_EQ(fds.verdict, Verdict::leak);

  Assessment more = run.assessment;
  more.judgements.front().per_connection = 3000;  // ten times what the cache accounts for
  weigh_bounds(run.heap, more);
  EXPECT_EQ(more.verdict, Verdict::leak);

  run.heap.causes.push_back({.path = "other", .user_code = true, .objects_per_connection = 1});
  weigh_bounds(run.heap, run.assessment);
  EXPECT_EQ(run.assessment.verdict, Verdict::leak);
}

}  // namespace
}  // namespace ebbtide
