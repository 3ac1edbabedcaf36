// Answers: whose certificate is trusted, and why is one not?
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>

#include "driver/failure.h"
#include "driver/plan.h"
#include "recording/result.h"

namespace ebbtide {

// What the connections of one cohort share.
struct TlsContext {
  // Has a handshake ask for the plan's host, by name if it has one (SNI), and the server's
  // certificate be made out to it.
  void prepare(SSL* connection) const;

  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
  std::string host;
};
using TlsContextPtr = std::shared_ptr<TlsContext>;

// Reads the certificates that `plan` trusts; nullptr for plans without TLS. A CA file that cannot
// be used is an error; call it before a run to find out.
Result<TlsContextPtr> make_tls_context(const ConnectionPlan& plan);

// Why a handshake failed; of a certificate that is not trusted, what to do about it.
Failure tls_failure(const boost::system::error_code& error, SSL* connection);

}  // namespace ebbtide
