#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "recording/reader.h"
#include "recording/writer.h"
#include "tests/temporary_directory.h"
#include "tests/unit/recording_sample.h"

namespace ebbtide {
namespace {

class RecordingRoundTrip : public testing::Test {
 protected:
  void SetUp() override {
    auto created = RecordingWriter::create(path_);
    ASSERT_TRUE(created) << created.error().message();
    writer_ = *std::move(created);
  }

  void write(const std::vector<Record>& records) {
    for (const Record& record : records) writer_->add(record);
    const auto committed = writer_->commit();
    ASSERT_TRUE(committed) << committed.error().message();
  }

  Recording read() {
    auto recording = read_recording(path_);
    EXPECT_TRUE(recording) << recording.error().message();
    return recording ? *std::move(recording) : Recording{};
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("run.ebbtide");
  std::unique_ptr<RecordingWriter> writer_;
};

TEST_F(RecordingRoundTrip, KeepsEveryFieldOfEveryTable) {
  std::vector<Record> records = sample_records();
  write(records);

  // Of the run and its end there is one, the last.
  std::erase_if(records, [first = std::vector<bool>(2, true)](const Record& record) mutable {
    if (record.index() > 1 || !first[record.index()]) return false;
    first[record.index()] = false;
    return true;
  });
  EXPECT_EQ(values_of(records_of(read())), values_of(records));
}

// With schema.cpp's count this leaves no way to forget a field, to name one twice or to swap two.
template <class Row>
void expect_fields_in_order() {
  Row row;
  std::vector<const void*> addresses;
  std::vector<std::string_view> names;
  Table<Row>::fields(row, [&](std::string_view name, const auto& field) {
    addresses.push_back(&field);
    if (!name.empty()) names.push_back(name);
  });
  EXPECT_TRUE(std::is_sorted(addresses.begin(), addresses.end(), std::less_equal<>()))
      << Table<Row>::name;
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << Table<Row>::name;
}

template <class Row>
struct FieldsInOrder {
  FieldsInOrder() { expect_fields_in_order<Row>(); }
};

TEST(RecordingSchema, DescribesFieldsInOrder) { ForEachTable<FieldsInOrder>(); }

TEST_F(RecordingRoundTrip, AnEmptyRecordingIsOne) {
  const Recording recording = read();
  EXPECT_EQ(recording.end.reason, EndReason::unknown);
  EXPECT_TRUE(recording.gauges.empty());
}

TEST_F(RecordingRoundTrip, ALaterRowReplacesTheOneOfItsKeyInItsPlace) {
  Resource grown;
  grown.size_bytes = 4096;
  SocketLife socket;
  socket.state = 1;
  write({Tier{"ebpf", false, "not yet"}, Tier{"proc", true, ""}, grown, socket,
         BirthCount{ResourceKind::fd, 1, 5, 0}, BirthCount{ResourceKind::fd, 2, 1, 0},
         Stack{3, {{1, "a", ""}, {2, "b", ""}}}, FaultCount{1, 3, 16, 5},
         Loss{"ring buffer records", 0}, Note{1, 1, "same"}, Note{1, 1, "same"}});
  grown.size_bytes = 8192;
  socket.state = 8;
  write({Tier{"ebpf", true, "attached"}, grown, socket, BirthCount{ResourceKind::fd, 1, 6, 0},
         Stack{3, {{1, "a", "main"}}}, FaultCount{1, 3, 16, 9}, Loss{"ring buffer records", 12}});

  const Recording recording = read();
  ASSERT_EQ(recording.tiers.size(), 2u);
  EXPECT_EQ(recording.tiers[0].name, "ebpf");
  EXPECT_EQ(recording.tiers[0].detail, "attached");
  ASSERT_EQ(recording.resources.size(), 1u);
  EXPECT_EQ(recording.resources[0].size_bytes, 8192u);
  ASSERT_EQ(recording.sockets.size(), 1u);
  EXPECT_EQ(recording.sockets[0].state, 8);
  ASSERT_EQ(recording.births.size(), 2u);
  EXPECT_EQ(recording.births[0].births, 6u);
  ASSERT_EQ(recording.stacks.size(), 1u);
  ASSERT_EQ(recording.stacks[0].frames.size(), 1u);
  EXPECT_EQ(recording.stacks[0].frames[0].symbol, "main");
  ASSERT_EQ(recording.faults.size(), 1u);
  EXPECT_EQ(recording.faults[0].samples, 9u);
  ASSERT_EQ(recording.losses.size(), 1u);
  EXPECT_EQ(recording.losses[0].count, 12u);
  EXPECT_EQ(recording.notes.size(), 2u);
}

TEST_F(RecordingRoundTrip, RowsWithoutCommitAreNotInTheFile) {
  write({Note{1, 1, "kept"}});
  writer_->add(Note{2, 1, "dropped"});
  writer_.reset();
  EXPECT_EQ(read().notes.size(), 1u);
}

TEST_F(RecordingRoundTrip, IsOneFileWhileWrittenAndWhenRead) {
  write(sample_records());
  EXPECT_THAT(directory_.names(), testing::ElementsAre("run.ebbtide"));
  read();
  EXPECT_THAT(directory_.names(), testing::ElementsAre("run.ebbtide"));
}

TEST_F(RecordingRoundTrip, NeverWritesOverAFile) {
  const auto again = RecordingWriter::create(path_);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message(), testing::HasSubstr("File exists"));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST(RecordingWriter, NamesTheDirectoryItCannotWriteTo) {
  const auto writer = RecordingWriter::create("/nonexistent/run.ebbtide");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().message(),
            "cannot create the recording /nonexistent/run.ebbtide: No such file or directory");
}

template <class E>
void expect_names_round_trip(std::size_t count) {
  for (std::size_t index = 0; index < count; ++index) {
    const E value = static_cast<E>(index);
    EXPECT_EQ(parse_name<E>(name_of(value)), value) << name_of(value);
  }
  EXPECT_EQ(name_of(static_cast<E>(count)), "?");
  EXPECT_EQ(parse_name<E>("no such name"), std::nullopt);
}

TEST(RecordingNames, AreReadBackAsTheyWereWritten) {
  expect_names_round_trip<Phase>(phase_count);
  expect_names_round_trip<Point>(4);
  expect_names_round_trip<ResourceKind>(resource_kind_count);
  expect_names_round_trip<GaugeKind>(gauge_kind_count);
  expect_names_round_trip<EndReason>(8);
  expect_names_round_trip<Stage>(6);
  expect_names_round_trip<ClosedFirst>(3);
  expect_names_round_trip<Collector>(3);
  expect_names_round_trip<FdOperation>(3);
  expect_names_round_trip<RunKind>(3);
  expect_names_round_trip<CloseMode>(8);
  expect_names_round_trip<LatencyKind>(3);
  EXPECT_EQ(gauge_info(GaugeKind::heap_used).unit, Unit::bytes);
  EXPECT_EQ(gauge_info(GaugeKind::children).unit, Unit::count);
  EXPECT_EQ(tcp_state_name(8), "CLOSE_WAIT");
  EXPECT_EQ(tcp_state_name(200), "?");
}

}  // namespace
}  // namespace ebbtide
