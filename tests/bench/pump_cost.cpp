#include "tests/bench/pump_cost.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>

#include "bpf/event.h"
#include "recording/reader.h"
#include "tests/bench/tracing.h"

#include "bench.skel.h"  // needs bpf/event.h

namespace ebbtide {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t rates[] = {100'000, 250'000, 500'000, 1'000'000, 2'000'000};
constexpr std::uint64_t aim_rate = 500'000;
constexpr std::chrono::seconds duration{2};
constexpr std::chrono::microseconds pause{500};  // between two batches
constexpr std::uint64_t batch_max = 1024;        // as in bench.bpf.c
constexpr std::uint32_t flooded_cycle = 1;       // the server's own records are born in cycle 0

struct SkeletonCloser {
  void operator()(bench_bpf* skeleton) const { bench_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<bench_bpf, SkeletonCloser>;

struct Flooded {
  std::uint64_t sent = 0;
  std::uint64_t drained = 0;
  std::uint64_t lost = 0;
  double seconds = 0;
};

// The tracer's ring is the only one among this process's open files.
Result<int> find_ring() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    bpf_map_info info{};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_MAP_TYPE_RINGBUF &&
        info.name == std::string("ring"))
      return fd;
  }
  return Error{"find", "the tracer's ring", "no open file is one", ""};
}

Result<Skeleton> load_flood(int ring, const Target& target) {
  Skeleton skeleton(bench_bpf::open());
  if (!skeleton) return Error{"open", "the benchmark's programs", std::strerror(errno), ""};
  bpf_program__set_autoload(skeleton->progs.no_work, false);
  if (const int failed = bpf_map__reuse_fd(skeleton->maps.ring, ring); failed != 0)
    return Error{"share", "the tracer's ring", std::strerror(-failed), ""};
  if (const int failed = bench_bpf::load(skeleton.get()); failed != 0)
    return Error{"load", "the benchmark's programs", std::strerror(-failed), ""};
  skeleton->bss->flooded_tgid = static_cast<__u32>(target.process.pid);
  skeleton->bss->epoch = flooded_cycle << EBB_PHASE_BITS;
  return skeleton;
}

// Sends `rate` records a second for `duration`; late batches are made up for.
Result<double> send(bench_bpf& skeleton, std::uint64_t rate) {
  const int program = bpf_program__fd(skeleton.progs.flood);
  const std::uint64_t total = rate * duration.count();
  const auto start = Clock::now();
  const auto elapsed_s = [&] {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  for (std::uint64_t sent = 0; sent < total;) {
    const auto due = static_cast<std::uint64_t>(elapsed_s() * static_cast<double>(rate));
    const std::uint64_t batch = std::min({batch_max, total - sent, due - std::min(due, sent)});
    if (batch == 0) {
      std::this_thread::sleep_for(pause);
      continue;
    }
    skeleton.bss->batch = static_cast<__u32>(batch);
    LIBBPF_OPTS(bpf_test_run_opts, options);
    if (const int failed = bpf_prog_test_run_opts(program, &options); failed != 0)
      return Error{"run", "the flood", std::strerror(-failed), ""};
    sent += batch;
  }
  return elapsed_s();
}

// Mappings born in the flooded cycle, by the recording.
std::uint64_t count_births(const Recording& recording) {
  for (const BirthCount& births : recording.births) {
    if (births.kind == ResourceKind::mapping && births.cycle == flooded_cycle) return births.births;
  }
  return 0;
}

Result<Flooded> flood(const Target& target, const std::string& path, std::uint64_t rate) {
  std::filesystem::remove(path);
  const auto tracer = attach_tracer(target, path);
  if (!tracer) return tracer.error();
  const auto ring = find_ring();
  if (!ring) return ring.error();
  const auto skeleton = load_flood(*ring, target);
  if (!skeleton) return skeleton.error();
  const auto seconds = send(**skeleton, rate);
  if (!seconds) return seconds.error();

  std::promise<void> settled;
  (*tracer)->measure(flooded_cycle, Point::settled, {}, [&](const auto&) { settled.set_value(); });
  settled.get_future().wait();
  if (auto ended = (*tracer)->finish({EndReason::completed, "", 0}); !ended) return ended.error();
  const auto recording = read_recording(path);
  if (!recording) return recording.error();
  const ebb_counters& counters = (*skeleton)->bss->counters;
  return Flooded{.sent = counters.mapping_operations,
                 .drained = count_births(*recording),
                 .lost = counters.lost_records,
                 .seconds = *seconds};
}

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

Row describe(std::uint64_t rate, const Flooded& flooded) {
  const bool exact = flooded.sent == flooded.drained + flooded.lost;
  Row row{.name = fmt::format("at {}/s", grouped(rate)),
          .figure = fmt::format("{} lost", grouped(flooded.lost)),
          .against = fmt::format(
              "{} sent in {:.2f} s, {} drained: {}", grouped(flooded.sent), flooded.seconds,
              grouped(flooded.drained),
              exact ? "every record drained or counted lost" : "THE COUNTS DO NOT ADD UP")};
  if (rate == aim_rate) {
    row.aim = "0 lost";
    row.met = flooded.lost == 0 && exact ? Met::yes : Met::no;
  }
  return row;
}

}  // namespace

Result<Rows> measure_pump(const Server& server, const std::string& directory) {
  const auto target = server_target(server);
  if (!target) return target.error();
  Rows rows;
  for (const std::uint64_t rate : rates) {
    const auto flooded = flood(*target, directory + "/flood.ebbtide", rate);
    if (!flooded) return flooded.error();
    rows.push_back(describe(rate, *flooded));
  }
  return rows;
}

}  // namespace ebbtide
