#include "cli/audit_command.hpp"

#include <gtest/gtest.h>

#include "audit/test_support.hpp"

namespace theriac::cli {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = 0;
  std::string out, err;
};

/// Runs the command as the program would.
Outcome run(std::vector<std::string> arguments) {
  CLI::App app("test", "theriac");
  Outcome outcome;
  add_audit_command(app, outcome.code);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  std::ranges::reverse(arguments);
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& problem) {
    outcome.code = app.exit(problem) == 0 ? 0 : 2;
  }
  std::fflush(stdout);
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

class AuditCommand : public ::testing::Test {
 protected:
  void SetUp() override { grow(300); }
  void grow(std::uint64_t entries) {
    audit::World world;
    auto log = world.open(path_).value();
    for (std::uint64_t i = 0; i < entries; ++i) ASSERT_TRUE(log->append(audit::event_of(i)));
  }
  void edit() {
    std::string text = audit::read_text(path_ + "/tile/entries/000");
    text.at(text.find("order 42") + 6) = '7';
    audit::write_text(path_ + "/tile/entries/000", text);
  }
  audit::ScratchDir dir_;
  std::string path_ = dir_ / "log";
};

TEST_F(AuditCommand, VerifySaysThatItHolds) {
  for (const auto& key : {std::string(), audit::test_vkey(), path_ + "/log.vkey"}) {
    std::vector<std::string> arguments{"audit", "verify", path_};
    if (!key.empty()) arguments.insert(arguments.end(), {"--key", key});
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("holds: theriac.test/gateway-1, 300 entries"), std::string::npos)
        << outcome.out;
    EXPECT_TRUE(outcome.err.empty()) << outcome.err;
  }
}

TEST_F(AuditCommand, VerifyNamesTheEntryOnOneLine) {
  edit();
  const auto outcome = run({"audit", "verify", path_, "--key", audit::test_vkey()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(outcome.out.empty());
  EXPECT_NE(outcome.err.find("does not hold: edited at entry 42:"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
}

TEST_F(AuditCommand, VerifyAsJson) {
  auto verdict = codec::parse_json(run({"audit", "verify", path_, "--json"}).out).value();
  EXPECT_EQ(verdict.at("holds"), true);
  EXPECT_EQ(verdict.at("entries"), 300);
  EXPECT_EQ(verdict.at("bad_entry"), nullptr);
  edit();
  const auto outcome = run({"audit", "verify", path_, "--json"});
  EXPECT_EQ(outcome.code, 1);
  verdict = codec::parse_json(outcome.out).value();
  EXPECT_EQ(verdict.at("holds"), false);
  EXPECT_EQ(verdict.at("bad_entry"), 42);
  EXPECT_EQ(verdict.at("finding"), "edited");
}

TEST_F(AuditCommand, RememberThenRolledBack) {
  const std::string kept = dir_ / "kept", older = dir_ / "older";
  ASSERT_EQ(run({"audit", "remember", path_, "--out", kept}).code, 0);
  EXPECT_EQ(audit::read_text(kept), audit::read_text(path_ + "/checkpoint"));
  fs::copy(path_, older, fs::copy_options::recursive);
  grow(50);
  EXPECT_EQ(run({"audit", "verify", path_, "--remembered", kept}).code, 0);
  const auto again = run({"audit", "remember", path_, "-o", kept});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.out.find("remembered 350 entries"), std::string::npos) << again.out;
  // The older copy put back: seen by who remembers, who then does not forget.
  fs::remove_all(path_);
  fs::copy(older, path_, fs::copy_options::recursive);
  EXPECT_EQ(run({"audit", "verify", path_}).code, 0);
  const auto back = run({"audit", "verify", path_, "--remembered", kept});
  EXPECT_EQ(back.code, 1);
  EXPECT_NE(back.err.find("rolled back at entry 300"), std::string::npos) << back.err;
  const std::string before = audit::read_text(kept);
  EXPECT_EQ(run({"audit", "remember", path_, "--out", kept}).code, 1);
  EXPECT_EQ(audit::read_text(kept), before);
}

TEST_F(AuditCommand, RememberRefusesALogThatDoesNotHold) {
  edit();
  EXPECT_EQ(run({"audit", "remember", path_, "--out", dir_ / "kept"}).code, 1);
  EXPECT_FALSE(fs::exists(dir_ / "kept"));
}

TEST_F(AuditCommand, ShowPrintsARange) {
  const auto outcome = run({"audit", "show", path_, "--from", "254", "--to", "257"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 4);
  EXPECT_NE(outcome.out.find("session.grant"), std::string::npos);
  EXPECT_NE(outcome.out.find("reason=order 254"), std::string::npos);
  EXPECT_NE(outcome.out.find("reason=order 257"), std::string::npos);
  const auto json = run({"audit", "show", path_, "--from", "299", "--json"});
  EXPECT_EQ(json.out, audit::entries_of(path_, 300).back() + "\n");
  EXPECT_EQ(run({"audit", "show", path_, "--from", "300"}).out, "");
}

TEST_F(AuditCommand, ShowLetsNothingCommandTheTerminal) {
  std::string text = audit::read_text(path_ + "/tile/entries/000");
  text.replace(text.find("order 42"), 8, "\xc2\x9b[2J\x7f \x1b");
  audit::write_text(path_ + "/tile/entries/000", text);
  for (const char* how : {"--json", "--from=0"}) {
    const auto outcome = run({"audit", "show", path_, how});
    EXPECT_EQ(outcome.out.find_first_of("\x1b\x7f\x9b"), std::string::npos);
  }
}

TEST_F(AuditCommand, UsageAndMissingFiles) {
  EXPECT_EQ(run({"audit"}).code, 2);
  EXPECT_EQ(run({"audit", "verify"}).code, 2);
  EXPECT_EQ(run({"audit", "verify", path_, "--key", "nonsense"}).code, 2);
  EXPECT_EQ(run({"audit", "show", path_, "--from", "9", "--to", "8"}).code, 2);
  EXPECT_EQ(run({"audit", "show", path_, "--from", "-1"}).code, 2);
  EXPECT_EQ(run({"audit", "remember", path_}).code, 2);
  EXPECT_EQ(run({"audit", "verify", dir_ / "none"}).code, 1);
  EXPECT_EQ(run({"audit", "verify", path_, "--remembered", dir_ / "none"}).code, 1);
  EXPECT_EQ(run({"audit", "show", dir_ / "none"}).code, 1);
}

}  // namespace
}  // namespace theriac::cli
