// What a review says beside its findings: the answer of every rule, what kind of thing is kept, and
// when it was taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include <algorithm>

#include "review_source.h"

namespace ebbtide {
namespace {

using testing::ElementsAre;

const ReviewCheck& first_answer(const Review& review, std::string_view rule) {
  return *std::find_if(review.checks.begin(), review.checks.end(),
                       [&](const ReviewCheck& check) { return check.rule == rule; });
}

std::vector<std::string> rules_answered(const Review& review) {
  std::vector<std::string> ids;
  for (const ReviewCheck& check : review.checks) ids.push_back(check.rule);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<std::string> all_rules() {
  std::vector<std::string> ids;
  for (const ReviewRule& rule : review_rules()) ids.push_back(rule.id);
  return ids;
}

TEST(ReviewAnswers, EveryRuleAnswersOfAnyServer) {
  const Review review = review_of(ws_server("  clients.set(ws, 1);"));
  EXPECT_EQ(rules_answered(review), all_rules());
  EXPECT_EQ(first_answer(review, "LC001").outcome, CheckOutcome::finding);
  EXPECT_EQ(first_answer(review, "LC001").evidence.front().spot.range.line, 4u);
  EXPECT_EQ(first_answer(review, "LC005").outcome, CheckOutcome::pass);
}

TEST(ReviewAnswers, WithoutAServerNothingIsInOrder) {
  const Review review = review_of("export const sum = (a, b) => a + b;");
  EXPECT_EQ(rules_answered(review), all_rules());
  for (const ReviewCheck& check : review.checks)
    EXPECT_EQ(check.outcome, CheckOutcome::not_checkable) << check.rule;
}

TEST(ReviewAnswers, WhatIsIgnoredByItsAuthorIsNoPass) {
  const Review review = review_of(ws_server("  clients.set(ws, 1);  // ebbtide-ignore LC001 so"));
  EXPECT_EQ(first_answer(review, "LC001").outcome, CheckOutcome::finding);
}

struct Taken {
  std::string body;
  std::string rule;
  ReviewResource resource;
  ReviewMoments runs;
};

std::ostream& operator<<(std::ostream& out, const Taken& taken) { return out << taken.body; }

class ReviewTaken : public testing::TestWithParam<Taken> {};

TEST_P(ReviewTaken, SaysWhatAndWhen) {
  const Taken& taken = GetParam();
  const Review review = review_of(
      "const { spawn } = require('child_process');\n"
      "const { EventEmitter } = require('events');\n"
      "const bus = new EventEmitter();\n" +
      ws_server(taken.body));
  ASSERT_EQ(review.findings.size(), 1u);
  EXPECT_EQ(review.findings.front().rule, taken.rule);
  EXPECT_EQ(review.findings.front().resource, taken.resource);
  EXPECT_EQ(review.findings.front().runs, taken.runs);
}

INSTANTIATE_TEST_SUITE_P(
    Findings, ReviewTaken,
    testing::Values(Taken{"clients.set(ws, 1);", "LC001", ReviewResource::entry,
                          review_moment::on_open},
                    Taken{"ws.on('message', () => clients.set(ws, 1));", "LC001",
                          ReviewResource::entry, review_moment::on_message},
                    Taken{"setInterval(() => ws.send('tick'), 9);", "LC005", ReviewResource::timer,
                          review_moment::on_open},
                    Taken{"bus.on('goal', (goal) => ws.send(goal));", "LC004",
                          ReviewResource::listener, review_moment::on_open},
                    Taken{"ws.on('message', () => spawn('tail', ['-f', 'log']));", "LC006",
                          ReviewResource::process, review_moment::on_message},
                    Taken{"ws.removeAllListeners();", "LC009", ReviewResource::connection,
                          review_moment::on_open}));

TEST(ReviewTakenByARequest, IsNotTakenByAConnection) {
  const Review review = review_of(
      "const bus = require('./bus');\n"
      "require('http').createServer((request, response) => {\n"
      "  setInterval(() => response.write('tick'), 100);\n"
      "}).listen(1);");
  ASSERT_THAT(findings_of(review), ElementsAre("LC005:3"));
  EXPECT_EQ(review.findings.front().runs, review_moment::on_request);
}

}  // namespace
}  // namespace ebbtide
