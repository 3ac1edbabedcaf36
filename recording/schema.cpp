#include "recording/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace ebbtide {
namespace {

struct AnyValue {
  template <class T>
  operator T() const;  // NOLINT(implicit): stands for the initializer of any field
};

template <class T, std::size_t... I>
consteval bool has_fields(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), AnyValue{})...}; };
}

// How many fields the aggregate T has: the most initializers it takes.
template <class T, std::size_t N = 0>
consteval std::size_t field_count() {
  if constexpr (has_fields<T>(std::make_index_sequence<N + 1>())) {
    return field_count<T, N + 1>();
  } else {
    return N;
  }
}

template <class T>
consteval std::size_t described_count() {
  std::size_t count = 0;
  T row{};
  Table<T>::fields(row, [&](std::string_view, auto&) { ++count; });
  return count;
}

template <class T>
struct Complete {
  static_assert(described_count<T>() == field_count<T>(), "a field is missing in Table<T>::fields");
};
[[maybe_unused]] constexpr ForEachTable<Complete> tables;
[[maybe_unused]] constexpr std::tuple<Complete<PlanInfo>, Complete<Frame>> parts;

std::string column_list(const std::vector<Column>& columns) {
  std::vector<std::string_view> names;
  for (const Column& column : columns) names.push_back(column.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

template <class T>
struct CreateTable {
  static std::string sql() {
    std::vector<std::string> lines;
    for (const Column& column : columns_of<T>()) {
      lines.push_back(fmt::format("  {} {} NOT NULL", column.name, column.type));
    }
    // UNIQUE and not PRIMARY KEY: an integer key would become the rowid, which keeps the order.
    if (!Table<T>::key.empty()) lines.push_back(fmt::format("  UNIQUE ({})", Table<T>::key));
    return fmt::format("CREATE TABLE {} (\n{}\n) STRICT;\n", Table<T>::name,
                       fmt::join(lines, ",\n"));
  }
};

}  // namespace

std::string create_sql() {
  std::string sql = fmt::format(
      "PRAGMA application_id = {0};\nPRAGMA user_version = {1};\n"
      "CREATE TABLE meta (\n  name TEXT NOT NULL PRIMARY KEY,\n  value TEXT NOT NULL\n) STRICT;\n"
      "INSERT INTO meta VALUES ('format', 'ebbtide recording'), ('schema_version', '{1}');\n",
      recording_application_id, recording_schema_version);
  std::apply([&](auto... table) { (sql.append(table.sql()), ...); }, ForEachTable<CreateTable>());
  return sql;
}

std::string insert_sql(std::string_view table, std::string_view key,
                       const std::vector<Column>& columns) {
  const std::vector<std::string_view> parameters(columns.size(), "?");
  std::string sql = fmt::format("INSERT INTO {} ({}) VALUES ({})", table, column_list(columns),
                                fmt::join(parameters, ", "));
  if (key.empty()) return sql;
  std::vector<std::string> updates;
  for (const Column& column : columns) {
    updates.push_back(fmt::format("{0} = excluded.{0}", column.name));
  }
  return sql + fmt::format(" ON CONFLICT ({}) DO UPDATE SET {}", key, fmt::join(updates, ", "));
}

std::string select_sql(std::string_view table, const std::vector<Column>& columns) {
  return fmt::format("SELECT {} FROM {} ORDER BY rowid", column_list(columns), table);
}

}  // namespace ebbtide
