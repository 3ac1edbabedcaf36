#include "driver/broadcast_deliveries.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ebbtide {
namespace {

constexpr std::size_t sample_bytes = 200;

// Not within a character of UTF-8.
std::string cut(std::string_view text) {
  if (text.size() <= sample_bytes) return std::string(text);
  std::size_t size = sample_bytes;
  while (size > sample_bytes - 4 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return std::string(text.substr(0, size)) + "…";
}

std::uint64_t between(std::uint64_t from_ns, std::uint64_t to_ns) {
  return to_ns > from_ns ? to_ns - from_ns : 0;
}

}  // namespace

void Deliveries::add_subscriber(std::uint64_t id) {
  const auto [subscriber, fresh] = subscribers_.try_emplace(id);
  if (fresh) subscriber->second.bit = next_bit_++;
}

void Deliveries::remove_subscriber(std::uint64_t id) {
  const auto found = subscribers_.find(id);
  if (found == subscribers_.end()) return;
  const Subscriber& subscriber = found->second;
  const std::size_t oldest =
      triggers_.size() - std::min(triggers_.size(), Deliveries::remembered_triggers);
  for (std::size_t index = std::max<std::size_t>(subscriber.next_index, oldest);
       index < triggers_.size(); ++index) {
    if (subscriber.bit >= copies_of(index).bits) continue;
    --triggers_[index].expected;
    --missing_;
  }
  subscribers_.erase(found);
}

std::size_t Deliveries::begin(std::uint64_t scheduled_ns) {
  const std::size_t index = triggers_.size();
  Trigger& trigger = triggers_.emplace_back();
  trigger.number = first_number_ + index;
  trigger.cycle = cycle_;
  trigger.scheduled_ns = scheduled_ns;
  copies_of(index).bits = 0;
  return index;
}

void Deliveries::note_sent(std::size_t index, std::uint64_t now_ns) {
  Trigger& trigger = triggers_[index];
  trigger.sent_ns = now_ns;
  trigger.expected = subscribers_.size();
  missing_ += trigger.expected;
  if (index + remembered_triggers < triggers_.size()) return;
  Copies& copies = copies_of(index);
  copies.bits = next_bit_;
  copies.last_message = 0;
  copies.got.assign((next_bit_ + 63) / 64, 0);
}

bool Deliveries::take(std::uint64_t id, std::string_view payload, Receipt receipt) {
  const auto found = subscribers_.find(id);
  if (found == subscribers_.end()) return false;
  ++messages_;
  bool any = false;
  std::optional<std::uint64_t> number;
  for (std::string_view rest = payload; tokens_.next(rest, number); any = true) {
    const std::uint64_t index = number.value_or(0) - first_number_;
    if (!number || *number < first_number_ || index >= triggers_.size() ||
        triggers_[index].sent_ns == 0) {
      ++strange_tokens_;
    } else if (index + remembered_triggers < triggers_.size()) {
      ++too_old_;
    } else {
      take_token(found->second, index, receipt);
    }
  }
  if (!any && unmatched_.count++ == 0) unmatched_.sample = cut(payload);
  return any;
}

void Deliveries::take_token(Subscriber& subscriber, std::size_t index, Receipt receipt) {
  Copies& copies = copies_of(index);
  if (subscriber.bit >= copies.bits) return;  // came later: what it is told of before is a history
  if (std::exchange(copies.last_message, messages_) == messages_) return;
  std::uint64_t& word = copies.got[subscriber.bit / 64];
  const std::uint64_t bit = std::uint64_t{1} << (subscriber.bit % 64);
  if ((word & bit) != 0) {
    ++triggers_[index].duplicates;
    return;
  }
  word |= bit;
  take_first_copy(subscriber, index, receipt);
}

void Deliveries::take_first_copy(Subscriber& subscriber, std::size_t index, Receipt receipt) {
  Trigger& trigger = triggers_[index];
  ++delivered_;
  --missing_;
  const std::uint64_t after_ns = one_by_one_ ? trigger.sent_ns : trigger.answered_ns;
  if (after_ns != 0 && subscriber.latest_sent_ns > after_ns) ++trigger.reordered;
  subscriber.latest_sent_ns = std::max(subscriber.latest_sent_ns, trigger.sent_ns);
  subscriber.next_index = std::max<std::uint64_t>(subscriber.next_index, index + 1);

  const bool stamped = receipt.arrived_ns != 0;
  const std::uint64_t came_ns = stamped ? receipt.arrived_ns : receipt.read_ns;
  if (++trigger.delivered == 1) trigger.first_ns = came_ns;
  trigger.first_ns = std::min(trigger.first_ns, came_ns);
  trigger.last_ns = std::max(trigger.last_ns, came_ns);

  const std::uint64_t latency = between(trigger.sent_ns, came_ns);
  longest_ns_ = std::max(longest_ns_, latency);
  const auto histogram = [&](LatencyKind kind) -> LatencyHistogram& {
    return latencies_[static_cast<std::size_t>(kind)];
  };
  histogram(LatencyKind::delivery).add(latency);
  if (trigger.answered_ns != 0 && came_ns > trigger.answered_ns) {
    histogram(LatencyKind::after_answer).add(came_ns - trigger.answered_ns);
  }
  if (stamped) {
    histogram(LatencyKind::reading).add(between(receipt.arrived_ns, receipt.read_ns));
  } else {
    ++unstamped_;
  }
}

BroadcastResult Deliveries::result() const {
  BroadcastResult result;
  result.triggers = triggers_;
  for (std::size_t kind = 0; kind < latencies_.size(); ++kind) {
    latencies_[kind].for_each(
        [&](std::uint64_t lower_ns, std::uint64_t upper_ns, std::uint64_t count) {
          result.latencies.push_back(
              {cycle_, static_cast<LatencyKind>(kind), lower_ns, upper_ns, count});
        });
  }
  result.unmatched = unmatched_;
  result.unmatched.cycle = cycle_;
  result.strange_tokens = strange_tokens_;
  result.unstamped = unstamped_;
  result.too_old = too_old_;
  return result;
}

}  // namespace ebbtide
