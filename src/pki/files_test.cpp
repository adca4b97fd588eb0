#include "pki/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

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

class FilesTest : public testing::Test {
 protected:
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

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
  static unsigned rights(const std::string& path) {
    struct stat found{};
    EXPECT_EQ(::stat(path.c_str(), &found), 0);
    return found.st_mode & 0777U;
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

TEST_F(FilesTest, ReplaceIsWholeAndPrivate) {
  const auto path = folder_ + "/file";
  EXPECT_EQ(read_small_file(path).error().code, Code::kNotFound);
  ASSERT_TRUE(replace_file(path, view_of("one")));
  ASSERT_TRUE(replace_file(path, view_of("two")));
  EXPECT_EQ(*read_small_file(path), bytes_of("two"));
  EXPECT_EQ(rights(path), 0600U);
  EXPECT_FALSE(std::filesystem::exists(path + ".unfinished"));
}

TEST_F(FilesTest, WhatACrashLeftBehindIsNoObstacle) {
  const auto path = folder_ + "/file";
  ASSERT_TRUE(replace_file(path + ".unfinished", view_of("torn")));
  ASSERT_TRUE(replace_file(path, view_of("whole")));
  EXPECT_EQ(*read_small_file(path), bytes_of("whole"));
}

TEST_F(FilesTest, LimitIsTheLimit) {
  const auto path = folder_ + "/file";
  ASSERT_TRUE(replace_file(path, Bytes(kSmallFileBytesMax)));
  EXPECT_TRUE(read_small_file(path));
  ASSERT_TRUE(replace_file(path, Bytes(kSmallFileBytesMax + 1)));
  EXPECT_EQ(read_small_file(path).error().code, Code::kTooLarge);
}

TEST_F(FilesTest, NoFolderIsAnError) {
  EXPECT_EQ(replace_file(folder_ + "/missing/file", view_of("x")).error().code, Code::kNotFound);
}

TEST_F(FilesTest, CredentialsAreReplacedTogether) {
  ASSERT_TRUE(replace_file(paths_.authority, view_of(authority_.certificate().to_pem()), 0644));
  EXPECT_EQ(load_credentials(paths_).error().code, Code::kNotFound);
  for (int round = 0; round < 2; ++round) {
    const auto made = make();
    ASSERT_TRUE(replace_credentials(paths_, made.certificate.to_pem(), made.key_pem()));
    const auto loaded = load_credentials(paths_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->certificate.fingerprint(), made.certificate.fingerprint());
    EXPECT_EQ(rights(paths_.key), 0600U);
  }
}

// The three states a crash can leave: before the certificate's rename, between the two, after.
TEST_F(FilesTest, CredentialsFitAfterACrashAtAnyPoint) {
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

TEST_F(FilesTest, PairsThatDoNotFitAreRefused) {
  ASSERT_TRUE(replace_file(paths_.authority, view_of(authority_.certificate().to_pem()), 0644));
  const auto one = make();
  const auto two = make();
  ASSERT_TRUE(replace_credentials(paths_, one.certificate.to_pem(), two.key_pem()));
  EXPECT_EQ(load_credentials(paths_).error().code, Code::kBadCertificate);
}

}  // namespace
}  // namespace theriac::pki
