#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "recording/reader.h"
#include "recording/writer.h"
#include "tests/temporary_directory.h"
#include "tests/unit/recording_sample.h"

namespace ebbtide {
namespace {

// Far more than SQLite keeps in memory, so that an open transaction has reached the file.
constexpr int rows_beyond_the_page_cache = 200'000;

// A child process that runs `body`, which tells its progress by writing to the descriptor it gets.
class Child {
 public:
  explicit Child(const std::function<void(int)>& body) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      body(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    progress_ = ends[0];
  }
  ~Child() {
    end();
    ::close(progress_);
  }

  bool wait_for_progress() const {
    char byte = 0;
    return ::read(progress_, &byte, 1) == 1;
  }

  void kill() {
    ::kill(pid_, SIGKILL);
    end();
  }

  // The wait status.
  int end() {
    if (pid_ > 0) ::waitpid(pid_, &status_, 0);
    pid_ = -1;
    return status_;
  }

 private:
  pid_t pid_ = -1;
  int progress_ = -1;
  int status_ = 0;
};

void tell(int progress) { static_cast<void>(::write(progress, "+", 1)); }

// Leaves `path` as a writer does that is killed in the middle of a large transaction.
void leave_a_killed_run(const std::string& path) {
  Child child([&](int progress) {
    auto writer = RecordingWriter::create(path);
    if (!writer) ::_exit(1);
    for (const Record& record : sample_records()) (*writer)->add(record);
    if (!(*writer)->commit()) ::_exit(1);
    for (int i = 0; i < rows_beyond_the_page_cache; ++i) (*writer)->add(Gauge{});
    tell(progress);
    ::pause();
  });
  ASSERT_TRUE(child.wait_for_progress());
  child.kill();
  ASSERT_GT(std::filesystem::file_size(path + "-journal"), 0u);
}

TEST(RecordingCrash, AKillInMidTransactionLosesThatTransactionOnly) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("run.ebbtide");
  leave_a_killed_run(path);

  const auto recording = read_recording(path);
  ASSERT_TRUE(recording) << recording.error().message();
  EXPECT_EQ(recording->gauges.size(), 2u);
  EXPECT_EQ(recording->notes.size(), 2u);
  EXPECT_THAT(directory.names(), testing::ElementsAre("run.ebbtide"));
}

TEST(RecordingCrash, AKillAtAnyMomentLeavesWholeCommits) {
  constexpr std::size_t gauges_per_cycle = 500;
  for (int kill_after = 1; kill_after <= 20; ++kill_after) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("run.ebbtide");
    Child child([&](int progress) {
      auto writer = RecordingWriter::create(path);
      if (!writer) ::_exit(1);
      for (std::uint32_t cycle = 1;; ++cycle) {
        for (std::size_t i = 0; i < gauges_per_cycle; ++i) (*writer)->add(Gauge{.cycle = cycle});
        (*writer)->add(Cycle{.number = cycle});
        if (!(*writer)->commit()) ::_exit(1);
        tell(progress);
      }
    });
    for (int i = 0; i < kill_after; ++i) ASSERT_TRUE(child.wait_for_progress());
    child.kill();

    const auto recording = read_recording(path);
    ASSERT_TRUE(recording) << recording.error().message();
    EXPECT_GE(recording->cycles.size(), static_cast<std::size_t>(kill_after));
    EXPECT_EQ(recording->gauges.size(), recording->cycles.size() * gauges_per_cycle);
  }
}

// Runs `body` where no file may be written: as nobody when this is root.
int exit_code_without_rights(const TemporaryDirectory& directory, const std::string& path,
                             const std::function<int()>& body) {
  ::chmod(path.c_str(), 0444);
  ::chmod(directory.path().c_str(), 0555);
  Child child([&](int) {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(100);
    ::_exit(body());
  });
  const int status = child.end();
  ::chmod(directory.path().c_str(), 0755);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

TEST(RecordingCrash, ReadsWithoutWriteAccess) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("run.ebbtide");
  {
    auto writer = RecordingWriter::create(path);
    ASSERT_TRUE(writer);
    (*writer)->add(Note{1, 1, "here"});
    ASSERT_TRUE((*writer)->commit());
  }
  const int code = exit_code_without_rights(directory, path, [&] {
    const auto recording = read_recording(path);
    return recording && recording->notes.size() == 1 ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST(RecordingCrash, SaysWhatToDoWithAKilledRunWithoutWriteAccess) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("run.ebbtide");
  leave_a_killed_run(path);
  ::chmod((path + "-journal").c_str(), 0444);
  const int code = exit_code_without_rights(directory, path, [&] {
    const auto recording = read_recording(path);
    if (recording) return 1;
    if (recording.error().reason.find("killed") == std::string::npos) return 2;
    if (recording.error().remedy.find(path + "-journal") == std::string::npos) return 3;
    return 0;
  });
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(read_recording(path));
}

TEST(RecordingCrash, AFullDiskIsReportedByEveryCommitFromThenOn) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("run.ebbtide");
  Child child([&](int) {
    auto writer = RecordingWriter::create(path);
    if (!writer) ::_exit(1);
    (*writer)->add(Note{1, 1, "before"});
    if (!(*writer)->commit()) ::_exit(2);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < rows_beyond_the_page_cache; ++i) (*writer)->add(Gauge{});
    if ((*writer)->commit()) ::_exit(3);
    (*writer)->add(Note{1, 1, "after"});
    if ((*writer)->commit()) ::_exit(4);
  });
  EXPECT_EQ(child.end(), 0) << "exit code " << WEXITSTATUS(child.end());
  const auto recording = read_recording(path);
  ASSERT_TRUE(recording) << recording.error().message();
  EXPECT_EQ(recording->notes.size(), 1u);
  EXPECT_TRUE(recording->gauges.empty());
}

}  // namespace
}  // namespace ebbtide
