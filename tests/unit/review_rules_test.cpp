// What is said of small servers, how it is told, and what hostile sources cannot do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "analysis/report/review_json.h"
#include "analysis/report/review_sarif.h"
#include "analysis/report/review_section.h"
#include "analysis/report/review_text.h"
#include "review_source.h"

namespace ebbtide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(ReviewRules, AnEntryThatNothingRemovesIsFoundWithItsFix) {
  const Review review = review_of(ws_server("  clients.set(ws, req.url);"));
  ASSERT_THAT(findings_of(review), ElementsAre("LC001:4"));
  EXPECT_EQ(review.findings.front().owner.name, "clients");
  EXPECT_EQ(review.findings.front().owner.type, "Map");
  EXPECT_EQ(review.findings.front().fix, "ws.on('close', () => clients.delete(ws));");
}

TEST(ReviewRules, WhatTheEndRemovesIsAPassWithItsLines) {
  const Review review =
      review_of(ws_server("  clients.set(ws, 1); ws.on('close', () => clients.delete(ws));"));
  EXPECT_THAT(findings_of(review), IsEmpty());
  const auto found = std::find_if(review.checks.begin(), review.checks.end(),
                                  [](const ReviewCheck& c) { return c.rule == "LC001"; });
  ASSERT_NE(found, review.checks.end());
  EXPECT_EQ(found->outcome, CheckOutcome::pass);
  EXPECT_EQ(found->evidence.size(), 2u);
}

TEST(ReviewRules, AReleaseThatAsksHowItEndedIsConditional) {
  const Review review =
      review_of(ws_server("  clients.set(ws, 1); ws.on('close', (code) => { if (code === 1000) "
                          "clients.delete(ws); });"));
  ASSERT_THAT(findings_of(review), ElementsAre("LC007:4"));
  EXPECT_THAT(review.findings.front().condition, HasSubstr("code === 1000"));
}

TEST(ReviewRules, RepeatsOfOneOwnerAreOneFinding) {
  const Review review = review_of(ws_server("  clients.set(ws, 1);\n  clients.set(ws, 2);"));
  ASSERT_THAT(findings_of(review), ElementsAre("LC001:4"));
  EXPECT_EQ(review.findings.front().repeats.size(), 1u);
}

TEST(ReviewRules, AMarkedFindingIsSuppressedWithItsReason) {
  const Review review =
      review_of(ws_server("  clients.set(ws, 1);  // ebbtide-ignore LC001 the supervisor does it"));
  EXPECT_THAT(findings_of(review), IsEmpty());
  ASSERT_EQ(review.suppressed.size(), 1u);
  EXPECT_EQ(review.suppressed.front().reason, "the supervisor does it");
  const Review other = review_of(ws_server("  clients.set(ws, 1);  // ebbtide-ignore LC005 no"));
  EXPECT_THAT(findings_of(other), ElementsAre("LC001:4"));
}

TEST(ReviewRules, TheOrderOfFilesDoesNotMatter) {
  const SourceFile server{
      "server.js",
      "const { hub } = require('./hub');\n"
      "const { WebSocketServer } = require('ws');\n"
      "new WebSocketServer({ port: 1 }).on('connection', (ws) => hub.add(ws));"};
  const SourceFile hub{"hub.js",
                       "const all = new Set();\nexports.hub = { add(ws) { all.add(ws); } };"};
  const Review one = review_files({server, hub}), two = review_files({hub, server});
  EXPECT_EQ(review_json(one), review_json(two));
  EXPECT_THAT(findings_of(one), Contains("LC001:2"));
}

TEST(ReviewOutput, WhatASourceSaysCannotActInMarkdownOrTheTerminal) {
  const Review review = review_files(
      {{"a\x1b[31m|<img>.js", ws_server("  clients.set(ws, '\x1b]0;x\x07 <script> `']');")}});
  ASSERT_FALSE(review.findings.empty());
  for (const std::string& text : {review_text(review), review_section(review)}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\n<img>")));
  }
}

TEST(ReviewOutput, SarifHasRulesResultsAndFingerprints) {
  const auto sarif =
      nlohmann::json::parse(review_sarif(review_of(ws_server("  clients.set(ws, 1);")), "0"));
  const auto& run = sarif.at("runs").at(0);
  EXPECT_EQ(sarif.at("version"), "2.1.0");
  EXPECT_EQ(run.at("tool").at("driver").at("rules").size(), review_rules().size());
  const auto& result = run.at("results").at(0);
  EXPECT_EQ(result.at("ruleId"), "LC001");
  EXPECT_EQ(result.at("locations").at(0).at("physicalLocation").at("region").at("startLine"), 4);
  EXPECT_FALSE(result.at("partialFingerprints").at("ebbtide/v1").get<std::string>().empty());
}

TEST(ReviewOutput, AFingerprintSurvivesEditsElsewhereInTheFile) {
  const std::string text = ws_server("  clients.set(ws, 1);");
  EXPECT_EQ(review_of(text).findings.front().fingerprint,
            review_of("// a line more\n" + text).findings.front().fingerprint);
}

TEST(ReviewBadInput, DeepNestingAndBrokenBytesAreSurvived) {
  std::string deep = "const { WebSocketServer } = require('ws');\nx = ";
  for (int i = 0; i < 20000; i++) deep += "(a => [";
  EXPECT_NO_FATAL_FAILURE((void)review_of(deep));
  std::string blocks = "require('ws');";
  for (int i = 0; i < 20000; i++) blocks += "{ let x" + std::to_string(i % 7) + ";";
  EXPECT_NO_FATAL_FAILURE((void)review_of(blocks));
  const Review review = review_of("\xff\xfe require('ws') \xc3\x28 ;\n");
  (void)review_json(review);
  EXPECT_THAT(findings_of(review_of("")), IsEmpty());
}

// Mutations of a real server: bytes, lines and pieces lost, doubled and moved.
TEST(ReviewBadInput, MutatedSourcesNeitherCrashNorHang) {
  const std::string seed = ws_server(
      "  let timer; const rec = { ws, rooms: new Set() };\n"
      "  clients.set(ws, rec); ws.on('message', async (m) => { const j = JSON.parse(m);\n"
      "    await load(j); for (const r of rec.rooms) rooms.get(r)?.add(ws); clearInterval(timer);\n"
      "    timer = setInterval(() => ws.send(`${j}`), 5); });\n"
      "  ws.on('close', () => { clients.delete(ws); clearInterval(timer); });");
  std::mt19937 random(20240601);
  for (int round = 0; round < 300; round++) {
    std::string text = seed;
    for (int edits = 0; edits < 4; edits++) {
      const std::size_t at = random() % text.size(), length = random() % 40;
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(random() % text.size(), text.substr(at, length));
          break;
        default:
          text.insert(at, "({[`${");
      }
      if (text.empty()) text = seed;
    }
    const Review review = review_of(text, round % 2 == 0 ? "a.js" : "a.tsx");
    (void)review_section(review);
    (void)review_sarif(review, "0");
  }
}

}  // namespace
}  // namespace ebbtide
