// Answers: which subscriber got which trigger's message, how often, in which order and how soon?
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "driver/broadcast.h"
#include "driver/observer.h"
#include "driver/trigger.h"
#include "recording/latency.h"
#include "recording/load.h"

namespace ebbtide {

// The cost of a message is the search for tokens and one bit per token. The bits of a trigger are
// kept until `remembered_triggers` later ones were begun.
class Deliveries {
 public:
  static constexpr std::size_t remembered_triggers = 8192;

  // `one_by_one`: all triggers take one connection, so that their numbers are their order. Else one
  // comes after another only if it was sent when that one had been answered.
  Deliveries(std::uint32_t cycle, std::uint64_t first_number, std::string_view run, bool one_by_one)
      : cycle_(cycle), first_number_(first_number), one_by_one_(one_by_one), tokens_(run) {}

  void add_subscriber(std::uint64_t id);

  // Messages of triggers after the last that came to it are no longer expected: they may have been
  // on the way.
  void remove_subscriber(std::uint64_t id);

  // A new trigger, not yet sent; returns its index.
  std::size_t begin(std::uint64_t scheduled_ns);
  [[nodiscard]] std::string token(std::size_t index) const {
    return tokens_.token(triggers_[index].number);
  }

  // From now on its message is expected at everyone who is subscribed.
  void note_sent(std::size_t index, std::uint64_t now_ns);

  // Takes a message's tokens; returns whether it had one. A token that stands in a message several
  // times came once.
  bool take(std::uint64_t id, std::string_view payload, Receipt receipt);

  // The triggers so far, by index; one of `answered_ns`, `http_status` and `error` is the sender's
  // to fill.
  std::vector<Trigger>& triggers() { return triggers_; }
  [[nodiscard]] const std::vector<Trigger>& triggers() const { return triggers_; }

  [[nodiscard]] std::uint32_t subscribers() const {
    return static_cast<std::uint32_t>(subscribers_.size());
  }
  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  [[nodiscard]] std::uint64_t missing() const { return missing_; }  // expected and not yet there
  [[nodiscard]] std::uint64_t longest_ns() const { return longest_ns_; }  // delivery so far

  // Everything but still_coming and gave_up.
  [[nodiscard]] BroadcastResult result() const;

 private:
  struct Subscriber {
    std::uint32_t bit = 0;
    std::uint64_t next_index = 0;      // behind the highest trigger that came to it
    std::uint64_t latest_sent_ns = 0;  // of the triggers that came to it
  };
  // Who has got one trigger's message: a bit per subscriber, of those that were there when it was
  // sent.
  struct Copies {
    std::uint32_t bits = 0;
    std::uint64_t last_message = 0;  // the last of all messages that had its token
    std::vector<std::uint64_t> got;
  };

  Copies& copies_of(std::size_t index) { return copies_[index % remembered_triggers]; }
  void take_token(Subscriber& subscriber, std::size_t index, Receipt receipt);
  void take_first_copy(Subscriber& subscriber, std::size_t index, Receipt receipt);

  std::uint32_t cycle_;
  std::uint64_t first_number_;
  bool one_by_one_;
  TriggerTokens tokens_;
  std::vector<Trigger> triggers_;
  std::vector<Copies> copies_ = std::vector<Copies>(remembered_triggers);
  std::unordered_map<std::uint64_t, Subscriber> subscribers_;  // by connection id
  std::uint32_t next_bit_ = 0;

  std::uint64_t messages_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t longest_ns_ = 0;
  std::array<LatencyHistogram, 3> latencies_;  // by LatencyKind
  UnmatchedMessage unmatched_;
  std::uint64_t strange_tokens_ = 0;
  std::uint64_t unstamped_ = 0;
  std::uint64_t too_old_ = 0;
};

}  // namespace ebbtide
