// Answers: how do the benchmarks load a server? By cohorts of the tool's own driver.
#pragma once

#include <cstdint>

#include "recording/result.h"

namespace ebbtide {

// Opens `connections` to /ws on 127.0.0.1:`port`, each subscribed and acknowledged, then closes
// them. An error when one of them was not established.
Result<void> churn(std::uint16_t port, std::uint32_t connections);

}  // namespace ebbtide
