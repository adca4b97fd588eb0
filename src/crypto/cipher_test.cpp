#include "crypto/cipher.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <rapidcheck.h>

#include "crypto/testing.hpp"

namespace theriac::crypto {
namespace {

using testing_support::hex;
using testing_support::key256;

Secret<16> key128(ByteView bytes) { return Secret<16>(bytes.first<16>()); }

std::span<const std::uint8_t, kGcmNonceBytes> nonce_of(const Bytes& bytes) {
  return ByteView(bytes).first<kGcmNonceBytes>();
}

/// One AEAD case, sealed, opened, and opened where plaintext and ciphertext share memory.
void check_gcm(GcmKey& key, const nlohmann::json& test) {
  const auto field = [&](const char* name) { return hex(test[name].get<std::string>()); };
  const Bytes nonce = field("iv");
  const Bytes aad = field("aad");
  const Bytes message = field("msg");
  Bytes sealed = field("ct");
  append(sealed, field("tag"));
  const bool valid = test["result"] == "valid";

  Bytes made(message.size() + kGcmTagBytes);
  key.seal(nonce_of(nonce), aad, message, made);
  EXPECT_EQ(made == sealed, valid) << test["tcId"];

  Bytes in_place = message;
  in_place.resize(message.size() + kGcmTagBytes);
  key.seal(nonce_of(nonce), aad, ByteView(in_place).first(message.size()), in_place);
  EXPECT_EQ(in_place, made) << test["tcId"];

  Bytes opened(sealed.size() - kGcmTagBytes, 0xee);
  const Status status = key.open(nonce_of(nonce), aad, sealed, opened);
  EXPECT_EQ(status.has_value(), valid) << test["tcId"];
  if (valid) {
    EXPECT_EQ(opened, message) << test["tcId"];
  } else {
    EXPECT_EQ(status.error().code, Code::kNotAuthentic);
    EXPECT_EQ(opened, Bytes(opened.size(), 0)) << "not wiped: " << test["tcId"];
  }
}

template <typename MakeKey>
void gcm_vectors(const char* file, int key_bits, std::size_t expected, const char* why,
                 const MakeKey& make_key) {
  const auto vectors = testing_support::wycheproof(file);
  if (!vectors) GTEST_SKIP();
  testing_support::Tally tally;
  for (const auto& group : (*vectors)["testGroups"]) {
    const bool ours = group["keySize"] == key_bits && group["ivSize"] == 96;
    for (const auto& test : group["tests"]) {
      if (!ours) {
        ++tally.out_of_scope;
        continue;
      }
      GcmKey key(make_key(hex(test["key"].get<std::string>())));
      check_gcm(key, test);
      ++tally.run;
    }
  }
  tally.print(file, why);
  EXPECT_EQ(tally.run, expected);
}

TEST(Gcm, WycheproofAes) {
  gcm_vectors("aes_gcm_test.json", 256, 66, "keys of 128 and 192 bits, nonces not of 96 bits",
              [](const Bytes& key) { return key256(key); });
}
TEST(Gcm, WycheproofSm4) {
  gcm_vectors("sm4_gcm_test.json", 128, 65, "nonces not of 96 bits",
              [](const Bytes& key) { return key128(key); });
}

TEST(Gcm, AesTestCases13And14OfTheGcmSpecification) {
  GcmKey key(key256(0));
  const Bytes nonce(12);
  Bytes tag(16);
  key.seal(nonce_of(nonce), {}, {}, tag);
  EXPECT_EQ(to_hex(tag), "530f8afbc74536b9a963b4f1c4cb738b");
  Bytes sealed(32);
  key.seal(nonce_of(nonce), {}, Bytes(16), sealed);
  EXPECT_EQ(to_hex(sealed), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(Gcm, Sm4ExampleOfRfc8998) {
  // RFC 8998 appendix A.1.
  GcmKey key(key128(hex("0123456789abcdeffedcba9876543210")));
  const Bytes nonce = hex("00001234567800000000abcd");
  const Bytes message =
      hex("aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
          "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa");
  Bytes sealed(message.size() + kGcmTagBytes);
  key.seal(nonce_of(nonce), hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"), message, sealed);
  EXPECT_EQ(to_hex(sealed),
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
            "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
            "83de3541e4c2b58177e065a9bf7b62ec");
}

TEST(Gcm, SetKeyIsLikeANewKey) {
  const Bytes nonce(12, 3);
  Bytes fresh(20 + kGcmTagBytes);
  Bytes reused(fresh.size());
  GcmKey key(key256(1));
  key.seal(nonce_of(nonce), view_of("aad"), Bytes(20, 9), reused);
  key.set_key(key256(2));
  key.seal(nonce_of(nonce), view_of("aad"), Bytes(20, 9), reused);
  GcmKey(key256(2)).seal(nonce_of(nonce), view_of("aad"), Bytes(20, 9), fresh);
  EXPECT_EQ(reused, fresh);

  GcmKey sm4(key128(Bytes(16, 1)));
  sm4.set_key(key128(Bytes(16, 2)));
  sm4.seal(nonce_of(nonce), {}, Bytes(20, 9), reused);
  GcmKey(key128(Bytes(16, 2))).seal(nonce_of(nonce), {}, Bytes(20, 9), fresh);
  EXPECT_EQ(reused, fresh);
}

TEST(GcmDeathTest, AKeyOfTheOtherCipherIsABug) {
  GcmKey aes(key256(1));
  EXPECT_DEATH(aes.set_key(key128(Bytes(16, 2))), "algorithm");
}

TEST(Cmac, WycheproofAes) {
  const char* const file = "aes_cmac_test.json";
  const auto vectors = testing_support::wycheproof(file);
  if (!vectors) GTEST_SKIP();
  testing_support::Tally tally;
  for (const auto& group : (*vectors)["testGroups"]) {
    for (const auto& test : group["tests"]) {
      if (group["keySize"] != 256) {
        ++tally.out_of_scope;
        continue;
      }
      CmacKey key(key256(hex(test["key"].get<std::string>())));
      const Block mac = key.mac(hex(test["msg"].get<std::string>()));
      EXPECT_EQ(equal_constant_time(mac, hex(test["tag"].get<std::string>())),
                test["result"] == "valid")
          << test["tcId"];
      ++tally.run;
    }
  }
  tally.print(file, "keys not of 256 bits");
  EXPECT_EQ(tally.run, 102U);
}

TEST(Cmac, Sp80038bExamplesForAes256) {
  // SP 800-38B appendix D.3, examples 9 and 10.
  CmacKey key(key256(hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")));
  EXPECT_EQ(to_hex(key.mac({})), "028962f61b7bf89efc6b551f4667d983");
  EXPECT_EQ(to_hex(key.mac(hex("6bc1bee22e409f96e93d7e117393172a"))),
            "28a7023f452e8f82bd4bf28d8c37c35c");
}

/// SM4 of one block, from OpenSSL.
Bytes openssl_sm4_block(const Bytes& key, const Bytes& block) {
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  Bytes out(16);
  int size = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context, EVP_sm4_ecb(), nullptr, key.data(), nullptr), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_set_padding(context, 0), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context, out.data(), &size, block.data(), 16), 1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

Bytes openssl_cmac(const char* cipher, const Bytes& key, const Bytes& message) {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "CMAC", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  std::string name = cipher;
  const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name.data(), 0),
      OSSL_PARAM_construct_end()};
  EXPECT_EQ(EVP_MAC_init(context, key.data(), key.size(), params.data()), 1);
  EXPECT_EQ(EVP_MAC_update(context, message.data(), message.size()), 1);
  Bytes out(16);
  std::size_t size = 0;
  EXPECT_EQ(EVP_MAC_final(context, out.data(), &size, out.size()), 1);
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  return out;
}

TEST(Cmac, Sm4BlockOfTheStandardsExample) {
  // GB/T 32907-2016 appendix A.1. CMAC of one block is E(block ^ K1) with K1 = 2 * E(0), so the
  // standard's block can be seen through it.
  const Bytes key = hex("0123456789abcdeffedcba9876543210");
  const Bytes zero = openssl_sm4_block(key, Bytes(16));
  Bytes message = key;  // the example encrypts the key under itself
  for (std::size_t i = 0; i < 16; ++i) {
    const unsigned next = i + 1 < 16 ? unsigned{zero[i + 1]} >> 7U : 0U;
    unsigned doubled = (unsigned{zero[i]} << 1U | next) & 0xffU;
    if (i == 15 && (zero[0] & 0x80U) != 0) doubled ^= 0x87U;
    message[i] = static_cast<std::uint8_t>(message[i] ^ doubled);
  }
  CmacKey cmac(key128(key));
  EXPECT_EQ(to_hex(cmac.mac(message)), "681edf34d206965e86b3e94f536e4246");
}

TEST(Cmac, AgreesWithOpenSslAndJoinsTwoParts) {
  EXPECT_TRUE(rc::check(
      "any key and any two parts, both ciphers", [](const Bytes& first, const Bytes& second) {
        const auto key = *rc::gen::container<Bytes>(32, rc::gen::arbitrary<std::uint8_t>());
        Bytes whole = first;
        append(whole, second);
        const auto expect = [&](CmacKey& cmac, const Bytes& expected) {
          const Block joined = cmac.mac(first, second);
          RC_ASSERT(Bytes(joined.begin(), joined.end()) == expected);
          const Block once = cmac.mac(whole);
          RC_ASSERT(Bytes(once.begin(), once.end()) == expected);
        };
        CmacKey aes(key256(key));
        expect(aes, openssl_cmac("AES-256-CBC", key, whole));
        CmacKey sm4(key128(key));
        expect(sm4, openssl_cmac("SM4-CBC", Bytes(key.begin(), key.begin() + 16), whole));
      }));
}

}  // namespace
}  // namespace theriac::crypto
