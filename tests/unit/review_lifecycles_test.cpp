// Lives of connections as programs really write them: what is given back by a way round, what only
// looks as if, and under which configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "review_source.h"

namespace ebbtide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> leaks_in(const std::vector<SourceFile>& files) {
  std::vector<std::string> all;
  for (const std::string& finding : findings_of(review_files(files))) {
    if (finding.starts_with("LC")) all.push_back(finding);
  }
  return all;
}

TEST(ReviewLifecycles, AMethodNamedAddIsNoCollection) {
  const std::string hub =
      "class Hub {\n"
      "  all = new Set();\n"
      "  add(ws) { if (this.all.size < 9) this.all.add(ws); }\n"
      "  remove(ws) { this.all.delete(ws); }\n"
      "}\n"
      "const hub = new Hub();\n";
  EXPECT_THAT(leaks_in({{"a.js", hub + ws_server("  hub.add(ws);\n"
                                                 "  ws.on('close', () => hub.remove(ws));")}}),
              IsEmpty());
  EXPECT_THAT(leaks_in({{"a.js", hub + ws_server("  hub.add(ws);")}}), ElementsAre("LC001:3"));
}

TEST(ReviewLifecycles, WhatAPackageMadeMayForgetByItself) {
  const std::string cache =
      "const LRU = require('lru-cache');\nconst cache = new LRU({ max: 9 });\n";
  const Review review = review_of(cache + ws_server("  cache.set(req.url, ws);"));
  EXPECT_THAT(findings_of(review), IsEmpty());
  EXPECT_THAT(review.checks,
              Contains(testing::Field(&ReviewCheck::outcome, CheckOutcome::not_checkable)));
}

TEST(ReviewLifecycles, OneEndBringsAnother) {
  const std::string upstream =
      "const net = require('net'), fs = require('fs');\n" +
      ws_server(
          "  const log = fs.createWriteStream('log'), up = net.connect(1);\n"
          "  up.on('error', () => ws.close());\n"
          "  up.on('close', () => log.end());\n"
          "  ws.on('close', () => up.END());");
  auto with = [&](const std::string& end) {
    std::string text = upstream;
    text.replace(text.find("END"), 3, end);
    return leaks_in({{"a.js", text}});
  };
  EXPECT_THAT(with("destroy"), IsEmpty());
  EXPECT_THAT(with("resume"), Contains(HasSubstr("LC006")));
}

TEST(ReviewLifecycles, ARaisedEventRunsItsListeners) {
  const std::string text =
      "const { EventEmitter } = require('events');\nconst bus = new EventEmitter();\n"
      "bus.on('left', (ws) => clients.delete(ws));\n" +
      ws_server("  clients.set(ws, 1);\n  ws.on('close', () => bus.emit('EVENT', ws));");
  const auto with = [&](const std::string& event) {
    std::string changed = text;
    changed.replace(changed.find("EVENT"), 5, event);
    return leaks_in({{"a.js", changed}});
  };
  EXPECT_THAT(with("left"), IsEmpty());
  EXPECT_THAT(with("gone"), Contains(HasSubstr("LC001")));
}

TEST(ReviewLifecycles, ATimerOfTheConnectionIsNotItsEnd) {
  EXPECT_THAT(leaks_in({{"a.js", ws_server("  clients.set(ws, 1);\n"
                                           "  const look = () => { if (Date.now() > ws.seen + 9) "
                                           "return clients.delete(ws);\n"
                                           "    setTimeout(look, 9); };\n  look();")}}),
              Contains("LC014:4"));
}

TEST(ReviewLifecycles, UsingGivesBackHoweverTheScopeIsLeft) {
  const std::string text =
      "class Seat {\n  constructor(ws) { clients.set(ws, this); this.ws = ws; }\n"
      "  [Symbol.dispose]() { clients.delete(this.ws); }\n}\n" +
      ws_server("  serve(ws);") +
      "async function serve(ws) {\n  KEYWORD seat = new Seat(ws);\n"
      "  for await (const m of stream(ws)) seat.take(m);\n}\n"
      "function stream(ws) { return ws.stream; }\n";
  const auto with = [&](const std::string& keyword) {
    std::string changed = text;
    changed.replace(changed.find("KEYWORD"), 7, keyword);
    const Review review = review_of(changed);
    EXPECT_THAT(review.unread, IsEmpty());
    return findings_of(review);
  };
  EXPECT_THAT(with("using"), IsEmpty());
  EXPECT_THAT(with("await using"), IsEmpty());
  EXPECT_THAT(with("const"), Contains(HasSubstr("LC001")));
}

TEST(ReviewLifecycles, ArgumentsAndApplyPassConnectionsOn) {
  const std::string text = "function keep(ws) { clients.set(ws, 1); }\n" + ws_server("  BODY");
  const auto with = [&](const std::string& body) {
    std::string changed = text;
    changed.replace(changed.find("BODY"), 4, body);
    return leaks_in({{"a.js", changed}});
  };
  EXPECT_THAT(with("keep.call(null, ws);"), ElementsAre("LC001:1"));
  EXPECT_THAT(with("keep.apply(null, [ws]);"), ElementsAre("LC001:1"));
  EXPECT_THAT(leaks_in({{"a.js",
                         "const { Server } = require('ws');\nconst all = new Set();\n"
                         "new Server({ port: 1 }).on('connection', function (ws) {\n"
                         "  ws.on('error', () => {});\n  all.add(arguments[0]);\n});\n"}}),
              ElementsAre("LC001:5"));
}

TEST(ReviewLifecycles, AFieldTakenForAnotherRemovesNothing) {
  const std::string text = ws_server(
      "  ws.id = req.url; ws.user = req.headers.user;\n  clients.set(ws.id, ws);\n"
      "  ws.on('close', () => clients.delete(ws.KEY));");
  const auto with = [&](const std::string& key) {
    std::string changed = text;
    changed.replace(changed.find("KEY"), 3, key);
    return leaks_in({{"a.js", changed}});
  };
  EXPECT_THAT(with("name"), Contains("LC002:5"));
  EXPECT_THAT(with("id"), Not(Contains("LC002:5")));
}

TEST(ReviewLifecycles, WhatDropsTheEmptyRemovesNobody) {
  const std::string text =
      "const rooms = new Map();\n" +
      ws_server(
          "  if (!rooms.has(req.url)) rooms.set(req.url, new Set());\n"
          "  const room = rooms.get(req.url);\n  room.add(ws);\n"
          "  ws.on('close', () => { ACT if (room.size === 0) rooms.delete(req.url); });");
  const auto with = [&](const std::string& act) {
    std::string changed = text;
    changed.replace(changed.find("ACT"), 3, act);
    return leaks_in({{"a.js", changed}});
  };
  EXPECT_THAT(with("room.delete(ws);"), IsEmpty());
  EXPECT_THAT(with(""), Contains(HasSubstr("LC001")));
}

TEST(ReviewLifecycles, EachLibraryHasItsOwnEnds) {
  // 'end' is no sure end of a net socket, whatever other servers the program has.
  const std::string text =
      "const net = require('net');\nconst { WebSocketServer } = require('ws');\n"
      "const peers = new Set();\n"
      "new WebSocketServer({ port: 1 }).on('connection', (ws) => { ws.on('error', () => {});\n"
      "  ws.on('close', () => {}); });\n"
      "net.createServer((socket) => {\n  socket.on('error', () => {});\n  peers.add(socket);\n"
      "  socket.on('end', () => peers.delete(socket));\n}).listen(2);\n";
  EXPECT_THAT(leaks_in({{"a.js", text}}), ElementsAre("LC017:8"));
}

TEST(ReviewLifecycles, TheConfigurationIsTold) {
  const auto condition_of = [](const std::string& before, const std::string& body) {
    const Review review = review_of(before + ws_server(body));
    return review.findings.empty() ? "nothing found" : review.findings.front().condition;
  };
  EXPECT_EQ(condition_of("", "  if (process.env.METRICS_URL) clients.set(ws, 1);"),
            "METRICS_URL is set");
  EXPECT_EQ(condition_of("const KEY = process.env.ARCJET_KEY;\n",
                         "  if (!KEY) return ws.close();\n  clients.set(ws, 1);"),
            "KEY is set");
  EXPECT_EQ(condition_of("const LIMIT = 9;\n", "  if (LIMIT > 3) clients.set(ws, 1);"),
            "LIMIT > 3");
  EXPECT_EQ(condition_of("", "  if (req.url) clients.set(ws, 1);"), "");
  EXPECT_EQ(condition_of("", "  clients.set(ws, 1);"), "");
}

TEST(ReviewLifecycles, TextOfTheServersOwnIsNoMessage) {
  const auto parses = [](const std::string& body) {
    return findings_of(review_of(ws_server(body)));
  };
  EXPECT_THAT(parses("  ws.on('message', (m) => use(JSON.parse(m)));"), Contains("RB005:4"));
  EXPECT_THAT(parses("  ws.on('message', () => store.get(1).then((v) => use(JSON.parse(v))));"),
              Not(Contains(HasSubstr("RB005"))));
  EXPECT_THAT(parses("  ws.on('message', (m) => use(JSON.parse(JSON.stringify({ m }))));"),
              Not(Contains(HasSubstr("RB005"))));
}

TEST(ReviewLifecycles, ASecondVarIsTheFirstOne) {
  EXPECT_THAT(
      leaks_in({{"a.js", "const fs = require('fs');\n" +
                             ws_server("  if (req.url) { var log = fs.createWriteStream('l'); "
                                       "}\n  else { var log = null; }\n"
                                       "  ws.on('close', () => { if (log) log.end(); });")}}),
      IsEmpty());
}

}  // namespace
}  // namespace ebbtide
