#include "crypto/sign.hpp"

#include "crypto/testing.hpp"

namespace theriac::crypto {
namespace {

using testing_support::hex;
using testing_support::key256;

Ed25519PublicKey public_key(ByteView bytes) {
  Ed25519PublicKey key;
  std::copy_n(bytes.begin(), key.size(), key.begin());
  return key;
}

struct Rfc8032Case {
  const char *seed, *public_key, *message, *signature;
};
// RFC 8032 section 7.1, tests 1 to 3.
constexpr std::array kCases = {
    Rfc8032Case{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    Rfc8032Case{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    Rfc8032Case{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};

TEST(Ed25519, Rfc8032) {
  for (const auto& c : kCases) {
    const Ed25519Key key(key256(hex(c.seed)));
    EXPECT_EQ(to_hex(key.public_key()), c.public_key);
    const Ed25519Signature signature = key.sign(hex(c.message));
    EXPECT_EQ(to_hex(signature), c.signature);
    EXPECT_TRUE(verify_ed25519(key.public_key(), hex(c.message), signature));
  }
}

TEST(Ed25519, Wycheproof) {
  const char* const file = "ed25519_test.json";
  const auto vectors = testing_support::wycheproof(file);
  if (!vectors) GTEST_SKIP();
  testing_support::Tally tally;
  for (const auto& group : (*vectors)["testGroups"]) {
    const auto key = public_key(hex(group["publicKey"]["pk"].get<std::string>()));
    for (const auto& test : group["tests"]) {
      const bool accepted = verify_ed25519(key, hex(test["msg"].get<std::string>()),
                                           hex(test["sig"].get<std::string>()));
      EXPECT_EQ(accepted, test["result"] == "valid") << test["tcId"] << " " << test["comment"];
      ++tally.run;
    }
  }
  tally.print(file, "none");
  EXPECT_EQ(tally.run, 151U);
}

TEST(Ed25519, EveryChangedBitIsRefused) {
  const auto key = Ed25519Key::generate();
  const Bytes message = bytes_of("checkpoint");
  const Ed25519Signature signature = key.sign(message);
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Ed25519Signature changed = signature;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(verify_ed25519(key.public_key(), message, changed)) << bit;
  }
  EXPECT_FALSE(verify_ed25519(key.public_key(), view_of("checkpoinT"), signature));
  EXPECT_FALSE(verify_ed25519(key.public_key(), message, ByteView(signature).first(63)));
  EXPECT_FALSE(verify_ed25519(key.public_key(), message, {}));
  EXPECT_FALSE(verify_ed25519(Ed25519Key::generate().public_key(), message, signature));
}

}  // namespace
}  // namespace theriac::crypto
