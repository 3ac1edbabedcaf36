#include <algorithm>
#include <stdexcept>

#include "analysis/review/review.h"

namespace ebbtide {

const std::vector<ReviewRule>& review_rules() {
  using enum RuleFamily;
  using enum Severity;
  static const std::vector<ReviewRule> rules = {
      {"LC001", "tracked-not-removed", leak, error,
       "What is put into a long-lived collection for a connection must be taken out when the "
       "connection ends.",
       "what is put into a long-lived collection for a connection is taken out at its end"},
      {"LC002", "removal-ineffective", leak, error,
       "A removal that names another key, comes in the wrong order or loops over nothing removes "
       "nothing.",
       "no removal names another key, comes too late or goes through nothing"},
      {"LC003", "slot-overwritten", leak, warning,
       "A slot that remembers one entry forgets the one before; the end of the connection then "
       "removes only the last.",
       "no slot of a connection forgets what still stands"},
      {"LC004", "listener-outlives-connection", leak, error,
       "A listener added to a long-lived emitter for each connection keeps the connection until it "
       "is removed.",
       "no listener on a long-lived emitter outlives its connection"},
      {"LC005", "timer-not-cleared", leak, error,
       "An interval started for a connection runs, and keeps the connection, until it is cleared.",
       "no interval of a connection runs on"},
      {"LC006", "resource-not-released", leak, error,
       "A socket, process, client or stream opened for a connection stays open until it is "
       "closed.",
       "nothing that is opened for a connection stays open"},
      {"LC007", "release-conditional", leak, warning,
       "A release that depends on how the connection ended leaves the other ends without one.",
       "no release depends on how a connection ended"},
      {"LC008", "acquired-across-await", leak, error,
       "What is taken after an await may be taken when the connection has already ended, and is "
       "then never given back.",
       "nothing is taken after an await without a look whether the connection is there"},
      {"LC009", "remove-all-listeners", leak, error,
       "removeAllListeners() on a ws socket also removes the listener by which the server forgets "
       "it.",
       "no ws socket loses the listeners of its server"},
      {"LC010", "upgrade-left-open", leak, error,
       "An upgrade request that is neither handed over nor destroyed keeps its socket for ever.",
       "no upgrade request is left open"},
      {"LC011", "unbounded-history", leak, info,
       "A list that only grows, with every message or connection, never gives anything back.",
       "no list grows for ever"},
      {"LC012", "unsubscribe-forgets-index", leak, error,
       "When one of two indexes of the same thing is cleaned, the other keeps it and can no longer "
       "be found.",
       "no index is cleaned without its twin"},
      {"LC013", "shared-key-stale-close", leak, warning,
       "Two connections can share the key: the end of the older one removes the entry of the "
       "newer.",
       "no end of a connection removes what is another's"},
      {"LC014", "sweep-only-cleanup", leak, warning,
       "Cleaning up only in a sweep or at the next broadcast keeps what has ended until then.",
       "nothing waits for a sweep to be cleaned up"},
      {"LC015", "shared-slot-resource", leak, error,
       "A handle kept in one variable for all connections is overwritten by the next one and can "
       "no longer be released.",
       "no variable of all connections holds what one has opened"},
      {"LC016", "empty-container-stays", leak, warning,
       "A container made for a key must go when its last element goes, or every key ever used "
       "stays.",
       "no empty container stays under its key"},
      {"LC017", "cleanup-on-wrong-event", leak, error,
       "Cleaning up on an event that only some endings bring leaves the others without.",
       "no cleanup hangs on an event that only some endings bring"},
      {"RB001", "no-error-handler", robustness, error,
       "An 'error' that nobody listens to ends the process: one malformed frame is enough.",
       "the library listens to the errors of its connections"},
      {"RB002", "handlers-after-await", robustness, warning,
       "Messages that arrive before the listeners are attached are lost, and an early close is "
       "never seen.",
       "no listener is attached only after an await"},
      {"RB003", "upgrade-unguarded", robustness, error,
       "A socket that is waiting for its upgrade has no error listener yet: a reset ends the "
       "process.",
       "no upgrade request waits unguarded"},
      {"RB004", "double-upgrade", robustness, error,
       "A server that is attached already answers the upgrade; answering it again throws.",
       "no upgrade is answered twice"},
      {"RB005", "unguarded-parse", robustness, warning,
       "Parsing what a client sent outside of try lets one bad message end the process.",
       "nothing that a client sent is parsed outside of try"},
      {"RB006", "early-return-bare", robustness, info,
       "A connection that is turned away without being closed stays open.",
       "no connection is turned away without being closed"},
      {"RB007", "async-listener-uncaught", robustness, info,
       "A rejection in an async listener is nobody's: by default it ends the process.",
       "no listener leaves a rejection to nobody"},
      {"HY001", "no-heartbeat", hygiene, warning,
       "Without pings, a client that vanished keeps its connection for hours.",
       "the library pings its connections"},
      {"HY002", "no-max-payload", hygiene, info,
       "ws accepts messages of 100 MiB unless maxPayload says less.",
       "the size of messages is limited"},
      {"HY003", "broadcast-unchecked", hygiene, info,
       "Sending to all without a look at readyState or bufferedAmount piles up memory for slow "
       "readers.",
       "no broadcast goes out without a look at who reads"},
      {"HY004", "server-interval-kept", hygiene, info,
       "An interval of the server that is never cleared keeps the process from ending.",
       "no interval of the server keeps the process"},
      {"HY005", "duplicate-handler", hygiene, info,
       "The same listener is added twice, so everything it does happens twice.",
       "no listener is added twice"},
  };
  return rules;
}

const ReviewRule& review_rule(std::string_view id) {
  const auto& rules = review_rules();
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [&](const ReviewRule& rule) { return rule.id == id; });
  if (found == rules.end()) throw std::logic_error("no such rule: " + std::string(id));
  return *found;
}

}  // namespace ebbtide
