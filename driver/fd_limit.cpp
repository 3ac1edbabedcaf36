#include "driver/fd_limit.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace ebbtide {

Result<std::uint32_t> raise_fd_limit(std::uint32_t needed) {
  const auto connections = [](rlim_t fds) {
    constexpr rlim_t most = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(fds - std::min<rlim_t>(fds, own_fds), most));
  };
  const std::string subject = fmt::format("{} connections at once", needed);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return Error{"open", subject, std::strerror(errno), ""};
  }
  const rlim_t wanted = static_cast<rlim_t>(needed) + own_fds;
  if (limit.rlim_cur >= wanted) return connections(limit.rlim_cur);
  if (limit.rlim_max < wanted) {
    return Error{
        "open", subject,
        fmt::format("this process may open {} files at most, which leaves room for {} "
                    "connections",
                    limit.rlim_max, connections(limit.rlim_max)),
        fmt::format("ask for fewer connections, or raise the limit of this shell and start "
                    "again from it: sudo prlimit --pid $$ --nofile={}",
                    wanted)};
  }
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return Error{"open", subject, std::strerror(errno), ""};
  }
  return connections(wanted);
}

}  // namespace ebbtide
