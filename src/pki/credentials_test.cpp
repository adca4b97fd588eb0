#include "pki/credentials.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <filesystem>

#include "base/files.hpp"
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

class CredentialsTest : public testing::Test {
 protected:
  ~CredentialsTest() override { std::filesystem::remove_all(folder_); }

  struct Made {
    PrivateKey key;
    Certificate certificate;
    [[nodiscard]] Bytes key_pem() const {
      const auto pem = key.to_pem();
      const auto view = pem.reveal(TestSecretAccess::get());
      return {view.begin(), view.end()};
    }
  };
  Made make() {
    auto key = PrivateKey::generate();
    auto made = authority_.issue({"a", Role::kGateway, "t", kDayMs}, key, kNow, random_);
    return {std::move(key), std::move(*made)};
  }
  static std::string make_folder() {
    std::string name = "/tmp/theriac-pki-XXXXXX";
    THERIAC_ASSERT(::mkdtemp(name.data()) != nullptr);
    return name;
  }

  std::string folder_ = make_folder();
  crypto::SystemRandom random_;
  Authority authority_ = Authority::create("test", kNow, random_);
  CredentialPaths paths_ = CredentialPaths::in(folder_);
};

TEST_F(CredentialsTest, CredentialsAreReplacedTogether) {
  ASSERT_TRUE(replace_file(paths_.authority, view_of(authority_.certificate().to_pem()), 0644));
  EXPECT_EQ(load_credentials(paths_).error().code, Code::kNotFound);
  for (int round = 0; round < 2; ++round) {
    const auto made = make();
    ASSERT_TRUE(replace_credentials(paths_, made.certificate.to_pem(), made.key_pem()));
    const auto loaded = load_credentials(paths_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->certificate.fingerprint(), made.certificate.fingerprint());
    EXPECT_EQ(std::filesystem::status(paths_.key).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
}

// The three states a crash can leave: before the certificate's rename, between the two, after.
TEST_F(CredentialsTest, CredentialsFitAfterACrashAtAnyPoint) {
  ASSERT_TRUE(replace_file(paths_.authority, view_of(authority_.certificate().to_pem()), 0644));
  const auto old_pair = make();
  const auto new_pair = make();
  ASSERT_TRUE(replace_credentials(paths_, old_pair.certificate.to_pem(), old_pair.key_pem()));

  ASSERT_TRUE(replace_file(paths_.key + ".next", new_pair.key_pem()));
  auto loaded = load_credentials(paths_);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->certificate.fingerprint(), old_pair.certificate.fingerprint());

  ASSERT_TRUE(replace_file(paths_.certificate, view_of(new_pair.certificate.to_pem()), 0644));
  loaded = load_credentials(paths_);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->certificate.fingerprint(), new_pair.certificate.fingerprint());
  EXPECT_FALSE(std::filesystem::exists(paths_.key + ".next")) << "put in place";
  EXPECT_TRUE(load_credentials(paths_));
}

TEST_F(CredentialsTest, PairsThatDoNotFitAreRefused) {
  ASSERT_TRUE(replace_file(paths_.authority, view_of(authority_.certificate().to_pem()), 0644));
  const auto one = make();
  const auto two = make();
  ASSERT_TRUE(replace_credentials(paths_, one.certificate.to_pem(), two.key_pem()));
  EXPECT_EQ(load_credentials(paths_).error().code, Code::kBadCertificate);
}

}  // namespace
}  // namespace theriac::pki
