#include "recording/writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "recording/schema.h"
#include "recording/statement.h"

namespace ebbtide {
namespace {

template <class T>
struct Insert {
  Statement statement;

  void prepare(sqlite3* database) {
    statement = Statement(database, insert_sql(Table<T>::name, Table<T>::key, columns_of<T>()));
  }
};

std::string remedy_for(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "free space on the disk, or choose another output directory with -o";
    case SQLITE_BUSY:
      return "another program holds the recording open; close it";
    default:
      return "choose another output directory with -o";
  }
}

}  // namespace

struct RecordingWriter::Database {
  std::string path;
  DatabaseHandle handle;
  ForEachTable<Insert> inserts;
  Statement begin, commit, forget_steps, forget_frames;
  bool in_transaction = false;
  std::optional<Error> failure;  // the first one; nothing is written after it

  bool check(int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return true;
    if (!failure) failure = Error{"write", path, sqlite3_errmsg(handle.get()), remedy_for(code)};
    return false;
  }

  bool run(Statement& statement) {
    const int code = statement.step();
    statement.reset();
    return check(code);
  }

  void prepare() {
    sqlite3* database = handle.get();
    std::apply([&](auto&... insert) { (insert.prepare(database), ...); }, inserts);
    begin = Statement(database, "BEGIN");
    commit = Statement(database, "COMMIT");
    forget_steps = Statement(database, "DELETE FROM plan_step");
    forget_frames = Statement(database, "DELETE FROM frame WHERE stack_id = ?");
    check(sqlite3_errcode(database));
  }

  template <class T>
  void insert(const T& row) {
    Statement& statement = std::get<Insert<T>>(inserts).statement;
    int index = 0;
    for_each_column(row,
                    [&](std::string_view, const auto& field) { statement.bind(index++, field); });
    run(statement);
  }

  void insert_list(const auto&) {}

  void insert_list(const RunInfo& row) {
    run(forget_steps);
    for (const std::string& text : row.plan.steps) {
      insert(PlanStep{static_cast<std::uint32_t>(&text - row.plan.steps.data()), text});
    }
  }

  void insert_list(const Stack& row) {
    forget_frames.bind(0, row.id);
    run(forget_frames);
    for (const Frame& frame : row.frames) {
      insert(StackFrame{row.id, static_cast<std::uint32_t>(&frame - row.frames.data()), frame});
    }
  }
};

RecordingWriter::RecordingWriter(std::unique_ptr<Database> database)
    : database_(std::move(database)) {}

RecordingWriter::~RecordingWriter() = default;

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(const std::string& path) {
  // SQLite would open an existing file, and take names like ":memory:" for something else.
  const std::string absolute = std::filesystem::absolute(path).string();
  const int fd = ::open(absolute.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) {
    const int code = errno;
    return Error{"create the recording", path, std::strerror(code),
                 code == EEXIST ? "remove it, or choose another output directory with -o"
                                : "choose another output directory with -o"};
  }
  ::close(fd);

  auto database = std::make_unique<Database>();
  database->path = path;
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(absolute.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
  database->handle.reset(handle);
  if (database->check(opened)) {
    sqlite3_busy_timeout(handle, 5000);  // a reader holds the file for milliseconds
    // The page cache outlives this process, so its death loses nothing that was committed; a sync
    // per commit would protect against power loss only, and disturb the target's own disk.
    const std::string sql =
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
        "BEGIN;" +
        create_sql() + "COMMIT;";
    if (database->check(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr))) {
      database->prepare();
    }
  }
  if (database->failure) {
    ::unlink(absolute.c_str());
    return *database->failure;
  }
  return std::unique_ptr<RecordingWriter>(new RecordingWriter(std::move(database)));
}

void RecordingWriter::add(const Record& record) {
  Database& database = *database_;
  if (database.failure) return;
  if (!database.in_transaction) {
    database.in_transaction = database.run(database.begin);
    if (!database.in_transaction) return;
  }
  std::visit(
      [&](const auto& row) {
        database.insert(row);
        database.insert_list(row);
      },
      record);
}

Result<void> RecordingWriter::commit() {
  Database& database = *database_;
  if (database.in_transaction && !database.failure && database.run(database.commit)) {
    database.in_transaction = false;
  }
  if (database.failure) return *database.failure;
  return {};
}

const std::string& RecordingWriter::path() const { return database_->path; }

}  // namespace ebbtide
