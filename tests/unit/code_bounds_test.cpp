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
    assessment.cycles = 1;
    recording.cycles = {{.number = 1, .dose = 1000, .established = 1000}};
    recording.end.reason = EndReason::completed;
    assessment.judgements = {{.gauge = GaugeKind::heap_used,
                              .verdict = Verdict::leak,
                              .decisive = true,
                              .per_connection = 320}};
    const Review review = review_files(recording.source_files);
    mark_bounded(recording, review, heap);
    weigh_bounds(recording, heap, assessment);
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

TEST(CodeBounds, CachesOfPackagesThatHaveALimit) {
  const auto bounds = [](const std::string& made) {
    const Review review =
        review_files({{.path = "server.js",
                       .text = "const { WebSocketServer } = require('ws');\n" + made +
                               "\nnew WebSocketServer({ port: 1 })"
                               ".on('connection', (ws) => kept.set(ws, 1));\n"}});
    std::vector<std::string> conditions;
    for (const SizeBound& bound : review.bounds)
      conditions.push_back(bound.owner.name + " " + bound.condition);
    return conditions;
  };
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(bounds("const { LRUCache } = require('lru-cache');\n"
                     "const kept = new LRUCache({ max: 500 });"),
              ElementsAre("kept { max: 500 }"));
  EXPECT_THAT(bounds("import { LRUCache } from 'lru-cache';\nconst options = { maxSize: 1e6 };\n"
                     "const kept = new LRUCache(options);"),
              ElementsAre("kept options"));
  EXPECT_THAT(bounds("const LRU = require('lru-cache');\nconst kept = new LRU(500);"),
              ElementsAre("kept 500"));
  EXPECT_THAT(
      bounds("import QuickLRU from 'quick-lru';\n"
             "class Hub { cache = new QuickLRU({ maxSize: 100 }); }\nconst kept = new Hub();"),
      ElementsAre("cache { maxSize: 100 }"));
  EXPECT_THAT(bounds("const { LRUCache } = require('lru-cache');\n"
                     "const kept = new LRUCache({ ttl: 1000 });"),
              IsEmpty());
  EXPECT_THAT(bounds("const kept = new LRUCache({ max: 500 });"), IsEmpty()) << "of no package";
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

TEST(CodeBounds, WhatIsNotSureToBeALeakIsNoneEither) {
  KeptRun run(
      "  kept.set(ws, {});\n  if (kept.size > 5000) kept.delete(kept.keys().next().value);");
  Assessment assessment = run.assessment;
  assessment.verdict = Verdict::inconclusive;
  Judgement& judgement = assessment.judgements.front();
  judgement.verdict = Verdict::inconclusive;
  judgement.limit = 400;
  judgement.interval = {100, 650};
  Assessment unsure = assessment;
  weigh_bounds(run.recording, run.heap, unsure);
  EXPECT_EQ(unsure.verdict, Verdict::saturating);

  judgement.interval.high = 2000;  // more than the cache may have grown
  weigh_bounds(run.recording, run.heap, assessment);
  EXPECT_EQ(assessment.verdict, Verdict::inconclusive);
}

TEST(CodeBounds, WhatElseGrowsIsNotExcused) {
  KeptRun run("  kept.set(ws, {});");
  run.heap.causes.front().bounded = true;
  run.heap.causes.front().bounded_by = "server.js:5";
  Assessment fds = run.assessment;
  fds.judgements.push_back({.gauge = GaugeKind::fds, .verdict = Verdict::leak, .decisive = true});
  weigh_bounds(run.recording, run.heap, fds);
  EXPECT_EQ(fds.verdict, Verdict::leak);

  Assessment more = run.assessment;
  more.judgements.front().per_connection = 3000;  // ten times what the cache accounts for
  weigh_bounds(run.recording, run.heap, more);
  EXPECT_EQ(more.verdict, Verdict::leak);

  run.heap.causes.push_back({.path = "other", .user_code = true, .objects_per_connection = 1});
  weigh_bounds(run.recording, run.heap, run.assessment);
  EXPECT_EQ(run.assessment.verdict, Verdict::leak);
}

}  // namespace
}  // namespace ebbtide
