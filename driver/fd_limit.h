// Answers: may this process hold as many connections open as the plan asks for?
#pragma once

#include <cstdint>

#include "recording/result.h"

namespace ebbtide {

// Fds kept aside for the tool itself: BPF programs, maps and links, the recording, /proc.
inline constexpr std::uint32_t own_fds = 256;

// Makes room for `needed` connections at once beside own_fds: raises the soft RLIMIT_NOFILE as far
// as necessary and the hard limit allows. Returns how many connections now fit.
Result<std::uint32_t> raise_fd_limit(std::uint32_t needed);

}  // namespace ebbtide
