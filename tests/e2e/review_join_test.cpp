// What the source says and what the run measures are one fault: a planted leak is reported once, as
// confirmed, at the line that takes what is never given back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

const std::string servers = SOURCE_DIR "/tests/e2e/servers/";
const std::string node20 = SOURCE_DIR "/tests/packages/node_modules/node20/bin/node";

struct Fault {
  std::string server;
  std::string rule;
  std::uint32_t line = 0;

  friend std::ostream& operator<<(std::ostream& out, const Fault& fault) {
    return out << fault.server;
  }
};

class ReviewJoin : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  ToolRun measure(const std::string& name) {
    const std::string script = servers + "heap/" + name + ".js";
    const Server server = Server::node(script, {}, node20);
    return ebbtide({"leak", server.url("ws"), "--send", "x", "--expect", "subscribed", "--cycles",
                    "5", "--connections", "53", "--close", "clean", "--source", script, "--source",
                    servers + "listen.js", "-o", output_.path().string()});
  }

  [[nodiscard]] Json confirmed() const {
    Json found = Json::array();
    const Json results = results_in(output_.path());
    for (const Json& finding : results["review"]["findings"]) {
      if (finding["standing"] == "confirmed") found.push_back(finding);
    }
    return found;
  }

  TemporaryDirectory output_;
};

class JoinedFault : public ReviewJoin, public testing::WithParamInterface<Fault> {};

TEST_P(JoinedFault, IsConfirmedOnceAtItsLine) {
  const Fault& fault = GetParam();
  const ToolRun run = measure(fault.server);
  ASSERT_EQ(run.exit_code, 2) << run.out << run.err;
  const Json findings = confirmed();
  ASSERT_EQ(findings.size(), 1u) << findings.dump(1);
  const Json& finding = findings.front();
  EXPECT_EQ(finding["rule"], fault.rule);
  EXPECT_THAT(finding["at"]["path"].get<std::string>(),
              testing::EndsWith("heap/" + fault.server + ".js"));
  EXPECT_EQ(finding["at"]["line"], fault.line);
  EXPECT_THAT(finding["because"].get<std::string>(), HasSubstr("per connection kept by"));
  EXPECT_EQ(finding["causes"], Json::array({0}));
  EXPECT_EQ(results_in(output_.path())["review"]["unexplained_causes"], Json::array());
  EXPECT_THAT(run.out, HasSubstr("Mend"));
  const std::string report = contents_of(output_.path() / "06-03-memory-analysis.md");
  EXPECT_THAT(report, HasSubstr("**Confirmed by this run**"));
  EXPECT_THAT(report, HasSubstr("**Mend `"));
}

INSTANTIATE_TEST_SUITE_P(ByNameFieldAndClosure, JoinedFault,
                         testing::Values(Fault{"map-of-sockets", "LC001", 15},
                                         Fault{"listeners", "LC004", 9},
                                         Fault{"timers", "LC005", 7}, Fault{"closures", "LC001", 9},
                                         Fault{"private-field", "LC001", 15}));

TEST_F(ReviewJoin, OfACleanServerNothingIsConfirmed) {
  const ToolRun run = measure("clean");
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(confirmed(), Json::array());
}

TEST_F(ReviewJoin, ASourceThatIsNotThereIsSaidBeforeTheRun) {
  const Server server = Server::node(servers + "heap/clean.js", {}, node20);
  const ToolRun run = ebbtide(
      {"leak", server.url("ws"), "--source", "/no/such/source", "-o", output_.path().string()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("/no/such/source"));
}

TEST(ReviewCommand, SaysByItsExitStatusWhatItFound) {
  const std::string leaky = servers + "heap/map-of-sockets.js", shared = servers + "listen.js";
  const ToolRun found = ebbtide({"review", leaky, shared});
  EXPECT_EQ(found.exit_code, 2) << found.err;
  EXPECT_THAT(found.out, HasSubstr("LC001"));
  EXPECT_EQ(ebbtide({"review", leaky, shared, "--fail-on", "never"}).exit_code, 0);
  EXPECT_EQ(ebbtide({"review", shared}).exit_code, 0);
  EXPECT_EQ(ebbtide({"review", shared, "--fail-on", "warning"}).exit_code, 2);
  EXPECT_EQ(ebbtide({"review", "/no/such/source"}).exit_code, 1);
  EXPECT_EQ(ebbtide({"review"}).exit_code, 64);
}

}  // namespace
}  // namespace ebbtide
