// Answers: how does a C++ row get through a prepared SQLite statement, and back?
// Enums travel as their names, strings as their bytes whatever they are, 64-bit unsigned numbers
// as the signed number of the same bits.
#pragma once

#include <sqlite3.h>

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recording/names.h"
#include "recording/schema.h"

namespace ebbtide {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

// A prepared statement. Parameters and columns count from 0. A statement that could not be
// prepared is empty: binding does nothing and step() returns SQLITE_MISUSE.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v3(database, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    handle_.reset(statement);
  }

  template <Scalar T>
  void bind(int index, const T& value) {
    if constexpr (std::is_enum_v<T>) {
      bind_text(index, name_of(value));
    } else if constexpr (std::is_same_v<T, std::string>) {
      bind_text(index, value);
    } else {
      sqlite3_bind_int64(handle_.get(), index + 1, static_cast<sqlite3_int64>(value));
    }
  }

  // False: the file holds a value that no T has.
  template <Scalar T>
  [[nodiscard]] bool read(int index, T& value) const {
    if constexpr (std::is_enum_v<T>) {
      const auto parsed = parse_name<T>(text(index));
      if (parsed) value = *parsed;
      return parsed.has_value();
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = text(index);
      return true;
    } else {
      const sqlite3_int64 stored = sqlite3_column_int64(handle_.get(), index);
      value = static_cast<T>(stored);
      return static_cast<sqlite3_int64>(value) == stored;
    }
  }

  // SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return sqlite3_step(handle_.get()); }

  // Makes the statement ready for the next row.
  void reset() { sqlite3_reset(handle_.get()); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  void bind_text(int index, std::string_view text) {
    // SQLITE_STATIC: every caller steps before the row goes.
    sqlite3_bind_text64(handle_.get(), index + 1, text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }

  [[nodiscard]] std::string_view text(int index) const {
    const unsigned char* bytes = sqlite3_column_text(handle_.get(), index);
    const int size = sqlite3_column_bytes(handle_.get(), index);
    return bytes ? std::string_view(reinterpret_cast<const char*>(bytes), size) : "";
  }

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace ebbtide
