// Answers: which statements make, fill and read the tables that tables.h describes?
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "recording/run.h"
#include "recording/tables.h"

namespace ebbtide {

inline constexpr std::uint32_t recording_application_id = 0x45424254;  // "EBBT"
inline constexpr std::uint32_t recording_schema_version = 7;

// Every row type that has a table, in the order of docs/recording.md.
template <template <class> class F>
using ForEachTable =
    std::tuple<F<RunInfo>, F<PlanStep>, F<RunEnd>, F<Tier>, F<Cycle>, F<PhaseSpan>, F<Gauge>,
               F<TimelinePoint>, F<Connection>, F<Resource>, F<SocketLife>, F<BirthCount>, F<Gc>,
               F<Stack>, F<StackFrame>, F<FaultCount>, F<FdEvent>, F<HeapCensus>, F<HeapClass>,
               F<HeapPath>, F<HeapPathLevel>, F<ActiveResource>, F<HeapTimer>, F<SnapshotFile>,
               F<LoopActivity>, F<LoopStall>, F<UpstreamWait>, F<DriverLoad>, F<Trigger>,
               F<LatencyBucket>, F<UnmatchedMessage>, F<SourceFile>, F<UnreadSource>, F<Loss>,
               F<Note>>;

template <class T>
concept Scalar = std::is_arithmetic_v<std::remove_const_t<T>> ||
    std::is_enum_v<std::remove_const_t<T>> || std::is_same_v<std::remove_const_t<T>, std::string>;

template <class T>
concept Described = requires(T& row) {
  Table<std::remove_const_t<T>>::fields(row, [](auto&&...) {});
};

// Calls visit(column, field) for every column of the row's table, where a field is a Scalar.
// Lists have a table of their own and no column here.
template <class Row>
void for_each_column(Row& row, auto&& visit) {
  Table<std::remove_const_t<Row>>::fields(
      row, [&]<class Field>(std::string_view column, Field& field) {
        if constexpr (Scalar<Field>) {
          visit(column, field);
        } else if constexpr (Described<Field>) {
          for_each_column(field, visit);
        } else if constexpr (requires { std::tuple_size<std::remove_const_t<Field>>::value; }) {
          static_assert(std::tuple_size_v<std::remove_const_t<Field>> == tcp_state_count);
          for (std::size_t state = 0; state < tcp_state_count; ++state) {
            visit(tcp_state_columns[state], field[state]);
          }
        }
      });
}

struct Column {
  std::string_view name;
  std::string_view type;  // "INTEGER" or "TEXT"
};

template <class T>
std::vector<Column> columns_of() {
  std::vector<Column> columns;
  T row{};
  for_each_column(row, [&]<class Field>(std::string_view name, Field&) {
    const bool text = std::is_enum_v<Field> || std::is_same_v<Field, std::string>;
    columns.push_back({name, text ? "TEXT" : "INTEGER"});
  });
  return columns;
}

// The statements that make an empty recording.
std::string create_sql();

// With a parameter for each column in order; replaces the row of the same key, if there is a key.
std::string insert_sql(std::string_view table, std::string_view key,
                       const std::vector<Column>& columns);

// Rows in the order they first came.
std::string select_sql(std::string_view table, const std::vector<Column>& columns);

}  // namespace ebbtide
