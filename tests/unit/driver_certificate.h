// Answers: with which certificate does a test's TLS server show itself?
#pragma once

#include <string>

namespace ebbtide {

// A new key with a certificate signed by itself, in one PEM file that goes with the object. Servers
// started while it lives use it (TEST_CERTIFICATE).
class TestCertificate {
 public:
  // `names` as in the subject's alternative names: "DNS:localhost,IP:127.0.0.1".
  explicit TestCertificate(const std::string& names, bool has_expired = false);
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ebbtide
