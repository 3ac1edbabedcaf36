#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <cerrno>

#include "driver/failure.h"
#include "driver/fd_limit.h"
#include "driver/plan.h"
#include "driver/resolve.h"

namespace ebbtide {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(ParseUrl, AcceptsEveryFormThatThePlanKnows) {
  struct Case {
    const char* text;
    Scheme scheme;
    const char* host;
    std::uint16_t port;
    const char* target;
  };
  const Case cases[] = {
      {"ws://127.0.0.1:8000/ws", Scheme::ws, "127.0.0.1", 8000, "/ws"},
      {"WS://LocalHost/a/b?c=d&e=%20", Scheme::ws, "localhost", 80, "/a/b?c=d&e=%20"},
      {"ws://[::1]:65535", Scheme::ws, "::1", 65535, "/"},
      {"ws://[2001:DB8::1]/x", Scheme::ws, "2001:db8::1", 80, "/x"},
      {"http://host-1.my_net:1?q=/@:", Scheme::http, "host-1.my_net", 1, "/?q=/@:"},
      {"http://h", Scheme::http, "h", 80, "/"},
      {"tcp://localhost:6379", Scheme::tcp, "localhost", 6379, ""},
      {"tcp://[::1]:1/", Scheme::tcp, "::1", 1, ""},
  };
  for (const Case& expected : cases) {
    SCOPED_TRACE(expected.text);
    const Result<Url> url = parse_url(expected.text);
    ASSERT_TRUE(url.has_value()) << url.error().message();
    EXPECT_EQ(url->scheme, expected.scheme);
    EXPECT_EQ(url->host, expected.host);
    EXPECT_EQ(url->port, expected.port);
    EXPECT_EQ(url->target, expected.target);
  }
}

TEST(ParseUrl, RefusesTheRestAndSaysWhy) {
  struct Case {
    const char* text;
    const char* reason;
  };
  const Case cases[] = {
      {"", "scheme"},
      {"localhost:8000", "scheme"},
      {"://x", "none of ws, wss, http, https, tcp"},
      {"ftp://x:21", "none of ws, wss, http, https, tcp"},
      {"ws://", "host"},
      {"ws:///ws", "host"},
      {"ws://:8000/ws", "host"},
      {"ws://h%20x/", "host"},
      {"ws://h:0/", "1 to 65535"},
      {"ws://h:65536/", "1 to 65535"},
      {"ws://h:/", "1 to 65535"},
      {"ws://h:80x/", "1 to 65535"},
      {"ws://h:-1/", "1 to 65535"},
      {"ws://h:+1/", "1 to 65535"},
      {"ws://::1:8000/", "[brackets]"},
      {"ws://[::1/", "IPv6"},
      {"ws://[]/", "IPv6"},
      {"ws://[127.0.0.1]/", "IPv6"},
      {"ws://[::1]8000/", "host"},
      {"ws://user:secret@h/", "user info"},
      {"ws://h/a#b", "fragment"},
      {"ws://h/a b", "space"},
      {"ws://h/\r\nX: y", "control"},
      {"ws://h\xc3\xa9/", "ASCII"},
      {"tcp://h", "needs a port"},
      {"tcp://h:1/x", "no path"},
  };
  for (const Case& expected : cases) {
    SCOPED_TRACE(expected.text);
    const Result<Url> url = parse_url(expected.text);
    ASSERT_FALSE(url.has_value());
    EXPECT_THAT(url.error().reason, HasSubstr(expected.reason));
    EXPECT_THAT(url.error().remedy, Not(IsEmpty()));
  }
}

TEST(ParseUrl, AuthorityIsWhatAHostHeaderCarries) {
  EXPECT_EQ(authority(*parse_url("ws://h/x")), "h");
  EXPECT_EQ(authority(*parse_url("http://h:80")), "h");
  EXPECT_EQ(authority(*parse_url("http://h:8080")), "h:8080");
  EXPECT_EQ(authority(*parse_url("ws://[::1]:8000/")), "[::1]:8000");
}

TEST(Resolve, TakesLoopbackByNameAndByAddress) {
  for (const char* text : {"tcp://127.0.0.1:7", "tcp://127.9.8.7:7", "tcp://[::1]:7",
                           "tcp://[::ffff:127.0.0.1]:7", "tcp://localhost:7"}) {
    const auto endpoints = resolve(*parse_url(text), false);
    ASSERT_TRUE(endpoints.has_value()) << endpoints.error().message();
    for (const auto& endpoint : *endpoints) {
      EXPECT_TRUE(endpoint.address().is_loopback()) << text;
      EXPECT_EQ(endpoint.port(), 7);
    }
  }
}

TEST(Resolve, TakesTheAddressesOfThisMachine) {
  ifaddrs* list = nullptr;
  ASSERT_EQ(getifaddrs(&list), 0);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const auto* own = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    const boost::asio::ip::address_v4 address(ntohl(own->sin_addr.s_addr));
    EXPECT_TRUE(resolve({Scheme::tcp, address.to_string(), 7, ""}, false)) << address;
  }
  freeifaddrs(list);
}

TEST(Resolve, RefusesOtherMachinesUnlessAllowed) {
  const Url elsewhere = *parse_url("ws://198.51.100.7/ws");  // TEST-NET-2: nobody's address
  const auto refused = resolve(elsewhere, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message(), HasSubstr("198.51.100.7 is not an address of this"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("--allow-remote"));
  EXPECT_TRUE(resolve(elsewhere, true).has_value());

  const auto unknown = resolve(*parse_url("ws://no..such/"), true);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().subject, "no..such");
}

class FdLimit : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0); }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &before_); }
  rlimit before_{};
};

TEST_F(FdLimit, RaisesTheSoftLimitAsFarAsNeeded) {
  const rlimit low{300, before_.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto fit = raise_fd_limit(100);
  ASSERT_TRUE(fit.has_value()) << fit.error().message();
  EXPECT_GE(*fit, 100u);
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, 100 + own_fds);
  EXPECT_EQ(now.rlim_max, before_.rlim_max);
}

TEST_F(FdLimit, SaysWhatTheHardLimitAllows) {
  const auto beyond = static_cast<std::uint32_t>(before_.rlim_max);
  const auto fit = raise_fd_limit(beyond);
  ASSERT_FALSE(fit.has_value());
  EXPECT_THAT(fit.error().message(), AllOf(HasSubstr(std::to_string(beyond)),
                                           HasSubstr(std::to_string(beyond - own_fds))));
  EXPECT_THAT(fit.error().remedy, HasSubstr("prlimit"));
}

TEST(Failure, TellsTheToolsOwnErrorsFromTheServers) {
  const auto text_of = [](int error) {
    return failure_of(Stage::connect, {error, boost::system::system_category()});
  };
  EXPECT_EQ(text_of(EMFILE).text, "the tool's own fd limit");
  EXPECT_EQ(text_of(EADDRNOTAVAIL).text, "this machine has no free local port");
  EXPECT_EQ(text_of(ECONNREFUSED).text, "connection refused");
  EXPECT_EQ(text_of(ECONNREFUSED).error_code, ECONNREFUSED);
}

}  // namespace
}  // namespace ebbtide
