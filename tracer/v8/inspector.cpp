#include "tracer/v8/inspector.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "recording/clock.h"
#include "tracer/v8/devtools.h"
#include "tracer/v8/inspector_port.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

// By value: a result by reference would keep the object alive in the inspector's table.
json evaluation(const char* expression) {
  json parameters;
  parameters["expression"] = expression;
  parameters["returnByValue"] = true;
  parameters["awaitPromise"] = true;
  parameters["silent"] = true;
  return parameters;
}

std::optional<std::int64_t> byte_count(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_integer()) return std::nullopt;
  return member->get<std::int64_t>();
}

// What the JavaScript of an evaluation returned; null when the answer is none.
const json* value_of(const json& answer) {
  if (!answer.is_object()) return nullptr;
  const auto result = answer.find("result");
  if (result == answer.end() || !result->is_object()) return nullptr;
  const auto value = result->find("value");
  return value == result->end() || !value->is_object() ? nullptr : &*value;
}

constexpr std::size_t max_resource_kinds = 64;

constexpr const char* usage_expression =
    "({...process.memoryUsage(), resources: (process.getActiveResourcesInfo?.() ?? [])"
    ".reduce((counts, kind) => (counts[kind] = (counts[kind] ?? 0) + 1, counts), {})})";

std::map<std::string, std::uint64_t> parse_resources(const json& value) {
  std::map<std::string, std::uint64_t> counts;
  const auto resources = value.find("resources");
  if (resources == value.end() || !resources->is_object()) return counts;
  for (const auto& [kind, count] : resources->items()) {
    if (counts.size() < max_resource_kinds && count.is_number_unsigned())
      counts[kind] = count.get<std::uint64_t>();
  }
  return counts;
}

// `heap` as Runtime.getHeapUsage answers, `usage` as the evaluated usage_expression.
std::optional<HeapReading> parse_reading(const json& heap, const json& usage) {
  const json* found = value_of(usage);
  if (!heap.is_object() || found == nullptr) return std::nullopt;
  const json& value = *found;
  const auto used = byte_count(heap, "usedSize");
  const auto total = byte_count(heap, "totalSize");
  const auto external = byte_count(value, "external");
  const auto array_buffers = byte_count(value, "arrayBuffers");
  const auto rss = byte_count(value, "rss");
  if (!used || !total || !external || !array_buffers || !rss) return std::nullopt;
  return HeapReading{.heap_used = *used,
                     .heap_total = *total,
                     .external = *external,
                     .array_buffers = *array_buffers,
                     .rss = *rss,
                     .active_resources = parse_resources(value)};
}

}  // namespace

InspectorSession::InspectorSession(std::unique_ptr<DevtoolsChannel> channel, pid_t pid,
                                   bool opened_by_us)
    : channel_(std::move(channel)), pid_(pid), opened_by_us_(opened_by_us) {}
InspectorSession::~InspectorSession() = default;

asio::awaitable<Result<std::unique_ptr<InspectorSession>>> InspectorSession::open(
    asio::any_io_executor executor, pid_t pid, std::chrono::milliseconds timeout) {
  const auto port = co_await find_or_open_inspector(executor, pid);
  if (!port) co_return port.error();
  // Without a session there is nothing that could shut the port again.
  const auto left_open = [&](Error error) {
    if (port->opened_by_us)
      error.remedy = "its inspector stays open now, for this machine only, until it is restarted";
    return error;
  };
  auto channel =
      co_await DevtoolsChannel::connect(executor, port->address, port->session_path, timeout);
  if (!channel) co_return left_open(channel.error());
  json enabled;
  enabled["enabled"] = true;
  const auto told =
      co_await (*channel)->call("NodeRuntime.notifyWhenWaitingForDisconnect", enabled);
  if (!told) co_return left_open(told.error());
  co_return std::unique_ptr<InspectorSession>(
      new InspectorSession(std::move(channel).value(), pid, port->opened_by_us));
}

asio::awaitable<Result<void>> InspectorSession::collect_garbage() {
  const auto collected = co_await channel_->call("HeapProfiler.collectGarbage", json::object());
  if (!collected) co_return collected.error();
  co_return Result<void>{};
}

asio::awaitable<Result<HeapReading>> InspectorSession::read_after_gc() {
  const auto subject = fmt::format("the heap of process {}", pid_);
  if (channel_ == nullptr) co_return Error{"read", subject, "the session is closed", ""};
  const auto start_ns = monotonic_ns();
  // As long as an inspector is on, V8 keeps the arguments of the application's last 1,000 console
  // calls for a console that might be opened: a server that logs its sockets would leak on our
  // account (measured: 2 KB a connection).
  const auto discarded = co_await channel_->call("Runtime.discardConsoleEntries", json::object());
  if (!discarded) co_return discarded.error();

  if (auto collected = co_await collect_garbage(); !collected) co_return collected.error();
  // Why a second collection: it frees what FinalizationRegistry callbacks and other work queued by
  // the first one let go of, which one alone leaves in the reading. On servers without any (plain,
  // deflate, logging, off-heap buffers; 10 cycles of 100; Node 20 and 24) the floor's slope and
  // scatter are the same with one and with two, and the second costs about 20 ms on a 5 MB heap.
  const auto turn = evaluation("new Promise(done => setImmediate(done)).then(() => 0)");
  const auto turned = co_await channel_->call("Runtime.evaluate", turn);
  if (!turned) co_return turned.error();
  if (auto collected = co_await collect_garbage(); !collected) co_return collected.error();

  // The heap is read before any JavaScript runs again: the first allocation after a collection
  // reserves an area that V8 counts as used (20 to 200 KB, another at every reading). Read here it
  // is within 112 bytes of what V8 itself finds at the end of the collection.
  const auto heap = co_await channel_->call("Runtime.getHeapUsage", json::object());
  if (!heap) co_return heap.error();
  const auto usage = evaluation(usage_expression);
  const auto answer = co_await channel_->call("Runtime.evaluate", usage);
  if (!answer) co_return answer.error();
  auto reading = parse_reading(*heap, *answer);
  if (!reading) {
    co_return Error{"read", subject, "the inspector answered something else", ""};
  }
  reading->ts_ns = monotonic_ns();
  reading->took_ns = reading->ts_ns - start_ns;
  co_return *reading;
}

asio::awaitable<Result<std::uint64_t>> InspectorSession::take_snapshot(
    std::string path, std::function<void(std::uint64_t)> written) {
  if (channel_ == nullptr) co_return Error{"write", path, "the inspector's session is closed", ""};
  const auto unwritten = [&](std::string reason) {
    return Error{"write", path, std::move(reason), "name another directory with -o"};
  };
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) co_return unwritten(std::strerror(errno));
  std::uint64_t bytes = 0;
  const auto take = [&](std::string_view method, const json& event) {
    if (method != "HeapProfiler.addHeapSnapshotChunk" || !event.is_object()) return;
    const auto chunk = event.find("chunk");
    if (chunk == event.end() || !chunk->is_string()) return;
    const auto& text = chunk->get_ref<const std::string&>();
    file << text;
    bytes += text.size();
    written(bytes);
  };
  json parameters;
  parameters["reportProgress"] = true;  // signs of life while the graph is built
  const auto answer = co_await channel_->call("HeapProfiler.takeHeapSnapshot", parameters, take);
  file.close();
  if (answer && file && bytes > 0) co_return bytes;
  const int code = errno;
  std::remove(path.c_str());
  if (!answer) co_return answer.error();
  co_return unwritten(bytes == 0 ? "the inspector sent nothing" : std::strerror(code));
}

asio::awaitable<void> InspectorSession::close() {
  if (channel_ != nullptr && opened_by_us_) {
    // From a turn of its own: the inspector cannot be torn down while it runs our request. It may
    // vanish before it answers, so the answer does not matter.
    const auto end = evaluation("void setImmediate(() => process._debugEnd())");
    (void)co_await channel_->call("Runtime.evaluate", end);
  }
  channel_.reset();
}

}  // namespace ebbtide
