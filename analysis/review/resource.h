// Answers: what kind of thing does a finding say is kept, and when was it taken? In words that a
// measurement can be compared with: a leaked socket is not explained by a timer, and what only an
// HTTP request does was not done by a run that only opened connections.
#pragma once

#include <cstdint>
#include <string_view>

namespace ebbtide {

enum class ReviewResource : std::uint8_t {
  none,          // nothing is kept
  entry,         // of a collection
  listener,      // on an emitter
  timer,         // an interval, or a timeout that sets itself up again
  socket,        // an outgoing one that the server opened
  process,       // a child
  worker,        // a thread
  client,        // of a database or of Redis
  subscription,  // of an observable
  watcher,       // of files
  stream,        // of a file
  connection,    // the incoming one itself is left open
};

// "timer": the word for it in a sentence; "" for none.
std::string_view resource_word(ReviewResource resource);

// When code runs that a connection makes run; a set, as bits.
using ReviewMoments = std::uint8_t;
namespace review_moment {
inline constexpr ReviewMoments on_open = 1;         // once, when the connection has come in
inline constexpr ReviewMoments on_message = 2;      // with its messages or other events
inline constexpr ReviewMoments on_request = 4;      // with a plain HTTP request
inline constexpr ReviewMoments before_upgrade = 8;  // while it asks to become a WebSocket
inline constexpr ReviewMoments later = 16;          // from a timer or listener set up before
}  // namespace review_moment

}  // namespace ebbtide
