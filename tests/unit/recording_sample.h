// Answers: which recording has something of its own in every field, and are two recordings equal?
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "recording/names.h"
#include "recording/schema.h"

namespace ebbtide {

// Fills scalars with values that no two fields of a recording share, as far as their types allow.
class Filler {
 public:
  template <class Row>
  Row make() {
    Row row;
    for_each_column(row, [this](std::string_view, auto& field) { fill(field); });
    if constexpr (std::is_same_v<Row, RunInfo>) {
      row.plan.steps = {text(), text(), text()};
    } else if constexpr (std::is_same_v<Row, Stack>) {
      row.frames = {make<Frame>(), make<Frame>()};
    }
    return row;
  }

 private:
  template <class Field>
  void fill(Field& field) {
    ++count_;
    if constexpr (std::is_same_v<Field, std::string>) {
      field = text();
    } else if constexpr (std::is_same_v<Field, bool>) {
      field = true;
    } else if constexpr (std::is_enum_v<Field>) {
      std::uint64_t size = 1;
      while (parse_name<Field>(name_of(static_cast<Field>(size)))) ++size;
      field = static_cast<Field>(1 + count_ % (size - 1));
    } else if constexpr (sizeof(Field) == 8) {
      field = static_cast<Field>(0x8000000000000000 + count_);  // no double holds it
    } else {
      field = static_cast<Field>(count_);
    }
  }

  // No text that JSON, UTF-8 or a C string would carry.
  std::string text() { return std::to_string(++count_) + std::string("\0'\"\xff\xc0 é\n", 9); }

  std::uint64_t count_ = 0;
};

// Each table's rows of a recording, RunInfo and RunEnd included, as the records that make it.
inline std::vector<Record> records_of(const Recording& recording) {
  std::vector<Record> records = {recording.run, recording.end};
  const auto append = [&](const auto& rows) {
    records.insert(records.end(), rows.begin(), rows.end());
  };
  append(recording.tiers);
  append(recording.cycles);
  append(recording.phases);
  append(recording.gauges);
  append(recording.timeline);
  append(recording.connections);
  append(recording.resources);
  append(recording.sockets);
  append(recording.births);
  append(recording.gcs);
  append(recording.stacks);
  append(recording.faults);
  append(recording.fd_events);
  append(recording.heap_censuses);
  append(recording.heap_classes);
  append(recording.heap_paths);
  append(recording.heap_path_levels);
  append(recording.active_resources);
  append(recording.heap_timers);
  append(recording.snapshot_files);
  append(recording.loop_activities);
  append(recording.loop_stalls);
  append(recording.upstream_waits);
  append(recording.driver_loads);
  append(recording.triggers);
  append(recording.latencies);
  append(recording.unmatched_messages);
  append(recording.source_files);
  append(recording.unread_sources);
  append(recording.losses);
  append(recording.notes);
  return records;
}

// Two rows of every record type.
inline std::vector<Record> sample_records() {
  Filler filler;
  std::vector<Record> records;
  const auto add = [&]<class... Row>(std::type_identity<std::variant<Row...>>) {
    ((records.push_back(filler.make<Row>()), records.push_back(filler.make<Row>())), ...);
  };
  add(std::type_identity<Record>());
  return records;
}

template <class Row>
std::vector<std::string> values_of(const Row& row) {
  std::vector<std::string> values;
  for_each_column(row, [&]<class Field>(std::string_view column, const Field& field) {
    std::string text;
    if constexpr (std::is_same_v<Field, std::string>) {
      text = field;
    } else if constexpr (std::is_enum_v<Field>) {
      text = name_of(field);
    } else {
      text = std::to_string(field);
    }
    values.push_back(std::string(column) + "=" + text);
  });
  if constexpr (std::is_same_v<Row, RunInfo>) {
    for (const std::string& step : row.plan.steps) values.push_back("step=" + step);
  } else if constexpr (std::is_same_v<Row, Stack>) {
    for (const Frame& frame : row.frames) {
      for (const std::string& value : values_of(frame)) values.push_back(value);
    }
  }
  return values;
}

inline std::vector<std::vector<std::string>> values_of(const std::vector<Record>& records) {
  std::vector<std::vector<std::string>> values;
  for (const Record& record : records) {
    values.push_back(std::visit([](const auto& row) { return values_of(row); }, record));
    values.back().insert(values.back().begin(), "alternative " + std::to_string(record.index()));
  }
  return values;
}

}  // namespace ebbtide
