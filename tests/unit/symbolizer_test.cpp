#include "tracer/symbolizer.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

#include "tracer/perf_map.h"
#include "tracer/process_maps.h"

namespace ebbtide_fixture {
__attribute__((noinline, used)) int symbolized(int value) { return value * 3 + 1; }
}  // namespace ebbtide_fixture

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

template <class Function>
std::uint64_t address_of(Function* function) {
  return reinterpret_cast<std::uint64_t>(function);
}

Frame resolve_one(Symbolizer& symbolizer, std::uint64_t address) {
  return symbolizer.resolve(std::array{address}).at(0);
}

class SymbolizerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto refreshed = symbolizer_.refresh();
    ASSERT_TRUE(refreshed) << refreshed.error().message();
  }
  Symbolizer symbolizer_{getpid()};
};

TEST_F(SymbolizerTest, NamesFunctionsOfTheExecutableDemangled) {
  const auto start = address_of(&ebbtide_fixture::symbolized);
  for (const std::uint64_t into : {0, 1, 3}) {
    const auto frame = resolve_one(symbolizer_, start + into);
    EXPECT_EQ(frame.address, start + into);
    EXPECT_EQ(frame.module, "symbolizer_test");
    EXPECT_EQ(frame.symbol, "ebbtide_fixture::symbolized(int)");
  }
}

TEST_F(SymbolizerTest, NamesFunctionsOfSharedLibraries) {
  const auto frame =
      resolve_one(symbolizer_, address_of(dlsym(RTLD_DEFAULT, "gnu_get_libc_version")));
  EXPECT_EQ(frame.module, "libc.so.6");
  EXPECT_EQ(frame.symbol, "gnu_get_libc_version");
}

TEST_F(SymbolizerTest, AReturnAddressBelongsToTheCallBeforeIt) {
  // A call that is a function's last instruction returns to where the next function begins.
  const auto next_function = address_of(&ebbtide_fixture::symbolized);
  const auto frames = symbolizer_.resolve(std::array{next_function, next_function});
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].symbol, "ebbtide_fixture::symbolized(int)");
  EXPECT_NE(frames[1].symbol, "ebbtide_fixture::symbolized(int)");
  EXPECT_EQ(frames[1].address, next_function);
}

TEST_F(SymbolizerTest, AddressesOfNothingStayEmpty) {
  int on_the_stack = 0;
  for (const std::uint64_t address :
       {std::uint64_t{0}, std::uint64_t{42}, address_of(&on_the_stack),
        std::numeric_limits<std::uint64_t>::max()}) {
    const auto frame = resolve_one(symbolizer_, address);
    EXPECT_EQ(frame.address, address);
    EXPECT_EQ(frame.symbol, "");
  }
}

TEST_F(SymbolizerTest, RefreshTakesInALibraryLoadedSince) {
  void* library = dlopen("libresolv.so.2", RTLD_NOW);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto function = address_of(dlsym(library, "ns_parse_ttl"));
  ASSERT_NE(function, 0u);
  EXPECT_EQ(resolve_one(symbolizer_, function).symbol, "");
  ASSERT_TRUE(symbolizer_.refresh());
  EXPECT_EQ(resolve_one(symbolizer_, function).symbol, "ns_parse_ttl");
  dlclose(library);
}

TEST_F(SymbolizerTest, JustInTimeCodeIsNamedByThePerfMapOnly) {
  void* page =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  const auto start = reinterpret_cast<std::uint64_t>(page);
  ASSERT_TRUE(symbolizer_.refresh());
  EXPECT_EQ(resolve_one(symbolizer_, start + 8).symbol, "");

  const auto path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  std::ofstream(path) << std::hex << start << " 40 JS:*onMessage /srv/app.js:7:21\n";
  ASSERT_TRUE(symbolizer_.refresh());
  const auto frame = resolve_one(symbolizer_, start + 8);
  EXPECT_EQ(frame.symbol, "JS:*onMessage /srv/app.js:7:21");
  EXPECT_EQ(frame.module, "");
  EXPECT_EQ(resolve_one(symbolizer_, start + 0x40).symbol, "");
  fs::remove(path);
  munmap(page, 4096);
}

TEST_F(SymbolizerTest, AProcessThatIsGoneIsAnError) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_GT(child, 0);
  Symbolizer symbolizer(child);
  waitpid(child, nullptr, 0);
  const auto refreshed = symbolizer.refresh();
  ASSERT_FALSE(refreshed);
  EXPECT_NE(refreshed.error().reason, "");
}

TEST(PerfMapTest, ALaterLineReplacesWhatItOverlaps) {
  PerfMap map;
  map.parse("1000 100 old\n2000 100 other\n1080 f00 moved\n");
  EXPECT_EQ(map.name_at(0x1000), "");
  EXPECT_EQ(map.name_at(0x1080), "moved");
  EXPECT_EQ(map.name_at(0x1f7f), "moved");
  EXPECT_EQ(map.name_at(0x1f80), "");
  EXPECT_EQ(map.name_at(0x2000), "other");
  map.parse("1f00 101 touching\n");
  EXPECT_EQ(map.name_at(0x2000), "touching");
  EXPECT_EQ(map.name_at(0x2001), "");
}

TEST(PerfMapTest, HostileLinesAreSkippedAndNamesBounded) {
  PerfMap map;
  map.parse("\n\n \nzz 10 x\n10\n10 20\nffffffffffffffff 10 wraps\n10 0 empty\n-5 5 negative\n");
  EXPECT_EQ(map.name_at(0x10), "");
  EXPECT_EQ(map.name_at(5), "");
  EXPECT_EQ(map.name_at(UINT64_MAX), "");
  map.parse("100 10 " + std::string(100000, 'n'));
  EXPECT_EQ(map.name_at(0x100).size(), 1024u);
}

TEST(ProcessMapsTest, LinesAreReadWithTheirFileAndPermissions) {
  const auto mappings = parse_process_maps(
      "00400000-00b6f000 r-xp 0001a000 fd:10 1234   /usr/bin/my node\n"
      "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
      "7f0000002000-7f0000003000 r--s 00000000 00:01 99   /dev/zero (deleted)\n"
      "7f0000004000-7f0000005000 r-xp 00000000 00:00 0    [vdso]\n"
      "7f0000006000-7f0000007000 r-xp 00000000 fd:10 7    /tmp/new\\012line\n"
      "nonsense\n");
  ASSERT_EQ(mappings.size(), 5u);
  EXPECT_EQ(mappings[0].start, 0x400000u);
  EXPECT_EQ(mappings[0].end, 0xb6f000u);
  EXPECT_EQ(mappings[0].file_offset, 0x1a000u);
  EXPECT_TRUE(mappings[0].executable);
  EXPECT_EQ(mappings[0].device_major, 0xfdu);
  EXPECT_EQ(mappings[0].device_minor, 0x10u);
  EXPECT_EQ(mappings[0].inode, 1234u);
  EXPECT_EQ(mappings[0].path, "/usr/bin/my node");
  EXPECT_EQ(mappings[1].path, "");
  EXPECT_FALSE(mappings[1].executable);
  EXPECT_TRUE(mappings[2].deleted);
  EXPECT_EQ(mappings[2].path, "/dev/zero");
  EXPECT_EQ(mappings[3].path, "[vdso]");
  EXPECT_EQ(mappings[4].path, "/tmp/new\nline");
}

// An upgrade replaces a server's binary while it runs; what counts is the file that runs.
TEST(ProcessMapsTest, AReplacedExecutableIsStillFound) {
  if (geteuid() != 0) GTEST_SKIP() << "/proc/PID/map_files needs root";
  std::string pattern = (fs::temp_directory_path() / "ebbtide-maps-XXXXXX").string();
  const fs::path directory = mkdtemp(pattern.data());
  const auto program = directory / "program";
  fs::copy_file("/bin/sleep", program);
  struct stat original {};
  ASSERT_EQ(stat(program.c_str(), &original), 0);
  const pid_t child = fork();
  if (child == 0) {
    execl(program.c_str(), "program", "600", nullptr);
    _exit(127);
  }
  ASSERT_GT(child, 0);
  const auto find_mapping = [&]() -> std::optional<ProcessMapping> {
    const auto mappings = read_process_maps(child);
    if (!mappings) return std::nullopt;
    for (const auto& mapping : *mappings) {
      if (mapping.path == program) return mapping;
    }
    return std::nullopt;
  };
  while (!find_mapping()) usleep(1000);  // until it has called exec

  const auto check = [&] {
    const auto mapping = find_mapping();
    ASSERT_TRUE(mapping.has_value());
    const auto path = openable_path(child, *mapping);
    ASSERT_TRUE(path) << path.error().message();
    struct stat found {};
    ASSERT_EQ(stat(path->c_str(), &found), 0);
    EXPECT_EQ(found.st_ino, original.st_ino);
  };
  check();
  fs::copy_file("/bin/true", directory / "new");
  fs::rename(directory / "new", program);
  check();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  fs::remove_all(directory);
}

}  // namespace
}  // namespace ebbtide
