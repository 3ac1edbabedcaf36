// Answers: what does the exit status mean? One place, as in the README.
#pragma once

namespace ebbtide {

inline constexpr int exit_ok = 0;      // NO LEAK, SATURATING, or the command succeeded
inline constexpr int exit_failed = 1;  // the tool could not do its work
inline constexpr int exit_leak = 2;    // or the server dies of the way a connection ends
inline constexpr int exit_inconclusive = 3;
inline constexpr int exit_usage = 64;

}  // namespace ebbtide
