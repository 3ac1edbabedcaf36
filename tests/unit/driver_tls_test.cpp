// wss and https against Node, and permessage-deflate (driver_servers.js).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "driver/tls.h"
#include "tests/unit/driver_certificate.h"
#include "tests/unit/driver_fixture.h"

namespace ebbtide {
namespace {

using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr const char* self_signed =
    "the server's certificate is self-signed: --ca FILE or --insecure";

class Tls : public testing::Test {
 protected:
  Connection one(const std::string& url, const ConnectionPlan& plan, Load load = {}) {
    return drive(io_, url, plan, load).front();
  }
  std::string wss(const NodeServer& server, const std::string& host = "127.0.0.1") {
    return fmt::format("wss://{}:{}/ws", host, server.port());
  }

  boost::asio::io_context io_{1};
  TestCertificate certificate_{"DNS:localhost,IP:127.0.0.1"};
};

TEST_F(Tls, TrustsTheCertificateOfACaFileAndTakesItsTimes) {
  const NodeServer server("secure");
  ConnectionPlan plan;
  plan.tls.ca_file = certificate_.path();
  plan.steps = {expect("name none"), send("over TLS {id}"), expect("over TLS {id}")};
  const auto outcomes = drive(io_, wss(server), plan, {.count = 30, .window = 10});
  ASSERT_THAT(outcomes, SizeIs(30));
  EXPECT_THAT(outcomes, Each(Field(&Connection::error, "")));
  EXPECT_THAT(outcomes, Each(Field(&Connection::server_closed, true)));
  for (const Connection& each : outcomes) {
    EXPECT_LT(each.connected_ns, each.secured_ns);
    EXPECT_LT(each.secured_ns, each.upgraded_ns);
    EXPECT_EQ(each.messages_received, 2u);
  }
}

TEST_F(Tls, NamesTheHostItAsksFor) {
  const NodeServer server("secure", "localhost");
  ConnectionPlan plan;
  plan.tls.ca_file = certificate_.path();
  plan.steps = {expect("name localhost")};
  EXPECT_EQ(one(wss(server, "localhost"), plan).error, "");
  EXPECT_EQ(one(fmt::format("https://localhost:{}/", server.port()), plan).error, "");
}

TEST_F(Tls, SpeaksHttpsAndSaysGoodbye) {
  const NodeServer server("secure");
  ConnectionPlan plan;
  plan.tls.insecure = true;
  plan.steps = {send("x"), expect("name none")};
  const Connection https = one(fmt::format("https://127.0.0.1:{}/", server.port()), plan);
  EXPECT_EQ(https.error, "");
  EXPECT_EQ(https.http_status, 200);
  EXPECT_NE(https.secured_ns, 0u);
  EXPECT_TRUE(https.server_closed);
}

TEST_F(Tls, EndsInEveryMode) {
  const NodeServer server("secure");
  for (const CloseMode mode :
       {CloseMode::fin, CloseMode::rst, CloseMode::terminate, CloseMode::early,
        CloseMode::abort_handshake, CloseMode::wrong_path, CloseMode::half_open}) {
    SCOPED_TRACE(static_cast<int>(mode));
    ConnectionPlan plan;
    plan.tls.insecure = true;
    plan.close_mode = mode;
    plan.half_open_limit = 50ms;
    plan.steps = {send("hello"), expect("hello")};
    const Connection ended = one(wss(server), plan);
    EXPECT_EQ(ended.error, "");
    EXPECT_NE(ended.secured_ns, 0u);
    EXPECT_EQ(ended.established_ns == 0, ends_before_established(mode));
  }
}

TEST_F(Tls, SaysWhyACertificateIsNotTrusted) {
  {
    const NodeServer server("secure");
    const Connection refused = one(wss(server), {});
    EXPECT_EQ(refused.failed_at, Stage::connect);
    EXPECT_EQ(refused.error, self_signed);
    EXPECT_NE(refused.connected_ns, 0u);
    EXPECT_EQ(refused.secured_ns, 0u);
  }
  const TestCertificate another("DNS:example.org");
  const NodeServer elsewhere("secure");
  ConnectionPlan plan;
  plan.tls.ca_file = another.path();
  EXPECT_EQ(one(wss(elsewhere), plan).error,
            "the server's certificate is made out to another host: --insecure");
  plan.tls.ca_file = certificate_.path();
  EXPECT_EQ(one(wss(elsewhere), plan).error, self_signed);

  const TestCertificate old("IP:127.0.0.1", true);
  const NodeServer late("secure");
  plan.tls.ca_file = old.path();
  EXPECT_EQ(one(wss(late), plan).error, "the server's certificate has expired: --insecure");
}

TEST_F(Tls, NamesAServerThatDoesNotSpeakIt) {
  ConnectionPlan plan;
  plan.timeout = 200ms;
  const NodeServer web("web");
  EXPECT_EQ(one(wss(web), plan).error, "the server does not speak TLS on this port");
  const NodeServer silent("tls_that_never_answers");
  const Connection stalled = one(wss(silent), plan);
  EXPECT_EQ(stalled.failed_at, Stage::connect);
  EXPECT_EQ(stalled.error, "no TLS handshake in 200 ms");
}

TEST_F(Tls, RejectsACaFileThatIsNone) {
  ConnectionPlan plan;
  plan.url = *parse_url("wss://localhost/");
  EXPECT_TRUE(make_tls_context(plan).has_value());
  plan.tls.ca_file = SOURCE_DIR "/tests/unit/driver_servers.js";
  EXPECT_FALSE(make_tls_context(plan).has_value());
  plan.tls.ca_file = "/nowhere.pem";
  const auto made = make_tls_context(plan);
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().message(), HasSubstr("cannot read the certificates of /nowhere.pem"));
  plan.url.scheme = Scheme::ws;
  EXPECT_TRUE(make_tls_context(plan).has_value());
}

}  // namespace
}  // namespace ebbtide
