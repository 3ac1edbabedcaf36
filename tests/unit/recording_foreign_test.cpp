#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "recording/reader.h"
#include "recording/schema.h"
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

TEST_F(RecordingForeign, ANewerSchemaVersionNamesBothAndItsWriter) {
  write_sample();
  execute("UPDATE run SET tool_version = '9.8.7'; PRAGMA user_version = 999");
  const auto recording = read_recording(path_);
  ASSERT_FALSE(recording);
  EXPECT_THAT(recording.error().message(),
              HasSubstr("ebbtide 9.8.7 made it, and its schema version is 999; this ebbtide reads "
                        "versions 1 to " +
                        std::to_string(recording_schema_version)));
  EXPECT_EQ(recording.error().remedy, "read it with the ebbtide that made it, or record again");
}

TEST_F(RecordingForeign, ANewerSchemaVersionThatSaysNothingElse) {
  write_sample();
  execute("DROP TABLE run; PRAGMA user_version = 999");
  EXPECT_THAT(error(), HasSubstr("a newer ebbtide made it"));
}

// As version 1 had it: no heap, no load, no kind of run.
TEST_F(RecordingForeign, AnOlderSchemaVersionIsReadWithWhatItHas) {
  write_sample();
  const auto now = read_recording(path_);
  ASSERT_TRUE(now);
  execute(
      "ALTER TABLE run DROP COLUMN kind; ALTER TABLE run DROP COLUMN fd_limit;"
      "ALTER TABLE connection DROP COLUMN close_mode; ALTER TABLE resource DROP COLUMN pid;"
      "DROP TABLE heap_census; DROP TABLE loop_activity; DROP TABLE source_file;"
      "PRAGMA user_version = 1");
  const auto older = read_recording(path_);
  ASSERT_TRUE(older) << older.error().message();
  EXPECT_EQ(older->run.kind, RunKind::leak);
  EXPECT_EQ(older->run.fd_limit, 0u);
  EXPECT_EQ(older->run.tool_version, now->run.tool_version);
  EXPECT_EQ(older->run.plan.settle_cap_ms, now->run.plan.settle_cap_ms);
  ASSERT_EQ(older->connections.size(), now->connections.size());
  EXPECT_EQ(older->connections[0].close_mode, CloseMode::clean);
  EXPECT_EQ(older->connections[0].error, now->connections[0].error);
  EXPECT_EQ(older->resources[0].label, now->resources[0].label);
  EXPECT_EQ(older->gauges.size(), now->gauges.size());
  EXPECT_TRUE(older->heap_censuses.empty());
  EXPECT_TRUE(older->loop_activities.empty());
}

TEST_F(RecordingForeign, NoSchemaVersionIsDamage) {
  write_sample();
  execute("PRAGMA user_version = 0");
  EXPECT_THAT(error(), HasSubstr("damaged"));
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
    EXPECT_THAT(error(), testing::AnyOf(HasSubstr("damaged"), HasSubstr("not a recording")))
        << size << " of " << good.size() << " bytes";
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
