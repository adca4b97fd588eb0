#include "crypto/hash.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <rapidcheck.h>

#include "crypto/testing.hpp"

namespace theriac::crypto {
namespace {

using testing_support::hex;
using testing_support::key256;

TEST(Hash, Sha256OfTheStandardsExamples) {
  // FIPS 180-4 examples.
  EXPECT_EQ(to_hex(sha256(view_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, Sm3OfTheStandardsExamples) {
  // GB/T 32905-2016 appendix A.1 and A.2.
  EXPECT_EQ(to_hex(hash(HashKind::kSm3, view_of("abc"))),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
  std::string repeated;
  for (int i = 0; i < 16; ++i) repeated += "abcd";
  EXPECT_EQ(to_hex(hash(HashKind::kSm3, view_of(repeated))),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
}

TEST(Hash, PiecesHashLikeTheWhole) {
  EXPECT_TRUE(rc::check("any split of any message, either hash, twice with one object",
                        [](const Bytes& first, const Bytes& second) {
                          Bytes whole = first;
                          append(whole, second);
                          for (const auto kind : {HashKind::kSha256, HashKind::kSm3}) {
                            Hasher hasher(kind);
                            for (int round = 0; round < 2; ++round) {
                              hasher.update(first);
                              hasher.update(second);
                              RC_ASSERT(hasher.finish() == hash(kind, whole));
                            }
                          }
                        }));
}

void hmac_vectors(HashKind kind, const char* file) {
  const auto vectors = testing_support::wycheproof(file);
  if (!vectors) GTEST_SKIP();
  testing_support::Tally tally;
  for (const auto& group : (*vectors)["testGroups"]) {
    const std::size_t tag_bytes = group["tagSize"].get<std::size_t>() / 8;
    for (const auto& test : group["tests"]) {
      const SecretBytes key{ByteView(hex(test["key"].get<std::string>()))};
      HmacKey hmac(kind, key);
      const Digest whole = hmac.mac(hex(test["msg"].get<std::string>()));
      const bool equal = equal_constant_time(ByteView(whole).first(tag_bytes),
                                             hex(test["tag"].get<std::string>()));
      EXPECT_EQ(equal, test["result"] == "valid") << test["tcId"];
      ++tally.run;
    }
  }
  tally.print(file, "none; truncated tags are compared by their first bytes");
  EXPECT_EQ(tally.run, 174U);
}

TEST(Hmac, WycheproofSha256) { hmac_vectors(HashKind::kSha256, "hmac_sha256_test.json"); }
TEST(Hmac, WycheproofSm3) { hmac_vectors(HashKind::kSm3, "hmac_sm3_test.json"); }

TEST(Hmac, Rfc4231TestCase2) {
  HmacKey key(HashKind::kSha256, SecretBytes(view_of("Jefe")));
  EXPECT_EQ(to_hex(key.mac(view_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Hmac, KeptKeyGivesTheSameTwiceAndAfterAMove) {
  HmacKey key(HashKind::kSha256, key256(7));
  const Digest first = key.mac(view_of("value"));
  EXPECT_EQ(key.mac(view_of("value")), first);
  HmacKey moved = std::move(key);
  EXPECT_EQ(moved.mac(view_of("value")), first);
  EXPECT_NE(moved.mac(view_of("other")), first);
}

TEST(Hkdf, Rfc5869TestCases) {
  struct Case {
    std::string salt, info, okm;
  };
  // Appendix A.1, A.2, A.3.
  const std::vector<Case> cases = {
      {"000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {"", "",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"}};
  const SecretBytes ikm{ByteView(Bytes(22, 0x0b))};
  for (const Case& c : cases) {
    const auto okm = hkdf(HashKind::kSha256, ikm, hex(c.salt), hex(c.info), 42);
    ASSERT_TRUE(okm);
    EXPECT_EQ(to_hex(TestSecretAccess::bytes(*okm)), c.okm);
  }
  Bytes long_ikm(80);
  Bytes long_salt(80);
  Bytes long_info(80);
  for (std::size_t i = 0; i < 80; ++i) {
    long_ikm[i] = static_cast<std::uint8_t>(i);
    long_salt[i] = static_cast<std::uint8_t>(0x60 + i);
    long_info[i] = static_cast<std::uint8_t>(0xb0 + i);
  }
  const auto okm =
      hkdf(HashKind::kSha256, SecretBytes(ByteView(long_ikm)), long_salt, long_info, 82);
  ASSERT_TRUE(okm);
  EXPECT_EQ(to_hex(TestSecretAccess::bytes(*okm)),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

TEST(Hkdf, WycheproofSha256) {
  const char* const file = "hkdf_sha256_test.json";
  const auto vectors = testing_support::wycheproof(file);
  if (!vectors) GTEST_SKIP();
  testing_support::Tally tally;
  for (const auto& group : (*vectors)["testGroups"]) {
    for (const auto& test : group["tests"]) {
      const SecretBytes ikm{ByteView(hex(test["ikm"].get<std::string>()))};
      const auto okm = hkdf(HashKind::kSha256, ikm, hex(test["salt"].get<std::string>()),
                            hex(test["info"].get<std::string>()), test["size"].get<std::size_t>());
      const bool valid =
          okm && TestSecretAccess::bytes(*okm) == hex(test["okm"].get<std::string>());
      EXPECT_EQ(valid, test["result"] == "valid") << test["tcId"];
      if (!okm) EXPECT_EQ(okm.error().code, Code::kOutOfRange) << test["tcId"];
      ++tally.run;
    }
  }
  tally.print(file, "none");
  EXPECT_EQ(tally.run, 86U);
}

/// OpenSSL's own HKDF, as an independent witness for SM3.
Bytes openssl_hkdf(const char* digest, Bytes ikm, Bytes salt, Bytes info, std::size_t size) {
  EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* const context = EVP_KDF_CTX_new(kdf);
  std::string name = digest;
  Bytes nothing(1);
  const auto octets = [&](const char* what, Bytes& bytes) {
    return OSSL_PARAM_construct_octet_string(what, (bytes.empty() ? nothing : bytes).data(),
                                             bytes.size());
  };
  std::vector<OSSL_PARAM> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name.data(), 0),
      octets(OSSL_KDF_PARAM_KEY, ikm), octets(OSSL_KDF_PARAM_INFO, info)};
  if (!salt.empty()) params.push_back(octets(OSSL_KDF_PARAM_SALT, salt));
  params.push_back(OSSL_PARAM_construct_end());
  Bytes out(size);
  EXPECT_EQ(EVP_KDF_derive(context, out.data(), out.size(), params.data()), 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

TEST(Hkdf, AgreesWithOpenSslForBothHashes) {
  EXPECT_TRUE(rc::check("any key, salt, info and length", [](const Bytes& salt, const Bytes& info) {
    const auto ikm = *rc::gen::container<Bytes>(32, rc::gen::arbitrary<std::uint8_t>());
    const auto size = *rc::gen::inRange<std::size_t>(1, 100);
    for (const auto& [kind, name] :
         {std::pair{HashKind::kSha256, "SHA256"}, std::pair{HashKind::kSm3, "SM3"}}) {
      const auto ours = hkdf(kind, SecretBytes(ByteView(ikm)), salt, info, size);
      RC_ASSERT(TestSecretAccess::bytes(*ours) == openssl_hkdf(name, ikm, salt, info, size));
      RC_ASSERT(TestSecretAccess::bytes(hkdf(kind, key256(ikm), salt, info)) ==
                openssl_hkdf(name, ikm, salt, info, 32));
    }
  }));
}

TEST(Hkdf, LengthAtAndBeyondTheLimit) {
  const SecretBytes ikm{ByteView(Bytes(32, 1))};
  EXPECT_TRUE(hkdf(HashKind::kSm3, ikm, {}, {}, 255 * 32));
  const auto beyond = hkdf(HashKind::kSm3, ikm, {}, {}, 255 * 32 + 1);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Code::kOutOfRange);
}

}  // namespace
}  // namespace theriac::crypto
