#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/sections.h"
#include "analysis/report/table.h"
#include "analysis/statistics.h"

namespace ebbtide {
namespace {

constexpr std::size_t failures_shown = 5;
constexpr std::size_t close_wait = 8;
constexpr std::size_t fin_wait2 = 5;

void add_times(MarkdownTable& table, const std::string& title, std::vector<double> seconds) {
  if (seconds.empty()) return;
  std::ranges::sort(seconds);
  table.row({title, integer_text(static_cast<std::int64_t>(seconds.size())),
             duration_text(percentile(seconds, 0.5)), duration_text(percentile(seconds, 0.99)),
             duration_text(seconds.back())});
}

MarkdownTable times_of(const std::string& what, const std::string& whose) {
  return MarkdownTable({{what, Align::left}, {whose}, {"median"}, {"p99"}, {"longest"}});
}

// A connection's way up, each step timed from the one before it.
std::string times_table(const Recording& recording) {
  std::array<std::vector<double>, 3> seconds;
  for (const Connection& connection : recording.connections) {
    const std::array times = {connection.start_ns, connection.connected_ns, connection.upgraded_ns,
                              connection.established_ns};
    std::uint64_t previous = times[0];
    for (std::size_t step = 1; step < times.size(); ++step) {
      if (times[step] == 0 || times[step] < previous) continue;
      seconds[step - 1].push_back(static_cast<double>(times[step] - previous) * 1e-9);
      previous = times[step];
    }
  }
  MarkdownTable table = times_of("step", "connections");
  add_times(table, "TCP connect", std::move(seconds[0]));
  add_times(table, "upgrade", std::move(seconds[1]));
  add_times(table, "answers", std::move(seconds[2]));
  return table.empty() ? "" : table.markdown();
}

std::string failure_reason(const Connection& connection) {
  std::string reason = fmt::format("at {}: ", name_of(connection.failed_at));
  if (connection.http_status != 0) reason += fmt::format("HTTP {} ", connection.http_status);
  return reason + cell_code(connection.error.empty() ? "no reason recorded" : connection.error);
}

std::string failures_table(const Recording& recording) {
  std::map<std::string, std::uint64_t> reasons;
  for (const Connection& connection : recording.connections) {
    if (connection.failed_at != Stage::none) ++reasons[failure_reason(connection)];
  }
  if (reasons.empty()) return "";
  std::vector<std::pair<std::string, std::uint64_t>> ranked(reasons.begin(), reasons.end());
  std::ranges::stable_sort(ranked, std::ranges::greater(), &decltype(ranked)::value_type::second);
  MarkdownTable table({{"failed", Align::left}, {"connections"}});
  for (std::size_t i = 0; i < std::min(failures_shown, ranked.size()); ++i) {
    table.row({ranked[i].first, integer_text(static_cast<std::int64_t>(ranked[i].second))});
  }
  std::string text = table.markdown();
  if (ranked.size() > failures_shown) {
    text += fmt::format("And {}.\n\n",
                        counted(ranked.size() - failures_shown, "further kind of failure"));
  }
  return text;
}

std::string driver_part(const Recording& recording) {
  if (recording.connections.empty()) return "";
  std::uint64_t established = 0;
  std::uint64_t failed = 0;
  std::uint64_t not_closed = 0;
  for (const Connection& connection : recording.connections) {
    established += connection.established_ns != 0;
    failed += connection.failed_at != Stage::none;
    not_closed += connection.close_timed_out;
  }
  std::string text =
      fmt::format("### Connections\n\n{} of {} established, {} failed.",
                  integer_text(static_cast<std::int64_t>(established)),
                  integer_text(static_cast<std::int64_t>(recording.connections.size())),
                  integer_text(static_cast<std::int64_t>(failed)));
  if (not_closed > 0) {
    text += fmt::format(" The server did not close {} within the timeout.",
                        counted(not_closed, "connection"));
  }
  return text + "\n\n" + times_table(recording) + failures_table(recording);
}

std::string join_sentence(const SocketJoin& join) {
  std::string text = fmt::format("{} of {} were found on the server's side by their port.",
                                 integer_text(static_cast<std::int64_t>(join.connection_of.size())),
                                 counted(join.connected, "connection"));
  if (!join.strangers.empty()) {
    text += fmt::format(" {} came from elsewhere during the run and {} not counted as survivors.",
                        counted(join.strangers.size(), "accepted socket"),
                        join.strangers.size() == 1 ? "is" : "are");
  }
  return text;
}

std::string sockets_part(const ReportInput& input) {
  std::array<std::vector<double>, tcp_state_count> in_state;
  std::array<std::uint64_t, 3> first{};
  std::array<std::uint64_t, tcp_state_count> staying{};
  std::uint64_t lives = 0;
  for (const SocketLife& socket : input.recording.sockets) {
    const bool ours = input.join.connection_of.contains(socket.resource_id);
    if (!ours) continue;
    ++lives;
    ++first.at(static_cast<std::size_t>(socket.closed_first) % first.size());
    if (socket.end_ns == 0 && socket.state < tcp_state_count) ++staying[socket.state];
    for (std::size_t state = 1; state < tcp_state_count; ++state) {
      if (socket.ns_in_state[state] == 0) continue;
      in_state[state].push_back(static_cast<double>(socket.ns_in_state[state]) * 1e-9);
    }
  }
  if (input.recording.sockets.empty()) return "";
  std::string text = "### Socket lives\n\n" + join_sentence(input.join);
  if (lives == 0) return text + "\n\n";
  const auto number = [](std::uint64_t n) { return integer_text(static_cast<std::int64_t>(n)); };
  text += fmt::format(
      " The peer closed first in {}, the target in {}, nobody in {}. {} stay in CLOSE_WAIT, {} in "
      "FIN_WAIT2.\n\n",
      number(first[2]), number(first[1]), number(first[0]), number(staying[close_wait]),
      number(staying[fin_wait2]));
  MarkdownTable table = times_of("time in state", "sockets");
  for (std::size_t state = 1; state < tcp_state_count; ++state) {
    add_times(table, std::string(tcp_state_name(static_cast<std::uint8_t>(state))),
              std::move(in_state[state]));
  }
  return text + (table.empty() ? "" : table.markdown());
}

}  // namespace

std::string connections_part(const ReportInput& input) {
  return driver_part(input.recording) + sockets_part(input);
}

}  // namespace ebbtide
