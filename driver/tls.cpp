#include "driver/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

namespace ebbtide {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

bool is_address(const std::string& host) {
  error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

// Beast speaks HTTP/1.1 only: a server must not choose HTTP/2.
constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string describe_untrusted(long reason) {
  constexpr const char* remedy = ": --ca FILE or --insecure";
  switch (reason) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return fmt::format("the server's certificate is self-signed{}", remedy);
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format("the server's certificate is signed by nobody who is trusted{}", remedy);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the server's certificate is made out to another host: --insecure";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the server's certificate has expired: --insecure";
    default:
      return fmt::format("the server's certificate is not trusted ({}){}",
                         X509_verify_cert_error_string(reason), remedy);
  }
}

}  // namespace

void TlsContext::prepare(SSL* connection) const {
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str());
  } else {
    SSL_set_tlsext_host_name(connection, host.c_str());
    SSL_set1_host(connection, host.c_str());
  }
}

Result<TlsContextPtr> make_tls_context(const ConnectionPlan& plan) {
  if (!is_encrypted(plan.url.scheme)) return TlsContextPtr();
  const TlsContextPtr tls = std::make_shared<TlsContext>();
  tls->host = plan.url.host;
  SSL_CTX_set_mode(tls->context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_protos(tls->context.native_handle(), http_1_1.data(), http_1_1.size());
  error_code error;
  if (plan.tls.insecure) {
    tls->context.set_verify_mode(ssl::verify_none, error);
    return tls;
  }
  tls->context.set_verify_mode(ssl::verify_peer, error);
  if (plan.tls.ca_file.empty()) {
    tls->context.set_default_verify_paths(error);
  } else {
    tls->context.load_verify_file(plan.tls.ca_file, error);
  }
  if (!error) return tls;
  const bool is_system = plan.tls.ca_file.empty();
  return Error{"read the certificates of", is_system ? "this system" : plan.tls.ca_file,
               error.message(), "--ca takes a file of certificates in PEM"};
}

Failure tls_failure(const error_code& error, SSL* connection) {
  Failure failure = failure_of(Stage::connect, error);
  const auto code = static_cast<unsigned long>(error.value());
  if (error == boost::asio::error::eof || error == ssl::error::stream_truncated) {
    failure.text = "server closed the connection during the TLS handshake";
  } else if (error.category() == boost::asio::error::get_ssl_category()) {
    const long untrusted = SSL_get_verify_result(connection);
    const bool is_no_tls = ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER;
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && untrusted != X509_V_OK) {
      failure.text = describe_untrusted(untrusted);
    } else {
      failure.text = is_no_tls ? "the server does not speak TLS on this port"
                               : "TLS handshake failed: " + error.message();
    }
  }
  return failure;
}

}  // namespace ebbtide
