// Answers: whose certificate is trusted, and why is one not?
#pragma once

#include <boost/system/error_code.hpp>
#include <memory>
#include <string>

#include "driver/plan.h"
#include "recording/result.h"

namespace ebbtide {

// What the connections of one cohort share; nullptr for plans without TLS.
class TlsContext;
using TlsContextPtr = std::shared_ptr<TlsContext>;

// Reads the certificates that `plan` trusts. A CA file that cannot be used is an error; call it
// before a run to find out.
Result<TlsContextPtr> make_tls_context(const ConnectionPlan& plan);

}  // namespace ebbtide
