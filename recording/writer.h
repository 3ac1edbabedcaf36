// Answers: how does a run get to disk so that a kill -9 of the tool loses at most the open cycle?
// One SQLite file, one transaction per commit(); schema in docs/recording.md.
#pragma once

#include <memory>
#include <string>

#include "recording/result.h"
#include "recording/run.h"

namespace ebbtide {

// Writes one recording. Not thread-safe: one thread owns it.
class RecordingWriter {
 public:
  // Creates `path` (must not exist). Fails when the directory is not writable.
  static Result<std::unique_ptr<RecordingWriter>> create(const std::string& path);
  ~RecordingWriter();
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  // Adds one row to the open transaction; replacing rules are Record's. A failure (disk full) is
  // remembered: nothing after it is written, and every commit() from then on returns it.
  void add(const Record& record);

  // Makes all rows so far durable against the death of this process.
  Result<void> commit();

  [[nodiscard]] const std::string& path() const;

 private:
  struct Database;
  explicit RecordingWriter(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace ebbtide
