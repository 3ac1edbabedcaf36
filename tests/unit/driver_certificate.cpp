#include "tests/unit/driver_certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace ebbtide {

TestCertificate::TestCertificate(const std::string& names, bool has_expired) {
  constexpr long hour = 3600;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509* const x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -2 * hour);
  X509_gmtime_adj(X509_getm_notAfter(x509), has_expired ? -hour : hour);
  X509_set_pubkey(x509, key.get());
  X509_NAME* const name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(x509, key.get(), EVP_sha256());

  path_ = "/tmp/ebbtide-certificate-XXXXXX";
  const int fd = mkstemp(path_.data());
  FILE* const file = fd < 0 ? nullptr : fdopen(fd, "w");
  if (file == nullptr) throw std::runtime_error("no temporary file for a certificate");
  PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_X509(file, x509);
  std::fclose(file);
  setenv("TEST_CERTIFICATE", path_.c_str(), 1);
}

TestCertificate::~TestCertificate() { unlink(path_.c_str()); }

}  // namespace ebbtide
