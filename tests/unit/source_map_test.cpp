// Source maps as compilers write them, and whatever a damaged or hostile one may hold.
#include "analysis/heap/source_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/statistics.h"
#include "tests/unit/node_program.h"

namespace ebbtide {
namespace {

CodePosition at(const std::string& script, std::uint32_t line, std::uint32_t column) {
  return {script, line, column, ""};
}

TEST(SourceMap, ReadsMappings) {
  // 1:1 → a.ts 1:1; 1:10 → a.ts 2:5; line 2 without any; 3:1 → b.ts 1:1; 3:5 → nowhere.
  const auto map = SourceMap::parse(
      R"({"version":3,"sourceRoot":"src","sources":["a.ts","b.ts"],"names":[],
          "sourcesContent":["one\n  two",null],"mappings":"AAAA,SACI;;ACDJ,I"})");
  ASSERT_TRUE(map) << map.error().message();
  EXPECT_EQ(map->original(1, 1), at("src/a.ts", 1, 1));
  EXPECT_EQ(map->original(1, 9), at("src/a.ts", 1, 1));
  EXPECT_EQ(map->original(1, 10), at("src/a.ts", 2, 5));
  EXPECT_EQ(map->original(1, 4000), at("src/a.ts", 2, 5));
  EXPECT_FALSE(map->original(2, 1));
  EXPECT_EQ(map->original(3, 2), at("src/b.ts", 1, 1));
  EXPECT_FALSE(map->original(3, 5));
  EXPECT_FALSE(map->original(4, 1));
  EXPECT_FALSE(map->original(0, 0));
  EXPECT_EQ(map->source_of("src/a.ts"), "one\n  two");
  EXPECT_EQ(map->source_of("src/b.ts"), "");
  EXPECT_EQ(map->source_of("src/c.ts"), "");
  EXPECT_THAT(map->sources(), testing::ElementsAre("src/a.ts", "src/b.ts"));
}

TEST(SourceMap, ReadsSections) {
  const auto map = SourceMap::parse(R"({"version":3,"sections":[
      {"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a.js"],"mappings":"AAAA"}},
      {"offset":{"line":2,"column":10},"map":{"version":3,"sources":["b.js"],
       "mappings":"AACA;AACA"}}]})");
  ASSERT_TRUE(map) << map.error().message();
  EXPECT_EQ(map->original(1, 5), at("a.js", 1, 1));
  EXPECT_FALSE(map->original(3, 10));
  EXPECT_EQ(map->original(3, 11), at("b.js", 2, 1));
  EXPECT_EQ(map->original(4, 1), at("b.js", 3, 1));
}

TEST(SourceMap, RefusesWhatIsNone) {
  for (const char* text :
       {"", "{", "[]", "null", R"({"version":2,"sources":[],"mappings":""})",
        R"({"version":3,"sources":[]})", R"({"version":3,"sources":{},"mappings":""})",
        R"({"version":3,"sources":[],"mappings":"AAAA"})",
        R"({"version":3,"sources":["a"],"mappings":"A?AA"})",
        R"({"version":3,"sources":["a"],"mappings":"AA"})",
        R"({"version":3,"sources":["a"],"mappings":"AAAAAA"})",
        R"({"version":3,"sources":["a"],"mappings":"D"})",
        R"({"version":3,"sources":["a"],"mappings":"ggggggggggggggA"})",
        R"({"version":3,"sections":[{"offset":{"line":-1,"column":0},"map":{}}]})",
        R"({"version":3,"sections":[{"offset":{"line":0,"column":0},
            "map":{"version":3,"sections":[]}}]})"}) {
    EXPECT_FALSE(SourceMap::parse(text)) << text;
  }
  std::string deep;
  for (int i = 0; i < 200000; ++i) deep += "[";
  EXPECT_FALSE(SourceMap::parse(deep));
  EXPECT_FALSE(SourceMap::parse(R"({"version":3,"sources":[],"mappings":"","x":)" + deep));
}

// What the TypeScript compiler writes leads back to where the words stand.
TEST(SourceMap, LeadsFromCompiledTypeScriptToItsSource) {
  const TypeScriptProgram program(
      "interface Options { size: number }\n"
      "\n"
      "export class Hub {\n"
      "  readonly users: Map<string, Options> = new Map();\n"
      "  add(name: string, options: Options): void { this.users.set(name, options); }\n"
      "}\n"
      "const matchSubscribers: Map<number, Set<object>> = new Map();\n"
      "export function subscribe(id: number) { return matchSubscribers.get(id); }\n");
  const auto map = SourceMap::parse(program.map());
  ASSERT_TRUE(map) << map.error().message();
  const auto line_of = [](const std::string& text, std::size_t offset) {
    return static_cast<std::uint32_t>(1 + std::count(text.begin(), text.begin() + offset, '\n'));
  };
  const std::string compiled = program.compiled();
  const auto found = compiled.find("matchSubscribers = new Map");
  ASSERT_NE(found, std::string::npos);
  const auto column = static_cast<std::uint32_t>(found - compiled.rfind('\n', found));
  const auto original = map->original(line_of(compiled, found), column);
  ASSERT_TRUE(original);
  EXPECT_EQ(original->line, 7u);
  EXPECT_EQ(original->column, 7u);
  EXPECT_THAT(original->script, testing::EndsWith("program.ts"));
}

TEST(SourceMap, DamageIsRefusedOrHarmless) {
  const std::string whole = R"({"version":3,"sources":["a.ts","b.ts"],"sourcesContent":["x","y"],)"
                            R"("mappings":"AAAA,SACI;;ACDJ,I;AAAA;AACA,CAAC,CAAC;AAEA"})";
  SplitMix64 random(7);
  std::size_t read = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text = whole;
    for (int i = 0; i < 3; ++i) {
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(4) == 0) text.resize(random.below(text.size()));
    const auto map = SourceMap::parse(text);
    if (!map) continue;
    ++read;
    for (std::uint32_t line = 0; line < 8; ++line) {
      const auto found = map->original(line, 40);
      EXPECT_TRUE(!found || found->line > 0);
    }
  }
  EXPECT_GT(read, 0u);
}

}  // namespace
}  // namespace ebbtide
