// Planted leaks in real heaps of every Node major: what is kept, how much of it per connection, and
// by which line. The clean twin yields nothing.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "analysis/heap/digest.h"
#include "analysis/heap/growth.h"
#include "analysis/heap/snapshot.h"
#include "tests/unit/node_program.h"

namespace ebbtide {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint32_t per_look = 100;

std::optional<std::string> read_text(const std::string& path) {
  if (!std::filesystem::is_regular_file(path)) return std::nullopt;
  return text_of_file(path);
}

// The line that is marked `// kept: NAME`.
std::uint32_t marked_line(const std::string& text, const std::string& name) {
  const auto at = text.find("// kept: " + name + "\n");
  EXPECT_NE(at, std::string::npos) << name;
  return static_cast<std::uint32_t>(1 + std::count(text.begin(), text.begin() + at, '\n'));
}

// Runs a program that takes `looks` snapshots, with connections between them.
Recording look_into(int major, const std::string& program, std::uint32_t looks) {
  const TemporaryDirectory directory;
  run_node(major, {program, directory.path(), std::to_string(looks)});
  HeapDigester digester(read_text);
  Recording recording;
  for (std::uint32_t look = 0; look < looks; ++look) {
    const auto snapshot = read_snapshot(directory.file(fmt::format("{}.heapsnapshot", look)));
    EXPECT_TRUE(snapshot) << snapshot.error().message();
    if (!snapshot) return recording;
    HeapDigest digest = digester.digest(snapshot->graph, look, "main");
    recording.heap_censuses.push_back(digest.census);
    std::ranges::move(digest.classes, std::back_inserter(recording.heap_classes));
    std::ranges::move(digest.paths, std::back_inserter(recording.heap_paths));
    std::ranges::move(digest.levels, std::back_inserter(recording.heap_path_levels));
    if (look > 0) recording.cycles.push_back({look, per_look, per_look, 0, 0});
  }
  return recording;
}

std::string program_path(const std::string& name) {
  return std::filesystem::path(SOURCE_DIR) / "tests/unit/heap_programs" / name;
}

std::string described(const HeapFindings& findings) {
  std::string text = findings.reservation + "\n";
  for (const HeapCause& cause : findings.causes) {
    text += fmt::format("{}{} ({}) {}:{}  {} of {} +{} [{}]\n", cause.bounded ? "bounded " : "",
                        cause.path, cause.user_code ? "user" : "runtime", cause.position.script,
                        cause.position.line, cause.container, cause.content,
                        cause.objects_per_connection, cause.retained_per_connection);
  }
  return text;
}

class HeapCauses : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Node, HeapCauses, testing::Values(18, 20, 22, 24, 26));

struct Planted {
  std::string kept;       // mark of the line
  std::string container;  // "" when nothing that counts its entries grows
  std::string content;
  std::string path;  // a part of it
};

TEST_P(HeapCauses, EveryPlantedLeakIsNamed) {
  const std::string program = program_path("leaky.js");
  const std::string text = text_of_file(program);
  const HeapFindings findings = find_heap_growth(look_into(GetParam(), program, 5));
  SCOPED_TRACE(described(findings));
  const std::vector<Planted> planted = {
      {"matchSubscribers", "Set", "Socket", "matchSubscribers (Map) → Set → Socket"},
      {"#users", "Map", "Session", "hub (Hub) → #users (Map) → Session"},
      {"bus", "Array", "onTick @ ", "bus (EventEmitter) 'tick' listeners → onTick @ leaky.js:"},
      {"poll", "", "Timeout", "timers → Timeout → poll @ leaky.js:"},
      {"handlers", "Array", "(anonymous) @ leaky.js:", "handlers (Array) → (anonymous) @ "},
      {"waiting", "Array", "Promise", "waiting (Array) → Promise"},
      {"uploads", "Array", "Buffer", "uploads (Array) → Buffer"},
      {"byToken", "Object", "Session", "byToken (Object) → Session"},
      {"names", "Set", "", "names (Set)"},
      {"newest", "", "Link", "newest (Link) → next (Link)"},
      {"sessions", "Array", "Session", "globalThis.sessions (Array) → Session"},
      {"rooms", "Map", "Session", " exports.rooms (Map) → Session"},
      {"entries", "Set", "Session", "entries (Set) → Session"},
      {"members", "Map", "Session", "members (Map) → Session"},
      {"people", "Object", "Session", "people (Object) → Session"},
  };
  for (const Planted& each : planted) {
    SCOPED_TRACE(each.kept);
    const std::uint32_t line = marked_line(text, each.kept);
    const auto found = std::ranges::find_if(findings.causes, [&](const HeapCause& cause) {
      return cause.position.line == line && cause.path.find(each.path) != std::string::npos;
    });
    ASSERT_NE(found, findings.causes.end()) << "line " << line;
    EXPECT_EQ(found->position.script, program);
    EXPECT_EQ(found->container, each.container);
    EXPECT_THAT(found->content, StartsWith(each.content));
    EXPECT_DOUBLE_EQ(found->objects_per_connection, 1);
    EXPECT_TRUE(found->user_code);
    EXPECT_FALSE(found->bounded);
    EXPECT_FALSE(found->handles_only);
    for (std::size_t i = 2; i < found->levels.size(); ++i) {
      EXPECT_EQ(found->levels[i] - found->levels[i - 1], per_look);
    }
  }
  EXPECT_EQ(findings.causes.size(), planted.size());
  EXPECT_EQ(findings.causes.front().content, "Buffer");
  EXPECT_GT(findings.causes.front().retained_per_connection, 20000);
}

TEST_P(HeapCauses, TheCleanTwinYieldsNone) {
  const HeapFindings findings =
      find_heap_growth(look_into(GetParam(), program_path("clean.js"), 7));
  EXPECT_EQ(findings.looks, 7u);
  EXPECT_EQ(findings.reservation, "");
  for (const HeapCause& cause : findings.causes) {
    EXPECT_TRUE(cause.bounded) << described(findings);
    EXPECT_THAT(cause.path, HasSubstr("recent (Map)"));
  }
}

TEST(HeapCauses, ASourceMapLeadsToTheLineThatAPersonWrote) {
  const std::string source =
      "interface Options { readonly size: number }\n"
      "\n"
      "class Session {\n"
      "  constructor(readonly id: number, readonly options?: Options) {}\n"
      "}\n"
      "\n"
      "class Registry {\n"
      "  readonly #byId: Map<number, Session> = new Map();  // kept: #byId\n"
      "  enter(session: Session): void { this.#byId.set(session.id, session); }\n"
      "}\n"
      "const registry: Registry = new Registry();\n"
      "const audience: Set<Session> = new Set();  // kept: audience\n"
      "declare const require: any;\n"
      "require(" +
      fmt::format("'{}'", program_path("looks.js")) +
      ").takeLooks((id: number) => {\n"
      "  registry.enter(new Session(id));\n"
      "  audience.add(new Session(id));\n"
      "});\n";
  const TypeScriptProgram program(source);
  const HeapFindings findings = find_heap_growth(look_into(20, program.path(), 4));
  SCOPED_TRACE(described(findings));
  ASSERT_EQ(findings.causes.size(), 2u);
  for (const char* name : {"#byId", "audience"}) {
    const std::uint32_t line = marked_line(source, name);
    const auto found = std::ranges::find(
        findings.causes, line, [](const HeapCause& cause) { return cause.position.line; });
    ASSERT_NE(found, findings.causes.end()) << name;
    EXPECT_THAT(found->position.script, EndsWith("/src/program.ts"));
    EXPECT_THAT(found->position.compiled, StartsWith("dist/program.js:"));
    EXPECT_THAT(found->path, HasSubstr(name));
    EXPECT_EQ(found->content, "Session");
    EXPECT_DOUBLE_EQ(found->objects_per_connection, 1);
  }
}

}  // namespace
}  // namespace ebbtide
