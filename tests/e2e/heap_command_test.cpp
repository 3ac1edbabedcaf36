// `ebbtide heap`, run as a person runs it: on snapshots that a real Node wrote, and on a live one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/e2e/process.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr int failed = 1;
constexpr int leak = 2;
constexpr int inconclusive = 3;
constexpr int usage = 64;

const std::filesystem::path programs =
    std::filesystem::path(SOURCE_DIR) / "tests/unit/heap_programs";

class HeapCommand : public testing::Test {
 protected:
  // Snapshots that the program takes: before its first connection, then after each hundred.
  std::vector<std::string> snapshots(const std::string& program, int count) {
    Process node({"node", programs / program, directory_.path(), std::to_string(count)});
    EXPECT_TRUE(node.wait(std::chrono::minutes(2))) << node.err();
    EXPECT_EQ(node.exit_code(), 0) << node.err();
    std::vector<std::string> files;
    for (int i = 0; i < count; ++i) {
      files.push_back(directory_.file(fmt::format("{}.heapsnapshot", i)));
    }
    return files;
  }

  static ToolRun heap(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "heap");
    return ebbtide(arguments);
  }

  TemporaryDirectory directory_;
};

TEST_F(HeapCommand, SnapshotsOfALeakAreALeak) {
  const auto files = snapshots("leaky.js", 4);
  ToolRun run = heap({"--connections", "100", files[0], files[1], files[2], files[3]});
  EXPECT_EQ(run.exit_code, leak) << run.out << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, StartsWith("15 references keep more with every connection, most of all "
                                  "leaky.js:12 uploads (Array) → Buffer: "));
  EXPECT_THAT(run.out, AllOf(HasSubstr("hub (Hub) → #users (Map) → Session"),
                             HasSubstr("+1.00 per connection"), HasSubstr("0 → 100 → 200 → 300"),
                             HasSubstr((programs / "leaky.js").string() + ":12:7")));

  run = heap({"--json", "--connections", "100", files[0], files[1], files[2], files[3]});
  EXPECT_EQ(run.exit_code, leak);
  const auto json = nlohmann::json::parse(run.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << run.out;
  EXPECT_EQ(json["looks"], 4);
  EXPECT_EQ(json["causes"].size(), 15u);
  EXPECT_EQ(json["causes"][0]["content"], "Buffer");
  EXPECT_EQ(json["censuses"].size(), 4u);

  run = heap({files[2], files[3]});
  EXPECT_EQ(run.exit_code, inconclusive);
  EXPECT_THAT(run.out, AllOf(StartsWith("Two snapshots"), HasSubstr("Session  leaky.js:")));

  run = heap({files[3], files[1], files[2]});
  EXPECT_THAT(run.err, HasSubstr("older than the file before it"));

  run = heap({files[3]});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, AllOf(HasSubstr("kept by JavaScript"), HasSubstr("uploads (Array)")));
}

TEST_F(HeapCommand, SnapshotsOfACleanServerAreNone) {
  const auto files = snapshots("clean.js", 7);
  std::vector<std::string> arguments = {"--connections", "100"};
  arguments.insert(arguments.end(), files.begin(), files.end());
  const ToolRun run = heap(arguments);
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, StartsWith("Nothing keeps growing."));
}

TEST_F(HeapCommand, ALiveProcessIsCountedAndLeftAlone) {
  const std::string script = directory_.file("live.js");
  std::ofstream(script) << "class Session { constructor(i) { this.i = i; } }\n"
                           "const kept = new Map();\n"
                           "for (let i = 0; i < 1234; i++) kept.set(i, new Session(i));\n"
                           "setInterval(() => console.log(kept.size), 50);\n";
  Process node({"node", script});
  const auto printed = [](const std::string& out) { return out.find("1234") != std::string::npos; };
  ASSERT_TRUE(node.read_until(printed, std::chrono::seconds(30)));
  const ToolRun run = heap({"--pid", std::to_string(node.pid())});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("1,234"), HasSubstr("live.js:2 kept (Map)"),
                             HasSubstr("the process was held for")));
  const auto before = node.out().size();
  EXPECT_TRUE(node.read_until([&](const std::string& out) { return out.size() > before + 10; },
                              std::chrono::seconds(30)));
}

TEST_F(HeapCommand, NamesInAHeapCannotActOnATerminal) {
  const std::string script = directory_.file("hostile.js");
  std::ofstream(script)
      << "globalThis['\\u001b]0;owned\\u0007'] = Array.from({length: 50000}, () => ({}));\n"
         "require('v8').writeHeapSnapshot(process.argv[2]);\n";
  const std::string file = directory_.file("hostile.heapsnapshot");
  Process node({"node", script, file});
  ASSERT_TRUE(node.wait(std::chrono::minutes(1)));
  const ToolRun run = heap({file});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("owned"), Not(HasSubstr("\x1b")), Not(HasSubstr("\x07"))));
}

TEST_F(HeapCommand, WhatIsNoSnapshotIsRefused) {
  const auto files = snapshots("clean.js", 1);
  const std::string text = contents_of(files[0]);
  std::ofstream(directory_.file("cut")) << text.substr(0, text.size() / 2);
  std::ofstream(directory_.file("empty"));
  std::ofstream(directory_.file("text")) << "# a report\n";
  for (const char* name : {"cut", "empty", "text", "missing"}) {
    const ToolRun run = heap({files[0], directory_.file(name)});
    EXPECT_EQ(run.exit_code, failed) << name;
    EXPECT_THAT(run.err, HasSubstr(directory_.file(name)));
  }
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{}, {"--pid", "1", files[0]}, {"--connections", "0", files[0]}}) {
    EXPECT_EQ(heap(line).exit_code, usage);
  }
  EXPECT_EQ(heap({"--pid", "4194303"}).exit_code, failed);
}

}  // namespace
}  // namespace ebbtide
