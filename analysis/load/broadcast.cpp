#include "analysis/load/broadcast.h"

#include <algorithm>
#include <set>

#include "analysis/load/bottleneck.h"
#include "recording/span.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t broadcast_cycle = 1;
constexpr std::uint64_t late_ns = 1'000'000;
constexpr double buffered_noise = 1 << 20;
constexpr double buffered_per_client = 64 * 1024;

void count_clients(const Recording& recording, BroadcastAssessment& assessment) {
  std::vector<const Connection*> clients;
  for (const Connection& connection : recording.connections) {
    if (connection.cycle != broadcast_cycle) continue;
    clients.push_back(&connection);
    assessment.subscribers += connection.established_ns != 0;
  }
  assessment.attempted = clients.size();
  assessment.client_failures = failure_reasons(clients);
}

void count_deliveries(const Recording& recording, BroadcastAssessment& assessment) {
  DeliveryCounts& counts = assessment.deliveries;
  for (const Trigger& trigger : recording.triggers) {
    ++counts.triggers;
    if (!is_well(trigger)) {
      counts.unexpected += trigger.delivered;
      continue;
    }
    ++counts.well;
    counts.expected += trigger.expected;
    counts.delivered += trigger.delivered;
    counts.lost += trigger.expected - std::min(trigger.expected, trigger.delivered);
    counts.copies += trigger.duplicates;
    counts.reordered += trigger.reordered;
  }
  assessment.trigger_failures = failure_reasons(recording.triggers);
}

// From the first trigger to the last sign of any.
void add_throughput(const Recording& recording, BroadcastAssessment& assessment) {
  std::uint64_t first_ns = 0;
  std::uint64_t last_sent_ns = 0;
  std::uint64_t sent = 0;
  std::uint64_t last_answer_ns = 0;
  std::uint64_t last_receipt_ns = 0;
  for (const Trigger& trigger : recording.triggers) {
    if (trigger.sent_ns == 0) continue;
    if (first_ns == 0 || trigger.sent_ns < first_ns) first_ns = trigger.sent_ns;
    ++sent;
    last_sent_ns = std::max(last_sent_ns, trigger.sent_ns);
    last_answer_ns = std::max({last_answer_ns, trigger.answered_ns, trigger.sent_ns});
    last_receipt_ns = std::max(last_receipt_ns, trigger.last_ns);
  }
  const double sending = span_seconds(first_ns, last_sent_ns);
  const double triggering = span_seconds(first_ns, last_answer_ns);
  if (triggering > 0) assessment.under_way = assessment.answer.sum / triggering;
  const double delivering = span_seconds(first_ns, std::max(last_receipt_ns, last_answer_ns));
  const DeliveryCounts& counts = assessment.deliveries;
  if (triggering > 0 && counts.well > 0) {
    assessment.triggers_per_second = static_cast<double>(counts.well) / triggering;
  }
  // Where no answer ends the last of them, or a schedule begins each, intervals are counted.
  if (sending > 0 && counts.well > 0 && (assessment.answer.count == 0 || assessment.lag.count > 0))
    assessment.triggers_per_second = static_cast<double>(counts.well) *
                                     static_cast<double>(sent - 1) / static_cast<double>(sent) /
                                     sending;
  if (delivering > 0 && last_receipt_ns > 0) {
    assessment.deliveries_per_second = static_cast<double>(counts.delivered) / delivering;
  }
}

// Lateness of a trigger is the tool's own when fewer requests were under way than at the peak.
class RequestsUnderWay {
 public:
  explicit RequestsUnderWay(const std::vector<Trigger>& triggers) {
    for (const Trigger& trigger : triggers) {
      if (trigger.answered_ns == 0) continue;
      sent_.push_back(trigger.sent_ns);
      answered_.push_back(trigger.answered_ns);
    }
    std::ranges::sort(sent_);
    std::ranges::sort(answered_);
    for (const std::uint64_t ns : sent_) peak_ = std::max(peak_, at(ns));
  }

  [[nodiscard]] std::ptrdiff_t peak() const { return peak_; }
  [[nodiscard]] bool free_at(std::uint64_t ns) const { return at(ns) < peak_; }

 private:
  [[nodiscard]] std::ptrdiff_t at(std::uint64_t ns) const {
    return std::ranges::upper_bound(sent_, ns) - sent_.begin() -
           (std::ranges::upper_bound(answered_, ns) - answered_.begin());
  }

  std::vector<std::uint64_t> sent_;
  std::vector<std::uint64_t> answered_;
  std::ptrdiff_t peak_ = 0;
};

void add_latencies(const Recording& recording, BroadcastAssessment& assessment) {
  assessment.delivery = latencies_of(recording, broadcast_cycle, LatencyKind::delivery);
  assessment.after_answer = latencies_of(recording, broadcast_cycle, LatencyKind::after_answer);
  assessment.reading = latencies_of(recording, broadcast_cycle, LatencyKind::reading);
  std::vector<double> spread;
  std::vector<double> first;
  double until_first = 0;
  std::vector<double> answer;
  std::vector<double> lag;
  const RequestsUnderWay under_way(recording.triggers);
  for (const Trigger& trigger : recording.triggers) {
    if (trigger.answered_ns != 0) {
      answer.push_back(span_seconds(trigger.sent_ns, trigger.answered_ns));
    }
    if (trigger.first_ns != 0) {
      first.push_back(span_seconds(trigger.sent_ns, trigger.first_ns));
      until_first += first.back() * static_cast<double>(trigger.delivered);
    }
    if (trigger.first_ns != 0 && trigger.delivered > 1) {
      spread.push_back(span_seconds(trigger.first_ns, trigger.last_ns));
    }
    if (trigger.scheduled_ns == 0 || trigger.sent_ns == 0) continue;
    lag.push_back(span_seconds(trigger.scheduled_ns, trigger.sent_ns));
    const bool late = trigger.sent_ns > trigger.scheduled_ns + late_ns;
    assessment.lag_of_driver += late && under_way.free_at(trigger.scheduled_ns);
  }
  // What passes after the answer is the sum of the latencies counted from it; the rest is before.
  if (!answer.empty() && assessment.delivery.sum > 0) {
    const double after = assessment.after_answer.sum / assessment.delivery.sum;
    assessment.before_answer_share = std::max(0.0, 1 - after);
  }
  if (!first.empty() && assessment.delivery.sum > 0) {
    assessment.before_first_share = std::min(1.0, until_first / assessment.delivery.sum);
  }
  assessment.most_under_way = under_way.peak();
  assessment.sent_on_delivery = answer.empty() && lag.empty() && !first.empty();
  assessment.first = latencies_of(std::move(first));
  assessment.spread = latencies_of(std::move(spread));
  assessment.answer = latencies_of(std::move(answer));
  assessment.lag = latencies_of(std::move(lag));
}

// How many connections of the target to a peer were there while the triggers ran.
std::uint64_t connections_to(const Recording& recording, const UpstreamWait& wait,
                             const PhaseSpan& hold) {
  std::set<std::uint64_t> outgoing;
  for (const Resource& resource : recording.resources) {
    if (resource.kind == ResourceKind::outgoing_socket) outgoing.insert(resource.id);
  }
  return static_cast<std::uint64_t>(
      std::ranges::count_if(recording.sockets, [&](const SocketLife& socket) {
        return socket.remote_port == wait.port && socket.remote_address == wait.address &&
               outgoing.contains(socket.resource_id) && socket.established_ns < hold.end_ns &&
               (socket.end_ns == 0 || socket.end_ns > hold.start_ns);
      }));
}

void add_upstreams(const Recording& recording, BroadcastAssessment& assessment) {
  const PhaseSpan* hold = phase_of(recording, broadcast_cycle, Phase::hold);
  for (const UpstreamWait& wait : recording.upstream_waits) {
    if (wait.cycle != broadcast_cycle || wait.phase != Phase::hold || wait.answers == 0) continue;
    const double total = static_cast<double>(wait.total_ns) * 1e-9;
    UpstreamUse use{.address = wait.address,
                    .port = wait.port,
                    .answers = wait.answers,
                    .mean_seconds = total / static_cast<double>(wait.answers),
                    .longest_seconds = static_cast<double>(wait.longest_ns) * 1e-9};
    if (assessment.answer.sum > 0) use.trigger_share = total / assessment.answer.sum;
    if (hold != nullptr && hold->end_ns > hold->start_ns) {
      use.outstanding = total / span_seconds(hold->start_ns, hold->end_ns);
      use.connections = connections_to(recording, wait, *hold);
    }
    assessment.upstreams.push_back(std::move(use));
  }
  std::ranges::stable_sort(
      assessment.upstreams, std::ranges::greater(),
      [](const UpstreamUse& use) { return use.mean_seconds * static_cast<double>(use.answers); });
}

std::optional<double> rise_while_held(const Readings& readings, GaugeKind kind) {
  const auto opened = readings.at(kind, Point::opened, broadcast_cycle);
  const auto held = readings.at(kind, Point::held, broadcast_cycle);
  if (!opened || !held) return std::nullopt;
  return static_cast<double>(*held - *opened);
}

void add_server_use(const Recording& recording, const Readings& readings,
                    BroadcastAssessment& assessment) {
  assessment.cpu = cpu_uses(recording, readings, broadcast_cycle);
  assessment.loops = loop_uses(recording, broadcast_cycle);
  assessment.uses = levels_of_use(readings, broadcast_cycle);
  assessment.driver_share = driver_share(recording, broadcast_cycle, Phase::hold);
  assessment.send_queue_growth = rise_while_held(readings, GaugeKind::socket_send_queue);
  const auto delivered =
      static_cast<double>(assessment.deliveries.delivered + assessment.deliveries.unexpected);
  if (const CpuUse* cpu = use_in(assessment.cpu, Phase::hold); cpu != nullptr && delivered > 0) {
    assessment.user_per_delivery = cpu->user_seconds / delivered;
    assessment.system_per_delivery = cpu->system_seconds / delivered;
  }
  const std::set<std::int32_t> threads = loop_threads(recording);
  for (const LoopStall& stall : recording.loop_stalls) {
    if (stall.cycle == broadcast_cycle && stall.phase == Phase::hold &&
        threads.contains(stall.tid)) {
      assessment.stalls.push_back(stall);
    }
  }
  std::ranges::stable_sort(assessment.stalls, std::ranges::greater(), &LoopStall::duration_ns);
  const PhaseSpan* hold = phase_of(recording, broadcast_cycle, Phase::hold);
  for (const TimelinePoint& point : recording.timeline) {
    if (hold == nullptr || point.ts_ns < hold->start_ns || point.ts_ns > hold->end_ns) continue;
    assessment.rss_peak =
        std::max(assessment.rss_peak.value_or(0), static_cast<double>(point.rss_bytes));
  }
}

// What one reading client got while the triggers ran, at most: answers to triggers are among it.
std::optional<double> bytes_per_reader(const Recording& recording, std::uint64_t readers) {
  for (const DriverLoad& load : recording.driver_loads) {
    if (load.cycle != broadcast_cycle || load.phase != Phase::hold || readers == 0) continue;
    return static_cast<double>(load.bytes_received) / static_cast<double>(readers);
  }
  return std::nullopt;
}

// Where messages for clients that do not read pile up: in the kernel up to its limits, then in the
// process. RSS is taken at its peak, heap and Buffers at the end of the hold.
void add_slow_readers(const Recording& recording, const Readings& readings,
                      BroadcastAssessment& assessment) {
  SlowReaders slow;
  for (const Connection& connection : recording.connections) {
    slow.clients += connection.cycle == broadcast_cycle && connection.slow;
  }
  if (slow.clients == 0) return;
  slow.kernel_growth = assessment.send_queue_growth;
  const auto heap = rise_while_held(readings, GaugeKind::heap_live);
  const auto buffers = rise_while_held(readings, GaugeKind::heap_live_external);
  const auto rss_opened = readings.at(GaugeKind::rss, Point::opened, broadcast_cycle);
  if (heap && buffers) {
    slow.process_subject = "V8 heap and Buffers reachable";
    slow.process_growth = *heap + *buffers;
  } else if (rss_opened && assessment.rss_peak) {
    slow.process_subject = "RSS";
    slow.process_growth = *assessment.rss_peak - static_cast<double>(*rss_opened);
  } else if (const auto rss = rise_while_held(readings, GaugeKind::rss)) {
    slow.process_subject = "RSS";
    slow.process_growth = rss;
  }
  const double least =
      std::max(buffered_noise, buffered_per_client * static_cast<double>(slow.clients));
  const auto sent_to_each = bytes_per_reader(
      recording, assessment.subscribers - std::min(assessment.subscribers, slow.clients));
  if (sent_to_each) {
    slow.unread = std::max(
        0.0, *sent_to_each * static_cast<double>(slow.clients) - slow.kernel_growth.value_or(0));
  }
  slow.grows = slow.process_growth.value_or(0) > least && slow.unread.value_or(least + 1) > least;
  assessment.slow = slow;
}

}  // namespace

BroadcastAssessment assess_broadcast(const Recording& recording) {
  BroadcastAssessment assessment;
  const Readings readings(recording);
  count_clients(recording, assessment);
  count_deliveries(recording, assessment);
  add_latencies(recording, assessment);
  add_throughput(recording, assessment);
  add_upstreams(recording, assessment);
  add_server_use(recording, readings, assessment);
  add_slow_readers(recording, readings, assessment);
  for (const UnmatchedMessage& message : recording.unmatched_messages) {
    if (assessment.unmatched == 0) assessment.unmatched_sample = message.sample;
    assessment.unmatched += message.count;
  }
  DeliveryCounts& counts = assessment.deliveries;
  counts.tokens_seen = counts.delivered + counts.unexpected > 0 || assessment.unmatched == 0;
  if (!counts.tokens_seen) counts.lost = 0;
  find_bottleneck(assessment);
  assessment.sentence = broadcast_sentence(recording, assessment);
  return assessment;
}

}  // namespace ebbtide
