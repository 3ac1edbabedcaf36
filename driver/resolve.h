// Answers: which addresses does a URL's host stand for, and may load be sent there?
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "driver/plan.h"
#include "recording/result.h"

namespace ebbtide {

// The endpoints of url.host and url.port in the resolver's order. Unless `allow_remote`, only
// those on loopback or on one of this machine's own interfaces; an error if none is left.
// Blocks while the system's resolver works.
Result<std::vector<boost::asio::ip::tcp::endpoint>> resolve(const Url& url, bool allow_remote);

}  // namespace ebbtide
