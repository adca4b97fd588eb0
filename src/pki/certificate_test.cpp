#include "pki/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace theriac {
class TestSecretAccess {
 public:
  static SecretAccess get() { return {}; }
};
}  // namespace theriac

namespace theriac::pki {
namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;

class CertificateTest : public testing::Test {
 protected:
  crypto::SystemRandom random_;
  Authority authority_ = Authority::create("test authority", kNow, random_);

  Result<Certificate> issue(const IssueRequest& request, std::int64_t now = kNow) {
    return authority_.issue(request, PrivateKey::generate(), now, random_);
  }
};

TEST_F(CertificateTest, IdentityComesBack) {
  for (const auto role :
       {Role::kKeyd, Role::kGateway, Role::kProtector, Role::kAdmin, Role::kAuditor, Role::kServer,
        Role::kTraceAdmin, Role::kTraceOperator, Role::kTraceQuality, Role::kTraceLine,
        Role::kTracePartner, Role::kTraceViewer}) {
    const auto key = PrivateKey::generate();
    const auto made = authority_.issue({"gateway-1", role, "demo", kDayMs}, key, kNow, random_);
    ASSERT_TRUE(made);
    EXPECT_TRUE(made->matches(key));
    EXPECT_FALSE(made->matches(PrivateKey::generate()));
    const auto identity = Certificate::from_pem(made->to_pem())->identity();
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->name, "gateway-1");
    EXPECT_EQ(identity->role, role);
    EXPECT_EQ(identity->tenant, "demo");
    EXPECT_EQ(identity->not_before_ms, kNow - kBackdateMs);
    EXPECT_EQ(identity->not_after_ms, kNow + kDayMs);
    EXPECT_EQ(identity->serial.size(), 32U);
    EXPECT_EQ(identity->fingerprint.size(), 64U);
    EXPECT_EQ(parse_role(role_name(role)), role);
  }
  EXPECT_FALSE(parse_role("root"));
}

TEST_F(CertificateTest, SerialsDiffer) {
  EXPECT_NE(issue({"a", Role::kAdmin, "t", kDayMs})->identity()->serial,
            issue({"a", Role::kAdmin, "t", kDayMs})->identity()->serial);
}

TEST_F(CertificateTest, NamesThatWouldNeedEscapingAreRefused) {
  for (const std::string& name : std::vector<std::string>{
           "", "a b", "a/b", "../x", "a,URI:urn:theriac:role:admin", "a\n", "-a", ".a", "名",
           std::string("a\0b", 3),
           "0123456789012345678901234567890123456789012345678901234567890123"}) {
    EXPECT_EQ(issue({name, Role::kGateway, "demo", kDayMs}).error().code, Code::kUsage) << name;
    EXPECT_EQ(issue({"ok", Role::kGateway, name, kDayMs}).error().code, Code::kUsage) << name;
  }
  for (const std::string name : {"a", "Gateway-1", "db.site_2", "9"}) {
    EXPECT_TRUE(issue({name, Role::kGateway, "demo", kDayMs})) << name;
  }
  EXPECT_TRUE(is_valid_name(std::string(63, 'a')));
  EXPECT_FALSE(is_valid_name(std::string(64, 'a')));
}

TEST_F(CertificateTest, LifeHasLimits) {
  EXPECT_EQ(issue({"a", Role::kAdmin, "t", 0}).error().code, Code::kUsage);
  EXPECT_TRUE(issue({"a", Role::kAdmin, "t", kLeafLifeMsMax}));
  EXPECT_EQ(issue({"a", Role::kAdmin, "t", kLeafLifeMsMax + 1}).error().code, Code::kUsage);
}

TEST_F(CertificateTest, NothingOutlivesTheAuthority) {
  const auto late = kNow + kAuthorityLifeMs - kDayMs;
  EXPECT_EQ(issue({"a", Role::kAdmin, "t", 30 * kDayMs}, late)->identity()->not_after_ms,
            kNow + kAuthorityLifeMs);
  EXPECT_EQ(issue({"a", Role::kAdmin, "t", kDayMs}, kNow + kAuthorityLifeMs).error().code,
            Code::kBadCertificate);
}

TEST_F(CertificateTest, AuthorityIsLoadedWithItsOwnKeyOnly) {
  const auto pem = authority_.certificate().to_pem();
  const auto key = authority_.key_pem();
  EXPECT_TRUE(Authority::load(pem, key.reveal(TestSecretAccess::get())));
  const auto other = PrivateKey::generate().to_pem();
  EXPECT_FALSE(Authority::load(pem, other.reveal(TestSecretAccess::get())));
  // A leaf is no authority, even with its key.
  const auto leaf_key = PrivateKey::generate();
  const auto leaf = authority_.issue({"a", Role::kAdmin, "t", kDayMs}, leaf_key, kNow, random_);
  EXPECT_FALSE(Authority::load(leaf->to_pem(), leaf_key.to_pem().reveal(TestSecretAccess::get())));
}

TEST_F(CertificateTest, SigningRequestProvesPossession) {
  const auto key = PrivateKey::generate();
  auto pem = make_signing_request(key);
  const IssueRequest request{"gateway-1", Role::kGateway, "demo", kDayMs};
  const auto made = authority_.issue_for(request, pem, kNow, random_);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->matches(key));
  // One bit of the base64 body changed: the request's own signature no longer holds.
  int refused = 0;
  int tried = 0;
  const auto body = pem.find('\n') + 1;
  for (auto at = body; at < pem.rfind("\n-----"); at += 7) {
    auto changed = pem;
    if (changed[at] == '\n') continue;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    ++tried;
    if (!authority_.issue_for(request, changed, kNow, random_)) ++refused;
  }
  EXPECT_GT(tried, 20);
  EXPECT_EQ(refused, tried);
}

TEST_F(CertificateTest, OtherKeysAndGarbageAreRefused) {
  // A P-384 key.
  constexpr std::string_view kP384 =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAA\n"
      "-----END PRIVATE KEY-----\n";
  for (const auto text : {kP384, std::string_view("garbage"), std::string_view(""),
                          std::string_view("-----BEGIN CERTIFICATE-----\nAAAA\n")}) {
    EXPECT_FALSE(PrivateKey::from_pem(view_of(text)));
    EXPECT_FALSE(Certificate::from_pem(text));
  }
  EXPECT_EQ(Certificate::from_pem(std::string(kPemBytesMax + 1, 'a')).error().code,
            Code::kBadCertificate);
}

}  // namespace
}  // namespace theriac::pki
