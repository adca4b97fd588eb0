#include "keys/custody.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "codec/json.hpp"
#include "keys/test_support.hpp"
#include "keys/wrap.hpp"

namespace theriac::keys {
namespace {

constexpr crypto::Argon2Cost kCheap{64, 1, 1};

SecretBytes secret(std::string_view text) { return SecretBytes(view_of(text)); }

class CustodyTest : public testing::Test {
 protected:
  Folder folder_;
  crypto::SystemRandom random_;
  std::string path_ = folder_.file("custody.json");

  codec::Json read() { return *codec::parse_json(text_of(*read_small_file(path_))); }
  void write(const codec::Json& json) {
    ASSERT_TRUE(replace_file(path_, view_of(codec::canonical_json(json))));
  }
};

TEST_F(CustodyTest, OpensWithThePassphraseOnly) {
  const auto root = create_custody(path_, secret("correct horse"), kCheap, random_);
  ASSERT_TRUE(root);
  const auto again = open_custody(path_, secret("correct horse"));
  ASSERT_TRUE(again);
  EXPECT_EQ(*root, *again);
  EXPECT_EQ(open_custody(path_, secret("correct hors")).error().code, Code::kWrongPassphrase);
  EXPECT_EQ(open_custody(path_, secret("")).error().code, Code::kWrongPassphrase);
}

TEST_F(CustodyTest, NeverWritesOverAnother) {
  ASSERT_TRUE(create_custody(path_, secret("correct horse"), kCheap, random_));
  EXPECT_EQ(create_custody(path_, secret("correct horse"), kCheap, random_).error().code,
            Code::kAlreadyExists);
  EXPECT_TRUE(open_custody(path_, secret("correct horse")));
}

TEST_F(CustodyTest, NoFieldCanBeChanged) {
  ASSERT_TRUE(create_custody(path_, secret("correct horse"), kCheap, random_));
  const auto good = read();
  const auto refused = [&](const char* name, const codec::Json& value) {
    auto changed = good;
    changed[name] = value;
    write(changed);
    return open_custody(path_, secret("correct horse")).error().code;
  };
  EXPECT_EQ(refused("passes", 2), Code::kWrongPassphrase);
  EXPECT_EQ(refused("memory_kib", 128), Code::kWrongPassphrase);
  EXPECT_EQ(refused("lanes", 2), Code::kWrongPassphrase);
  EXPECT_EQ(refused("salt", "AAAAAAAAAAAAAAAAAAAAAA=="), Code::kWrongPassphrase);
  EXPECT_EQ(refused("salt", "AAAA"), Code::kMalformed);
  EXPECT_EQ(refused("format", 2), Code::kMalformed);
  EXPECT_EQ(refused("kdf", "scrypt"), Code::kMalformed);
  EXPECT_EQ(refused("more", 1), Code::kMalformed);
  EXPECT_EQ(refused("passes", -1), Code::kMalformed);
  EXPECT_EQ(refused("memory_kib", crypto::kArgon2MemoryKibMax + 1), Code::kOutOfRange);
  EXPECT_EQ(refused("memory_kib", 5'000'000'000), Code::kMalformed);
  write(good);
  EXPECT_TRUE(open_custody(path_, secret("correct horse")));
}

TEST_F(CustodyTest, PassphraseCanBeChangedByWhoKnowsIt) {
  const auto root = create_custody(path_, secret("correct horse"), kCheap, random_);
  EXPECT_EQ(change_passphrase(path_, secret("wrong"), secret("new"), kCheap, random_).error().code,
            Code::kWrongPassphrase);
  ASSERT_TRUE(change_passphrase(path_, secret("correct horse"), secret("new"), kCheap, random_));
  EXPECT_EQ(open_custody(path_, secret("correct horse")).error().code, Code::kWrongPassphrase);
  EXPECT_EQ(*open_custody(path_, secret("new")), *root);
}

TEST_F(CustodyTest, GarbageIsMalformed) {
  EXPECT_EQ(open_custody(path_, secret("x")).error().code, Code::kNotFound);
  for (const char* text : {"", "{}", "[]", "garbage", R"({"wrapped":1})"}) {
    ASSERT_TRUE(replace_file(path_, view_of(text)));
    EXPECT_EQ(open_custody(path_, secret("x")).error().code, Code::kMalformed) << text;
  }
}

TEST_F(CustodyTest, PassphraseIsTheFirstLine) {
  const auto file = folder_.file("pass");
  const auto read_back = [&](std::string_view text) {
    EXPECT_TRUE(replace_file(file, view_of(text)));
    return read_passphrase(file);
  };
  EXPECT_EQ(*read_back("correct horse\nmore"), secret("correct horse"));
  EXPECT_EQ(*read_back("correct horse\r\n"), secret("correct horse"));
  EXPECT_EQ(*read_back("correct horse"), secret("correct horse"));
  EXPECT_TRUE(read_back(std::string(12, 'x')));
  EXPECT_EQ(read_back(std::string(11, 'x')).error().code, Code::kUsage);
  EXPECT_TRUE(read_back(std::string(1024, 'x')));
  EXPECT_EQ(read_back(std::string(1025, 'x')).error().code, Code::kUsage);
  EXPECT_EQ(read_passphrase(folder_.file("none")).error().code, Code::kNotFound);
}

TEST(Wrap, OpensOnlyAsItWasMade) {
  crypto::SystemRandom random;
  const auto wrapping = crypto::new_key256();
  const auto key = crypto::new_key256();
  const auto wrapped = wrap_key(wrapping, key, view_of("aad"), random);
  ASSERT_EQ(wrapped.size(), kWrapOverheadBytes + 32);
  EXPECT_EQ(*unwrap_key(wrapping, wrapped, view_of("aad")), key);
  EXPECT_EQ(unwrap_key(wrapping, wrapped, view_of("aae")).error().code, Code::kNotAuthentic);
  EXPECT_FALSE(unwrap_key(crypto::new_key256(), wrapped, view_of("aad")));
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    auto changed = wrapped;
    changed[i] = static_cast<std::uint8_t>(changed[i] ^ 1U);
    EXPECT_FALSE(unwrap_key(wrapping, changed, view_of("aad"))) << i;
  }
  for (std::size_t size = 0; size < wrapped.size(); ++size) {
    EXPECT_FALSE(unwrap_key(wrapping, ByteView(wrapped).first(size), view_of("aad"))) << size;
  }
  EXPECT_NE(wrap_key(wrapping, key, view_of("aad"), random), wrapped) << "salted";
  // Bytes of another length do not pass for a key.
  const auto other = wrap_bytes(wrapping, SecretBytes(std::size_t{31}), view_of("aad"), random);
  EXPECT_TRUE(unwrap_bytes(wrapping, other, view_of("aad")));
  EXPECT_FALSE(unwrap_key(wrapping, other, view_of("aad")));
}

}  // namespace
}  // namespace theriac::keys
