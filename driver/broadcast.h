// Answers: when one client makes the server broadcast, who gets the message, how often, in which
// order and how soon? The subscribers are a Cohort that this observes; the triggers are its own.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "driver/driver_load.h"
#include "driver/observer.h"
#include "driver/plan.h"
#include "recording/load.h"
#include "recording/result.h"

namespace ebbtide {

// http and https: a request. ws and wss: a message over one connection more, which first runs
// `steps`. In body, url.target and headers {token} stands for the trigger's token, {n} for its
// number.
struct TriggerPlan {
  Url url;
  TlsOptions tls;
  std::string method = "POST";
  Headers headers;
  std::string body;
  std::vector<Step> steps;
  std::uint32_t concurrency = 10;  // requests at once, each on a connection that is kept
  double rate = 0;                 // per second, on a schedule; 0: each as soon as one is answered
  std::uint64_t count = 0;         // 0: as many as fit into `duration`
  std::chrono::milliseconds duration{30'000};  // 0: until `count`
  std::chrono::milliseconds timeout{5000};     // for connecting, and for an answer
  // After the last trigger: over when nothing came for so long, at the latest after drain_limit.
  std::chrono::milliseconds quiet{500};
  std::chrono::milliseconds drain_limit{10'000};
};

// "POST http://127.0.0.1:8000/matches/1/commentary", or "ws://127.0.0.1:8000/ws"; a URL alone is a
// POST. Fills method and url.
Result<TriggerPlan> parse_trigger(std::string_view text);

// So many triggers a run may have; further ones are not sent.
inline constexpr std::uint64_t max_triggers = 1'000'000;

struct BroadcastResult {
  std::vector<Trigger> triggers;  // by number
  std::vector<LatencyBucket> latencies;
  UnmatchedMessage unmatched;
  std::uint64_t strange_tokens = 0;  // ours by their beginning, of a trigger that was never sent
  std::uint64_t unstamped = 0;  // deliveries timed by the driver's clock: no stamp of the kernel
  std::uint64_t too_old = 0;  // came so many triggers late that copies can no longer be told apart
  bool still_coming = false;  // drain_limit ended the wait for messages
  std::string gave_up;        // why the first triggers could not connect, which ended the run
};

struct BroadcastStatus {
  std::uint64_t sent = 0;  // triggers
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t delivered = 0;
  std::uint32_t subscribers = 0;  // established, reading, not yet closed
  Traffic traffic;                // of the triggers' connections
};

// Lives on one executor's thread, that of the cohort it observes. Destroy only after run()
// returned.
class Broadcast : public ConnectionObserver {
 public:
  // Triggers get the numbers first_number, … `run` makes the tokens this run's own: letters and
  // digits that appear in no message by accident.
  Broadcast(boost::asio::any_io_executor executor, TriggerPlan plan,
            std::vector<boost::asio::ip::tcp::endpoint> endpoints, std::uint32_t cycle,
            std::uint64_t first_number, std::string_view run);
  ~Broadcast() override;

  void on_established(std::uint64_t id, bool slow) override;
  void on_message(std::uint64_t id, std::string_view payload, Receipt receipt) override;
  void on_left(std::uint64_t id) override;

  // Sends the triggers and waits for the last messages. Call it when the subscribers are up.
  boost::asio::awaitable<void> run();

  // Makes run() return soon: nothing more is sent or waited for.
  void stop();

  [[nodiscard]] BroadcastStatus status() const;

  // Complete once run() has returned.
  [[nodiscard]] BroadcastResult result() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ebbtide
