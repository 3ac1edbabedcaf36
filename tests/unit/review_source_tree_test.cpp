// What lies on a disk is read or has a line that says why not; nothing of it hangs or fills memory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/source_tree.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SourceTreeTest : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) const {
    const fs::path path = root() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  [[nodiscard]] fs::path root() const { return directory_.path(); }

  [[nodiscard]] SourceTree read() const { return read_source_tree({root().string()}).value(); }

 private:
  TemporaryDirectory directory_;
};

auto unread(const std::string& file, const std::string& why) {
  return AllOf(Field(&UnreadSource::path, EndsWith(file)),
               Field(&UnreadSource::why, HasSubstr(why)));
}

const std::string server =
    "const { WebSocketServer } = require('ws');\n"
    "const clients = new Map();\n"
    "new WebSocketServer({ port: 1 }).on('connection', (ws) => clients.set(ws, 1));\n";

TEST_F(SourceTreeTest, WhatIsNoTextIsLeftWithALine) {
  write("empty.js", "");
  write("image.js", std::string("\x89PNG\0\0\0", 7));
  write("bundle.js", std::string(200'000, 'x') + ";\n");
  write("large.js", "// " + std::string(50U << 20U, 'x') + "\n");
  write("broken.js", "const \xff\xfe = '\xc3\x28';\n");
  const SourceTree tree = read();
  EXPECT_THAT(tree.files, SizeIs(2));  // the empty one, and the one that is not UTF-8
  EXPECT_THAT(tree.unread, testing::UnorderedElementsAre(unread("image.js", "binary"),
                                                         unread("bundle.js", "minified"),
                                                         unread("large.js", "50 MB")));
  EXPECT_THAT(review_tree(tree.files).findings, IsEmpty());
}

TEST_F(SourceTreeTest, LinksAreFollowedOnce) {
  write("src/server.js", server);
  fs::create_directory_symlink(root(), root() / "src/loop");
  fs::create_symlink("server.js", root() / "src/again.js");
  fs::create_symlink("nowhere.js", root() / "src/dangling.js");
  fs::create_symlink("self.js", root() / "src/self.js");
  const SourceTree tree = read();
  EXPECT_THAT(tree.files, SizeIs(1));
  EXPECT_THAT(tree.unread, testing::UnorderedElementsAre(unread("dangling.js", ""),
                                                         unread("self.js", "symbolic links")));
}

TEST_F(SourceTreeTest, WhatIsNoFileIsNotOpened) {
  ASSERT_EQ(mkfifo((root() / "pipe.js").c_str(), 0600), 0);  // to open it would wait for ever
  fs::create_directory(root() / "folder.js");
  write("folder.js/server.js", server);
  const SourceTree tree = read();
  EXPECT_THAT(tree.files, SizeIs(1));
  EXPECT_THAT(tree.unread, ElementsAre(unread("pipe.js", "not a regular file")));
  const auto named = read_source_tree({(root() / "pipe.js").string(), "/dev/zero"});
  ASSERT_TRUE(named.has_value());
  EXPECT_THAT(named->files, IsEmpty());
  EXPECT_THAT(named->unread, SizeIs(2));
}

TEST_F(SourceTreeTest, WhatMayNotBeReadIsNamed) {
  const fs::path secret = write("secret.js", server);
  const fs::path closed = root() / "closed";
  write("closed/inner.js", server);
  write("server.js", server);
  fs::permissions(secret, fs::perms::none);
  fs::permissions(closed, fs::perms::none);
  fs::permissions(root(), static_cast<fs::perms>(0755));
  const bool is_root = geteuid() == 0;
  if (is_root) ASSERT_EQ(seteuid(65534), 0);  // root may read everything
  const auto tree = read_source_tree({root().string()});
  if (is_root) ASSERT_EQ(seteuid(0), 0);
  fs::permissions(closed, fs::perms::owner_all);
  ASSERT_TRUE(tree.has_value());
  EXPECT_THAT(tree->files, SizeIs(1));
  EXPECT_THAT(tree->unread, testing::UnorderedElementsAre(unread("secret.js", "denied"),
                                                          unread("closed", "denied")));
}

TEST_F(SourceTreeTest, OtherPeoplesCodeIsPassedOverAndTestsAndOutputAreNamed) {
  write("node_modules/ws/index.js", server);
  write(".git/hook.js", server);
  write("dist/server.js", server);
  write("test/server.js", server);
  write("server.test.js", server);
  write("types.d.ts", "export {};\n");
  write("server.ts", server);
  const SourceTree tree = read();
  EXPECT_THAT(tree.files, ElementsAre(Field(&SourceFile::path, EndsWith("server.ts"))));
  EXPECT_THAT(tree.unread,
              testing::UnorderedElementsAre(unread("dist", "output"), unread("test", "tests"),
                                            unread("server.test.js", "tests")));
  EXPECT_THAT(read_source_tree({(root() / "dist").string()})->files, SizeIs(1));
}

TEST_F(SourceTreeTest, TenThousandFilesAreReviewedInBoundedMemory) {
  for (int i = 0; i < 10'000; i++)
    write(fmt::format("{}/file{}.js", i % 100, i),
          fmt::format("exports.f{0} = (x) => x + {0};\nexports.g{0} = [{0}, {0}];\n", i));
  write("server.js", server);
  const SourceTree tree = read();
  EXPECT_THAT(tree.files, SizeIs(10'001));
  const Review review = review_tree(tree.files);
  EXPECT_THAT(review.findings, Contains(Field(&ReviewFinding::rule, "LC001")));
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  EXPECT_LT(used.ru_maxrss, 1'000'000);  // kB
}

TEST_F(SourceTreeTest, MoreThanCanBeKeptIsCounted) {
  const std::string text = "// " + std::string(200, 'x') + "\n";
  std::string file;
  while (file.size() < (15U << 20U)) file += text;
  for (int i = 0; i < 6; i++) write(fmt::format("{}.js", i), file);
  const SourceTree tree = read();
  EXPECT_THAT(tree.files, SizeIs(4));
  EXPECT_THAT(tree.unread, ElementsAre(Field(&UnreadSource::why, "2 more files were not read")));
}

TEST_F(SourceTreeTest, SyntaxErrorsAreToldByTheirLines) {
  write("server.js", server + "\nfunction broken( {\n  return ]];\n}\n");
  const Review review = review_tree(read().files);
  EXPECT_THAT(review.unread, ElementsAre(unread("server.js", "could not be parsed: line")));
  EXPECT_THAT(review.findings, Contains(Field(&ReviewFinding::rule, "LC001")));
}

TEST_F(SourceTreeTest, APathThatIsNotThereIsAnError) {
  const auto tree = read_source_tree({(root() / "nothing").string()});
  ASSERT_FALSE(tree.has_value());
  EXPECT_THAT(tree.error().message(), HasSubstr("nothing"));
}

}  // namespace
}  // namespace ebbtide
