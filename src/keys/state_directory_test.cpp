#include "keys/state_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "keys/certificate_table.hpp"
#include "keys/test_support.hpp"
#include "pki/credentials.hpp"

namespace theriac::keys {
namespace {

constexpr crypto::Argon2Cost kCheap{64, 1, 1};

class StateDirectoryTest : public testing::Test {
 protected:
  Status init(std::string_view passphrase = "correct horse battery") {
    return initialise(state_, SecretBytes(view_of(passphrase)), "demo", kCheap, environment_);
  }
  Result<Unlocked> open(std::string_view passphrase = "correct horse battery") {
    return unlock(state_, SecretBytes(view_of(passphrase)));
  }
  std::int64_t waiting(Unlocked& unlocked) {
    auto row = unlocked.database.prepare("SELECT count(*) FROM outbox");
    EXPECT_TRUE(*row->step());
    return row->integer(0);
  }

  Folder folder_;
  std::string state_ = folder_.file("state");
  SystemClock clock_;
  crypto::SystemRandom random_;
  NullLog log_;
  Environment environment_{clock_, random_, log_};
};

TEST_F(StateDirectoryTest, InitialisedOnceOpenedWithThePassphrase) {
  EXPECT_FALSE(is_initialised(state_));
  EXPECT_EQ(open().error().code, Code::kNotFound);
  ASSERT_TRUE(init());
  EXPECT_TRUE(is_initialised(state_));
  EXPECT_EQ(init().error().code, Code::kAlreadyExists);
  EXPECT_EQ(open("another passphrase").error().code, Code::kWrongPassphrase);
  const auto unlocked = open();
  ASSERT_TRUE(unlocked);
  struct stat found{};
  for (const char* name : {"/custody.json", "/keyd.db"}) {
    ASSERT_EQ(::stat((state_ + name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(StateDirectoryTest, NoNewRootBesideAnOldDatabase) {
  ASSERT_TRUE(init());
  ASSERT_TRUE(remove_file(state_ + "/custody.json"));
  EXPECT_EQ(init().error().code, Code::kNotAuthentic);
}

TEST_F(StateDirectoryTest, InterruptedStartGoesOn) {
  ASSERT_TRUE(init());
  {
    // As after a crash between the audit key and the tenant.
    auto unlocked = open();
    ASSERT_TRUE(
        unlocked->database.exec("DELETE FROM tenants; DELETE FROM secrets WHERE name = "
                                "'authority'"));
  }
  EXPECT_FALSE(is_initialised(state_));
  EXPECT_EQ(init("another passphrase").error().code, Code::kWrongPassphrase);
  ASSERT_TRUE(init());
  EXPECT_TRUE(open());
}

TEST_F(StateDirectoryTest, AuthorityCannotBeExchanged) {
  ASSERT_TRUE(init());
  {
    auto unlocked = open();
    const auto other = pki::Authority::create("other", clock_.wall_ms(), random_);
    const auto pem = other.certificate().to_pem();
    ASSERT_TRUE(unlocked->database.run("UPDATE secrets SET public = ? WHERE name = 'authority'",
                                       view_of(pem)));
  }
  EXPECT_EQ(open().error().code, Code::kNotAuthentic);
}

TEST_F(StateDirectoryTest, EnrolledCredentialsAreAdmitted) {
  ASSERT_TRUE(init());
  auto unlocked = open();
  const auto out = folder_.file("gateway-1");
  const auto identity =
      enrol(state_, *unlocked, {"gateway-1", pki::Role::kGateway, "", pki::kDayMs, out, "uid-0"},
            environment_);
  ASSERT_TRUE(identity) << identity.error().message();
  EXPECT_EQ(identity->tenant, "demo");
  const auto credentials = pki::load_credentials(pki::CredentialPaths::in(out));
  ASSERT_TRUE(credentials);
  EXPECT_EQ(*credentials->certificate.identity(), *identity);
  EXPECT_EQ(credentials->authority.fingerprint(), unlocked->authority.certificate().fingerprint());
  EXPECT_TRUE(CertificateTable(unlocked->database).check(*identity));
  EXPECT_EQ(waiting(*unlocked), 0) << "nobody held the audit log";
}

TEST_F(StateDirectoryTest, EnrolWhileTheLogIsHeldWaitsInTheOutbox) {
  ASSERT_TRUE(init());
  auto serving = open();
  auto enrolling = open();
  {
    const auto lock = DirectoryLock::take(state_, 0);
    ASSERT_TRUE(lock);
    EXPECT_EQ(DirectoryLock::take(state_, 0).error().code, Code::kBusy);
    ASSERT_TRUE(enrol(state_, *enrolling,
                      {"admin-1", pki::Role::kAdmin, "demo", pki::kDayMs, folder_.file("a"), "p"},
                      environment_));
    EXPECT_EQ(waiting(*serving), 1);
    RecordingAudit audit;
    KeyService service({}, std::move(serving->database), std::move(serving->root),
                       std::move(serving->authority), audit, clock_, random_, log_);
    ASSERT_TRUE(service.tick());
    ASSERT_EQ(audit.count("certificate.issue"), 1U);
    EXPECT_EQ(audit.events()[0].object, "admin-1");
    EXPECT_EQ(audit.events()[0].details["role"], "admin");
    ASSERT_TRUE(service.tick());
    EXPECT_EQ(audit.size(), 1U) << "moved, not copied";
  }
  EXPECT_EQ(waiting(*enrolling), 0);
}

TEST_F(StateDirectoryTest, EnrolmentHasLimits) {
  ASSERT_TRUE(init());
  auto unlocked = open();
  const auto refused = [&](const std::string& name, pki::Role role, const std::string& tenant,
                           std::int64_t life) {
    const auto made =
        enrol(state_, *unlocked, {name, role, tenant, life, folder_.file("x"), "p"}, environment_);
    return made ? Code::kInternal : made.error().code;
  };
  EXPECT_EQ(refused("../x", pki::Role::kGateway, "", pki::kDayMs), Code::kUsage);
  EXPECT_EQ(refused("a", pki::Role::kKeyd, "", pki::kDayMs), Code::kUsage);
  EXPECT_EQ(refused("a", pki::Role::kGateway, "none", pki::kDayMs), Code::kNotFound);
  EXPECT_EQ(refused("a", pki::Role::kGateway, "", pki::kLeafLifeMsMax + 1), Code::kUsage);
  EXPECT_FALSE(std::filesystem::exists(folder_.file("x/key.pem")));
}

TEST_F(StateDirectoryTest, LogIsKeptAndVerifiesAcrossStarts) {
  ASSERT_TRUE(init());
  std::uint64_t before = 0;
  for (int start = 0; start < 3; ++start) {
    auto unlocked = open();
    const auto lock = DirectoryLock::take(state_, 0);
    const auto audit = open_audit(state_, *unlocked, *lock, environment_);
    ASSERT_TRUE(audit) << audit.error().message();
    EXPECT_GT((*audit)->size(), before);
    before = (*audit)->size();
    audit::Event event;
    event.action = "service.start";
    event.actor = "test";
    ASSERT_TRUE((*audit)->append_durable(event));
  }
}

TEST_F(StateDirectoryTest, AcceptedClockIsOnTheLog) {
  ASSERT_TRUE(init());
  auto unlocked = open();
  ASSERT_TRUE(unlocked->database.run("INSERT INTO meta VALUES('last_wall_ms', ?)",
                                     clock_.wall_ms() + 1'000'000'000));
  ASSERT_TRUE(accept_clock(state_, *unlocked, "uid-0", "battery was empty", environment_));
  auto row = unlocked->database.prepare("SELECT count(*) FROM meta WHERE name = 'last_wall_ms'");
  ASSERT_TRUE(*row->step());
  EXPECT_EQ(row->integer(0), 0);
  EXPECT_EQ(waiting(*unlocked), 0);
}

}  // namespace
}  // namespace theriac::keys
