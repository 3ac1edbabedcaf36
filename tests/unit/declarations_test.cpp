// Where names are declared: texts as people and compilers write them, and damaged ones.
#include "analysis/heap/declarations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "analysis/statistics.h"

namespace ebbtide {
namespace {

// The place of the n-th occurrence of `word` in `text`, counted from 1.
TextPlace place_in(const std::string& text, const std::string& word, int n = 1) {
  std::size_t at = text.find(word);
  while (--n > 0) at = text.find(word, at + 1);
  EXPECT_NE(at, std::string::npos) << word;
  const auto before = text.substr(0, at);
  const auto line_begin = before.rfind('\n') == std::string::npos ? 0 : before.rfind('\n') + 1;
  return {static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n')),
          static_cast<std::uint32_t>(1 + at - line_begin)};
}

// Asks for `name` as the code at `from` sees it.
std::optional<TextPlace> seen_from(const std::string& text, const std::string& name,
                                   const TextPlace& from) {
  const Declarations declarations(text);
  return declarations.variable(declarations.scope_around(from), name);
}

TEST(Declarations, FindsEveryKindOfDeclaration) {
  const std::string text = R"(
const a = 1, b = new Map();
let c
var d = function inner() { var hidden; }, e = [1, 2];
function f(p, { q, r: s = 1, ...t }, [u, , v] = [], ...w) { return q; }
class G extends mixin({ no: 1 }) { #x = 1; y; static z = 2; method(m) { this.w = m; } }
const { h, i: j, k = { l: 1 }, n: { o } } = f();
import One, { two, three as four } from 'x';
import * as five from "y";
const arrow = (aa, bb = () => 1) => { let cc; };
const short = dd => dd + 1;
try { } catch (error) { let inside; }
for (const each of list) { let body; }
)";
  const Declarations declarations(text);
  for (const char* name : {"a", "b", "c", "d", "e", "f", "G", "h", "j", "k", "o", "One", "two",
                           "four", "five", "arrow", "short"}) {
    EXPECT_TRUE(declarations.declares(Declarations::script_scope, name)) << name;
  }
  for (const char* name : {"hidden", "i", "l", "no", "three", "p", "q", "m", "aa", "dd", "error",
                           "each", "list", "mixin", "Map", "x", "r"}) {
    EXPECT_FALSE(declarations.declares(Declarations::script_scope, name)) << name;
  }
  for (const char* name : {"p", "q", "s", "t", "u", "v", "w"}) {
    EXPECT_TRUE(seen_from(text, name, place_in(text, "return q"))) << name;
  }
  EXPECT_FALSE(seen_from(text, "r", place_in(text, "return q")));
  EXPECT_EQ(seen_from(text, "aa", place_in(text, "cc")), place_in(text, "aa"));
  EXPECT_EQ(seen_from(text, "bb", place_in(text, "cc")), place_in(text, "bb"));
  EXPECT_EQ(seen_from(text, "error", place_in(text, "inside")), place_in(text, "error"));
  EXPECT_EQ(seen_from(text, "each", place_in(text, "body")), place_in(text, "each"));
  EXPECT_EQ(seen_from(text, "dd", place_in(text, " + 1")), place_in(text, "dd =>"));
}

TEST(Declarations, TheNearestScopeWins) {
  const std::string text = R"(const socket = 0;
function outer(socket) {
  const inner = () => { use(socket); };
  { const socket = 2; block(socket); }
}
last(socket);
)";
  EXPECT_EQ(seen_from(text, "socket", place_in(text, "use")), place_in(text, "socket", 2));
  EXPECT_EQ(seen_from(text, "socket", place_in(text, "block")), place_in(text, "socket", 4));
  EXPECT_EQ(seen_from(text, "socket", place_in(text, "last")), (TextPlace{1, 7}));
}

TEST(Declarations, AFunctionStandsInTheScopeThatMadeIt) {
  const std::string text =
      "const kept = [];\nserver.on('x', (socket) => { kept.push(socket); });\n";
  const Declarations declarations(text);
  const auto made_in = declarations.scope_around(place_in(text, "(socket)"));
  EXPECT_TRUE(declarations.runs_once(made_in));
  EXPECT_FALSE(declarations.runs_once(declarations.scope_around(place_in(text, "kept.push"))));
}

TEST(Declarations, StringsCommentsExpressionsAndTemplatesDeclareNothing) {
  const std::string text = R"JS(
// const a = 1
/* const b = 2; { */
const text = 'const c = 3 {' + "let d }" + `const e ${ (() => { const inner = `x${1}`; })() } {`;
const expression = /const f = [/{]"'`/g.test(x) ? 4 / 2 : 8 / 4;
const after = 1;
)JS";
  const Declarations declarations(text);
  for (const char* name : {"a", "b", "c", "d", "e", "f", "inner"}) {
    EXPECT_FALSE(declarations.declares(Declarations::script_scope, name)) << name;
  }
  EXPECT_EQ(seen_from(text, "after", {7, 1}), place_in(text, "after"));
}

TEST(Declarations, FieldsOfClassesAndConstructors) {
  const std::string text = R"(class Hub {
  #users = new Map();
  rooms: Map<string, Set<Socket>> = new Map();
  plain
  static count = 0;
  constructor(size) { this.history = []; if (this.history == size) this.later = 1; }
}
function Old(x) {
  this.sockets = x;
}
class Other { constructor() { this.history = 1; } }
)";
  const Declarations declarations(text);
  const TextPlace hub = place_in(text, "(size)");
  EXPECT_EQ(declarations.field(hub, "#users"), place_in(text, "#users"));
  EXPECT_EQ(declarations.field(hub, "rooms"), place_in(text, "rooms"));
  EXPECT_EQ(declarations.field(hub, "count"), place_in(text, "count"));
  EXPECT_EQ(declarations.field(hub, "history"), place_in(text, "history"));
  EXPECT_EQ(declarations.field(place_in(text, "class Hub"), "history"), place_in(text, "history"));
  EXPECT_EQ(declarations.field(place_in(text, "(x)"), "sockets"), place_in(text, "sockets"));
  EXPECT_FALSE(declarations.field(hub, "sockets"));
  EXPECT_EQ(declarations.field(place_in(text, "() { this.history = 1"), "history"),
            place_in(text, "history = 1"));
}

TEST(Declarations, GlobalsAndTheMap) {
  const std::string text =
      "globalThis.sessions || 1;\nglobal.sessions = [];\nif (global.other == 1) {}\n"
      "//# sourceMappingURL=first.map\n//# sourceMappingURL=index.js.map\n";
  const Declarations declarations(text);
  EXPECT_EQ(declarations.global("sessions"), place_in(text, "sessions = "));
  EXPECT_FALSE(declarations.global("other"));
  EXPECT_EQ(declarations.source_map_url(), "index.js.map");
}

TEST(Declarations, ExportsOfACommonJsModule) {
  const std::string text =
      "exports.rooms = void 0;\nexports.rooms = new Map();\nmodule.exports.other = 1;\n";
  const Declarations declarations(text);
  EXPECT_EQ(declarations.exported("rooms"), place_in(text, "rooms", 2));
  EXPECT_EQ(declarations.exported("other"), place_in(text, "other"));
  EXPECT_FALSE(declarations.exported("room"));
}

TEST(Declarations, MinifiedAndTyped) {
  const std::string minified =
      "var a=function(){var q=1;return q},b=new Map,c=e=>e+1,d=class{constructor(){this.f=1}};"
      "function g(h,i){return()=>h+i}";
  const Declarations declarations(minified);
  for (const char* name : {"a", "b", "c", "d", "g"}) {
    EXPECT_TRUE(declarations.declares(Declarations::script_scope, name)) << name;
  }
  EXPECT_FALSE(declarations.declares(Declarations::script_scope, "q"));
  EXPECT_EQ(seen_from(minified, "h", place_in(minified, "h+i")), place_in(minified, "h,i"));

  const std::string typed =
      "function make(name: string, sizes: Map<string, number>): Array<Set<string>> {\n"
      "  const local = 1;\n  return local;\n}\n";
  EXPECT_EQ(seen_from(typed, "sizes", place_in(typed, "return")), place_in(typed, "sizes"));
  EXPECT_EQ(seen_from(typed, "local", place_in(typed, "return")), place_in(typed, "local"));
  EXPECT_FALSE(seen_from(typed, "local", {5, 1}));
}

TEST(Declarations, CountsColumnsAsV8Does) {
  const std::string text = "const text = 'ä😀', after = 1;\n";
  const Declarations declarations(text);
  EXPECT_EQ(declarations.variable(0, "after"), (TextPlace{1, 21}));
  EXPECT_EQ(declarations.scope_around({1, 21}), Declarations::script_scope);
}

TEST(Declarations, DamageDoesNoHarm) {
  std::ifstream file(std::filesystem::path(SOURCE_DIR) /
                     "tests/packages/node_modules/ws/lib/websocket.js");
  std::stringstream content;
  content << file.rdbuf();
  const std::string whole = content.str();
  ASSERT_GT(whole.size(), 10000u);
  SplitMix64 random(3);
  const std::string marks = "{}()[]`'\"/\\\n$#=>.,;:\xff";
  for (int round = 0; round < 300; ++round) {
    std::string text = whole.substr(random.below(whole.size()), random.below(4000));
    for (int i = 0; i < 20 && !text.empty(); ++i) {
      text[random.below(text.size())] = marks[random.below(marks.size())];
    }
    const Declarations declarations(text);
    const TextPlace place{static_cast<std::uint32_t>(random.below(100)),
                          static_cast<std::uint32_t>(random.below(100))};
    const auto scope = declarations.scope_around(place);
    EXPECT_LT(scope, text.size() + 1);
    if (const auto found = declarations.variable(scope, "socket")) {
      EXPECT_GT(found->line, 0u);
    }
    if (const auto found = declarations.field(place, "_socket")) {
      EXPECT_GT(found->line, 0u);
    }
  }
  // Nothing here may cost more than the length of the text.
  for (const char* piece : {"(", "{", "[", "`${", "a=>", "class a{", "function(", "const {", "/"}) {
    std::string text;
    while (text.size() < 500000) text += piece;
    const Declarations declarations(text);
    EXPECT_FALSE(declarations.variable(declarations.scope_around({1, 400000}), "nothing"));
  }
}

}  // namespace
}  // namespace ebbtide
