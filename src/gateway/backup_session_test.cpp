#include "gateway/backup_session.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "gateway/enforce_session_fakes.hpp"
#include "gateway/gateway_config.hpp"

namespace theriac::gateway {
namespace {

using namespace fakes;  // NOLINT: the test is about them

class BackupSessionTest : public testing::Test {
 protected:
  BackupSessionTest() {
    EnforceService::Parts parts;
    parts.policy = make_policy();
    trail_ = std::make_shared<Trail>();
    parts.keys = std::make_shared<Keys>();
    parts.audit = trail_;
    parts.load = [](const std::string&, std::uint64_t) -> Result<Snapshot> {
      return Snapshot{catalogue(false), nullptr};
    };
    parts.fingerprint = [](const std::string&) { return std::uint64_t{1}; };
    parts.first_database = "erp";
    parts.clock = &clock_;
    parts.random = &random_;
    parts.log = &log_;
    parts.catalogue_poll_ms = 60'000;
    service_ = *EnforceService::start(std::move(parts));
  }

  static Bytes greeting(std::string_view superuser) {
    Bytes out;
    pgwire::write_message(out, 'S',
                          bytes_of("is_superuser" + std::string(1, '\0') + std::string(superuser) +
                                   std::string(1, '\0')));
    pgwire::write_ready(out, 'I');
    return out;
  }

  /// Everything the client was shown when the server's bytes came in two parts.
  struct Outcome {
    Bytes shown;
    bool handed_over = false;
    bool finished = false;
  };
  Outcome run(const Bytes& bytes, std::size_t split) {
    BackupSession session(*service_, metrics_, "keeper");
    Outcome out;
    for (const auto part : {ByteView(bytes).first(split), ByteView(bytes).subspan(split)}) {
      Io io;
      if (out.handed_over || out.finished) break;
      session.from_server(part, io);
      append(out.shown, io.to_client);
      out.finished = io.finished;
      if (io.handover) {
        out.handed_over = true;
        EXPECT_TRUE(session.successor()->is_idle());
      }
    }
    return out;
  }

  ManualClock clock_;
  crypto::SystemRandom random_;
  NullLog log_;
  LoopMetrics metrics_;
  std::shared_ptr<Trail> trail_;
  std::unique_ptr<EnforceService> service_;
};

TEST_F(BackupSessionTest, PassesOnceTheRoleIsKnownToBeNoSuperuser) {
  const auto bytes = greeting("off");
  for (std::size_t split = 0; split < bytes.size(); ++split) {
    trail_->events.clear();
    const auto out = run(bytes, split);
    EXPECT_TRUE(out.handed_over);
    EXPECT_EQ(out.shown, bytes);
    ASSERT_EQ(trail_->events.size(), 1U);
    EXPECT_EQ(trail_->events[0].action, "backup.session");
    EXPECT_EQ(trail_->events[0].actor, "keeper");
  }
}

TEST_F(BackupSessionTest, RefusesSuperusersAndAnUnwritableAuditLog) {
  const auto bytes = greeting("on");
  for (std::size_t split = 0; split < bytes.size(); ++split) {
    const auto out = run(bytes, split);
    EXPECT_TRUE(out.finished && !out.handed_over);
    EXPECT_NE(text_of(out.shown).find("28000"), std::string::npos);
  }
  trail_->full = true;
  const auto out = run(greeting("off"), 0);
  EXPECT_TRUE(out.finished && !out.handed_over);
}

}  // namespace
}  // namespace theriac::gateway
