#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "recording/reader.h"
#include "recording/writer.h"
#include "tests/temporary_directory.h"
#include "tests/unit/recording_sample.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;

class RecordingForeign : public testing::Test {
 protected:
  std::string error() {
    const auto recording = read_recording(path_);
    if (recording) return "";
    EXPECT_THAT(recording.error().message(), testing::StartsWith("cannot open the recording "));
    EXPECT_THAT(directory_.names(), testing::SizeIs(testing::Le(1))) << "left a file beside";
    return recording.error().message();
  }

  void put(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string get() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  void write_sample() {
    auto writer = RecordingWriter::create(path_);
    ASSERT_TRUE(writer);
    for (const Record& record : sample_records()) (*writer)->add(record);
    ASSERT_TRUE((*writer)->commit());
  }

  void execute(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("run.ebbtide");
};

TEST_F(RecordingForeign, NoSuchFile) {
  EXPECT_THAT(error(), HasSubstr("No such file"));
  EXPECT_THAT(directory_.names(), testing::IsEmpty());
}

TEST_F(RecordingForeign, ADirectoryOrAPipe) {
  ASSERT_EQ(::mkdir(path_.c_str(), 0755), 0);
  EXPECT_THAT(error(), HasSubstr("not a regular file"));
  ASSERT_EQ(::rmdir(path_.c_str()), 0);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0644), 0);
  EXPECT_THAT(error(), HasSubstr("not a regular file"));
}

TEST_F(RecordingForeign, AnEmptyFileAndAText) {
  put("");
  EXPECT_THAT(error(), HasSubstr("not a recording"));
  put("# 06-03: memory analysis\n");
  EXPECT_THAT(error(), HasSubstr("not a recording"));
}

TEST_F(RecordingForeign, SomeoneElsesDatabase) {
  execute("CREATE TABLE gauge (x)");
  EXPECT_THAT(error(), HasSubstr("not a recording"));
  execute("PRAGMA journal_mode = WAL; CREATE TABLE run (x)");
  EXPECT_THAT(error(), HasSubstr("not a recording"));
}

TEST_F(RecordingForeign, AnotherSchemaVersionNamesBoth) {
  write_sample();
  execute("PRAGMA user_version = 999");
  EXPECT_THAT(error(), HasSubstr("schema version is 999, this ebbtide reads version 4"));
}

TEST_F(RecordingForeign, ATableThatIsMissingOrHoldsTheImpossible) {
  write_sample();
  const std::string good = get();
  execute("DROP TABLE gauge");
  EXPECT_THAT(error(), HasSubstr("damaged (no such table: gauge)"));
  put(good);
  execute("UPDATE gauge SET kind = 'weight'");
  EXPECT_THAT(error(), HasSubstr("damaged (impossible value in table gauge)"));
  put(good);
  execute("UPDATE connection SET local_port = 65536");
  EXPECT_THAT(error(), HasSubstr("damaged (impossible value in table connection)"));
  put(good);
  execute("DELETE FROM stack");
  EXPECT_THAT(error(), HasSubstr("damaged (a frame without its stack)"));
}

TEST_F(RecordingForeign, EveryTruncationIsAnError) {
  write_sample();
  const std::string good = get();
  for (std::size_t size = 0; size < good.size(); size += 509) {
    put(good.substr(0, size));
    EXPECT_NE(error(), "") << size << " of " << good.size() << " bytes";
  }
}

TEST_F(RecordingForeign, DamagedBytesAreAnErrorOrOtherValuesButNeverACrash) {
  write_sample();
  const std::string good = get();
  std::minstd_rand random(1);
  int errors = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string bytes = good;
    const bool early = round % 2 == 0;  // the schema is in the first page
    const std::size_t reach = early ? 4096 : bytes.size();
    for (std::size_t i = 0; i <= random() % 8; ++i) {
      bytes[random() % reach] = static_cast<char>(random() >> 8);
    }
    put(bytes);
    if (!error().empty()) ++errors;
  }
  EXPECT_GT(errors, 0);
}

}  // namespace
}  // namespace ebbtide
