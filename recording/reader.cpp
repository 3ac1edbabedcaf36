#include "recording/reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unordered_map>
#include <utility>

#include "recording/schema.h"
#include "recording/statement.h"

namespace ebbtide {
namespace {

Error cannot_open(const std::string& path, std::string reason, std::string remedy = "") {
  return {"open the recording", path, std::move(reason), std::move(remedy)};
}

// The schema version, by SQLite's file header (https://www.sqlite.org/fileformat.html) and before
// SQLite looks at it: opening a stranger's database may create files beside it.
Result<std::uint32_t> schema_version_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return cannot_open(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return cannot_open(path, "not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot_open(path, std::strerror(errno));

  std::array<unsigned char, 100> header{};
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  const auto number_at = [&](std::size_t offset) {
    return std::uint32_t{header[offset]} << 24 | std::uint32_t{header[offset + 1]} << 16 |
           std::uint32_t{header[offset + 2]} << 8 | std::uint32_t{header[offset + 3]};
  };
  const std::uint32_t version = number_at(60);
  const std::uint32_t application = number_at(68);
  const bool write_ahead_log = header[18] != 1 || header[19] != 1;  // would create two more files
  constexpr char magic[] = "SQLite format 3";
  if (std::memcmp(header.data(), magic, sizeof magic) != 0 || write_ahead_log ||
      application != recording_application_id) {
    return cannot_open(path, "not a recording made by ebbtide",
                       "name the .ebbtide file that lies beside a report");
  }
  if (version == 0) return cannot_open(path, "the file is damaged (no schema version)");
  return version;
}

class Reader {
 public:
  Reader(const std::string& path, std::uint32_t version) : path_(path), version_(version) {}

  // Read-write where possible: the journal that a killed writer left must be rolled back.
  bool open() {
    sqlite3* handle = nullptr;
    const std::string absolute = std::filesystem::absolute(path_).string();
    const int code = sqlite3_open_v2(absolute.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
    database_.reset(handle);
    if (!check(code)) return false;
    sqlite3_busy_timeout(handle, 5000);  // a running writer commits in milliseconds
    // One transaction, so that a running writer cannot change the tables between two of them.
    const char* sql = "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; BEGIN;";
    return check(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr)) && check_pages();
  }

  template <class T>
  std::vector<T> rows() {
    std::vector<T> rows;
    for_each_row<T>([&](T&& row) { rows.push_back(std::move(row)); });
    return rows;
  }

  // The last row, or a T as it is when the run ended before its row was written.
  template <class T>
  T single() {
    T single;
    for_each_row<T>([&](T&& row) { single = std::move(row); });
    return single;
  }

  // The ebbtide that wrote the file, whatever its schema version; "" when it does not say.
  std::string writer() {
    Statement select(database_.get(), "SELECT tool_version FROM run");
    std::string writer;
    if (select.step() == SQLITE_ROW && !select.read(0, writer)) writer.clear();
    return writer;
  }

  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

  bool damaged(std::string_view what) {
    if (!failure_) {
      failure_ = cannot_open(path_, fmt::format("the file is damaged ({})", what), "record again");
    }
    return false;
  }

 private:
  bool check(int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return true;
    if (failure_) return false;
    const std::string journal = path_ + "-journal";
    // Of a statement that could not even be prepared the database keeps the reason.
    const int reason = code == SQLITE_MISUSE ? sqlite3_errcode(database_.get()) : code;
    const int kind = reason & 0xff;
    if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED) {
      failure_ = cannot_open(path_, "another program is writing it", "try again when it is done");
    } else if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR) {
      return damaged(sqlite3_errmsg(database_.get()));
    } else if (std::error_code ignored; std::filesystem::exists(journal, ignored)) {
      failure_ = cannot_open(
          path_,
          "its run was killed in the middle of a write, and undoing that write needs write access "
          "to the file and its directory",
          fmt::format("copy it together with {} into a directory of yours", journal));
    } else {
      failure_ = cannot_open(path_, sqlite3_errmsg(database_.get()));
    }
    return false;
  }

  bool check_pages() {
    Statement quick_check(database_.get(), "PRAGMA quick_check(1)");
    if (!check(quick_check.step())) return false;
    std::string answer;
    if (!quick_check.read(0, answer) || answer != "ok") return damaged(answer);
    return true;
  }

  // Versions only ever add: a file of an older one lacks columns and tables, and what it does not
  // say stays as run.h has it.
  template <class T>
  std::vector<Column> columns_in_file() {
    std::vector<Column> columns = columns_of<T>();
    if (version_ == recording_schema_version) return columns;
    std::vector<std::string> present;
    Statement info(database_.get(), fmt::format("PRAGMA table_info({})", Table<T>::name));
    for (std::string name; info.step() == SQLITE_ROW;) {
      if (info.read(1, name)) present.push_back(name);
    }
    std::erase_if(columns, [&](const Column& column) {
      return std::ranges::find(present, column.name) == present.end();
    });
    return columns;
  }

  template <class T>
  void for_each_row(auto&& use) {
    if (failure_) return;
    const std::vector<Column> columns = columns_in_file<T>();
    if (columns.empty()) return;
    Statement select(database_.get(), select_sql(Table<T>::name, columns));
    if (!check(sqlite3_errcode(database_.get()))) return;
    int code = select.step();
    for (; code == SQLITE_ROW; code = select.step()) {
      T row;
      std::size_t index = 0;
      bool good = true;
      for_each_column(row, [&](std::string_view name, auto& field) {
        if (index == columns.size() || columns[index].name != name) return;
        good = select.read(static_cast<int>(index++), field) && good;
      });
      if (!good) {
        damaged(fmt::format("impossible value in table {}", Table<T>::name));
        return;
      }
      use(std::move(row));
    }
    check(code);
  }

  std::string path_;
  std::uint32_t version_;
  DatabaseHandle database_;
  std::optional<Error> failure_;  // the first one; nothing is read after it
};

void read_frames(Reader& reader, std::vector<Stack>& stacks) {
  std::unordered_map<std::uint64_t, Stack*> by_id;
  for (Stack& stack : stacks) by_id[stack.id] = &stack;
  for (StackFrame& row : reader.rows<StackFrame>()) {
    const auto stack = by_id.find(row.stack_id);
    if (stack == by_id.end()) {
      reader.damaged("a frame without its stack");
      return;
    }
    stack->second->frames.push_back(std::move(row.frame));
  }
}

Error written_by_newer(const std::string& path, std::uint32_t version, const std::string& writer) {
  const std::string who = writer.empty() ? "a newer ebbtide" : "ebbtide " + writer;
  return cannot_open(path,
                     fmt::format("{} made it, and its schema version is {}; this ebbtide reads "
                                 "versions 1 to {}",
                                 who, version, recording_schema_version),
                     "read it with the ebbtide that made it, or record again");
}

}  // namespace

Result<Recording> read_recording(const std::string& path) {
  const auto version = schema_version_of(path);
  if (!version) return version.error();
  Reader reader(path, *version);
  if (!reader.open()) return *reader.failure();
  if (*version > recording_schema_version) {
    return written_by_newer(path, *version, reader.writer());
  }

  Recording recording;
  recording.run = reader.single<RunInfo>();
  for (PlanStep& step : reader.rows<PlanStep>()) {
    recording.run.plan.steps.push_back(std::move(step.text));
  }
  recording.end = reader.single<RunEnd>();
  recording.tiers = reader.rows<Tier>();
  recording.cycles = reader.rows<Cycle>();
  recording.phases = reader.rows<PhaseSpan>();
  recording.gauges = reader.rows<Gauge>();
  recording.timeline = reader.rows<TimelinePoint>();
  recording.connections = reader.rows<Connection>();
  recording.resources = reader.rows<Resource>();
  recording.sockets = reader.rows<SocketLife>();
  recording.births = reader.rows<BirthCount>();
  recording.gcs = reader.rows<Gc>();
  recording.stacks = reader.rows<Stack>();
  read_frames(reader, recording.stacks);
  recording.faults = reader.rows<FaultCount>();
  recording.fd_events = reader.rows<FdEvent>();
  recording.heap_censuses = reader.rows<HeapCensus>();
  recording.heap_classes = reader.rows<HeapClass>();
  recording.heap_paths = reader.rows<HeapPath>();
  recording.heap_path_levels = reader.rows<HeapPathLevel>();
  recording.active_resources = reader.rows<ActiveResource>();
  recording.heap_timers = reader.rows<HeapTimer>();
  recording.snapshot_files = reader.rows<SnapshotFile>();
  recording.loop_activities = reader.rows<LoopActivity>();
  recording.loop_stalls = reader.rows<LoopStall>();
  recording.upstream_waits = reader.rows<UpstreamWait>();
  recording.driver_loads = reader.rows<DriverLoad>();
  recording.triggers = reader.rows<Trigger>();
  recording.latencies = reader.rows<LatencyBucket>();
  recording.unmatched_messages = reader.rows<UnmatchedMessage>();
  recording.source_files = reader.rows<SourceFile>();
  recording.unread_sources = reader.rows<UnreadSource>();
  recording.losses = reader.rows<Loss>();
  recording.notes = reader.rows<Note>();
  if (reader.failure()) return *reader.failure();
  return recording;
}

}  // namespace ebbtide
