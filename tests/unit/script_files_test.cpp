// Which source file a script of the process is, however each of the two is named.
#include <gtest/gtest.h>

#include "analysis/causes/script_files.h"

namespace ebbtide {
namespace {

const std::vector<SourceFile> files = {
    {.path = "src/hub.ts", .text = "", .location = "/srv/app/src/hub.ts"},
    {.path = "src/rooms/hub.ts", .text = "", .location = "/srv/app/src/rooms/hub.ts"},
    {.path = "src/a b.js", .text = "", .location = "/srv/app/src/a b.js"},
    {.path = "lib/index.js", .text = "", .location = "/srv/app/lib/index.js"},
    {.path = "bin/index.js", .text = "", .location = "/srv/app/bin/index.js"},
};

std::string path_of_script(std::string_view script) {
  const SourceFile* file = ScriptFiles(files).file_of(script);
  return file == nullptr ? "" : file->path;
}

TEST(ScriptFiles, AreKnownByTheirPlace) {
  EXPECT_EQ(path_of_script("/srv/app/src/hub.ts"), "src/hub.ts");
  EXPECT_EQ(path_of_script("file:///srv/app/src/a%20b.js?update=1"), "src/a b.js");
}

TEST(ScriptFiles, AreKnownByTheLongestCommonEndElsewhere) {
  EXPECT_EQ(path_of_script("/usr/src/app/src/rooms/hub.ts"), "src/rooms/hub.ts");
  EXPECT_EQ(path_of_script("webpack://app/src/hub.ts"), "src/hub.ts");
  EXPECT_EQ(path_of_script("/elsewhere/lib/index.js"), "lib/index.js");
}

TEST(ScriptFiles, OfSeveralThatFitEquallyNoneIsGuessed) {
  EXPECT_EQ(path_of_script("/elsewhere/index.js"), "");
  EXPECT_EQ(path_of_script("/elsewhere/other.js"), "");
  EXPECT_EQ(path_of_script("node:events"), "");
  EXPECT_EQ(path_of_script(""), "");
}

TEST(ScriptFiles, APlaceLiesOnTheFirstLineOfItsFunction) {
  const ScriptFiles scripts(files);
  const SourceSpot closure{"src/hub.ts", {.line = 7, .column = 15, .end_line = 9, .end_column = 3}};
  const auto at = [&](std::uint32_t line, std::uint32_t column) {
    return scripts.is_at({"/srv/app/src/hub.ts", line, column, ""}, closure);
  };
  EXPECT_TRUE(at(7, 15));
  EXPECT_TRUE(at(7, 33));
  EXPECT_FALSE(at(7, 14));
  EXPECT_FALSE(at(8, 20));
  EXPECT_FALSE(at(0, 0));
  EXPECT_FALSE(scripts.is_at({"/srv/app/src/rooms/hub.ts", 7, 15, ""}, closure));
}

}  // namespace
}  // namespace ebbtide
