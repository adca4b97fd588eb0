// Opens what our Sealer sealed with suite 2 by OpenSSL's SM4-CTR, CMAC and HKDF and a GHASH written
// here from SP 800-38D: nothing of libgcrypt and nothing of src/crypto.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <rapidcheck.h>

#include "crypto/testing.hpp"
#include "seal/testing.hpp"

namespace theriac::seal {
namespace {

using namespace testing_support;  // NOLINT: a test
using theriac::testing_support::SeededRandom;

using Block = std::array<std::uint8_t, 16>;

Bytes part(const Bytes& of, std::size_t from, std::size_t size) {
  const auto begin = of.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

Bytes hmac_sm3(const Bytes& key, const Bytes& data) {
  Bytes out(32);
  unsigned size = 0;
  HMAC(EVP_sm3(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(),
       &size);
  return out;
}

/// RFC 5869 with SM3, no salt, 32 bytes: one block of each step.
Bytes hkdf_sm3(const Bytes& ikm, const Bytes& info) {
  Bytes message = info;
  message.push_back(1);
  return hmac_sm3(hmac_sm3(Bytes(32), ikm), message);
}

Bytes derived(const Bytes& material, std::string_view label) {
  Bytes info = bytes_of(label);
  info.push_back(2);
  info.push_back(1);
  return hkdf_sm3(material, info);
}

Bytes sm4_ctr(const Bytes& key, const Bytes& counter, const Bytes& in) {
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  Bytes out(in.size());
  int size = 0;
  RC_ASSERT(EVP_EncryptInit_ex(context, EVP_sm4_ctr(), nullptr, key.data(), counter.data()) == 1);
  RC_ASSERT(EVP_EncryptUpdate(context, out.data(), &size, in.data(), static_cast<int>(in.size())) ==
            1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

/// SP 800-38D section 6.3, bit by bit.
Block multiply(const Block& x, Block v) {
  Block z{};
  for (std::size_t bit = 0; bit < 128; ++bit) {
    if ((x[bit / 8] >> (7 - bit % 8) & 1U) != 0) {
      for (std::size_t i = 0; i < 16; ++i) z[i] ^= v[i];
    }
    const bool carry = (v[15] & 1U) != 0;
    for (std::size_t i = 15; i > 0; --i) {
      v[i] = static_cast<std::uint8_t>(v[i] >> 1U | v[i - 1] << 7U);
    }
    v[0] = static_cast<std::uint8_t>(v[0] >> 1U);
    if (carry) v[0] ^= 0xe1U;
  }
  return z;
}

Block ghash(const Bytes& key, const Bytes& aad, const Bytes& ciphertext) {
  Bytes data = aad;
  data.resize((data.size() + 15) / 16 * 16);
  append(data, ciphertext);
  data.resize((data.size() + 15) / 16 * 16);
  append_be(data, static_cast<std::uint64_t>(aad.size() * 8));
  append_be(data, static_cast<std::uint64_t>(ciphertext.size() * 8));
  Block h{};
  std::ranges::copy(key, h.begin());
  Block y{};
  for (std::size_t at = 0; at < data.size(); at += 16) {
    for (std::size_t i = 0; i < 16; ++i) y[i] ^= data[at + i];
    y = multiply(y, h);
  }
  return y;
}

Bytes cmac_sm4(Bytes key, const Bytes& message) {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "CMAC", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  std::string cipher = "SM4-CBC";
  const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher.data(), 0),
      OSSL_PARAM_construct_end()};
  RC_ASSERT(EVP_MAC_init(context, key.data(), key.size(), params.data()) == 1);
  RC_ASSERT(EVP_MAC_update(context, message.data(), message.size()) == 1);
  Bytes out(16);
  std::size_t size = 0;
  RC_ASSERT(EVP_MAC_final(context, out.data(), &size, out.size()) == 1);
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  return out;
}

/// docs/design/suite-2.md followed word by word, for an unbound, unpadded column value.
void check_against_specification(const Bytes& material, const Bytes& plaintext,
                                 std::uint64_t seed) {
  const LeasedKey key = leased(Suite::kSm4Gcm, Purpose::kData, material);
  const Binding where = binding();
  SeededRandom random(seed);
  auto sealer = Sealer::make(key, random);
  const Bytes sealed = *sealer->seal(where, {}, plaintext);

  SeededRandom same(seed);
  Bytes prefix(12);
  Bytes fresh(12);
  same.fill(prefix);
  same.fill(fresh);

  Bytes header = {1, 2, 0};
  append(header, part(hmac_sm3(derived(material, "theriac/commit/v1"), bytes_of("key id")), 0, 8));
  RC_ASSERT(part(sealed, 0, 11) == header);
  RC_ASSERT(part(sealed, 11, 12) == prefix);

  Bytes aad = {0, 11};
  append(aad, header);
  append(aad, Bytes{0, 16});
  append(aad, where.tenant.view());
  append(aad, Bytes{0, 1, 1, 0, 16});
  append(aad, where.field.view());

  Bytes mac_input = fresh;
  append(mac_input, header);
  append(mac_input, aad);
  append(mac_input, plaintext);
  const Bytes nonce_key = part(derived(material, "theriac/nonce/v1"), 0, 16);
  const Bytes suffix = part(cmac_sm4(nonce_key, mac_input), 0, 12);
  RC_ASSERT(part(sealed, 23, 12) == suffix);

  Bytes selector = {0, 1, 'S', 0};
  append(selector, prefix);
  const Bytes message_key = part(hmac_sm3(derived(material, "theriac/data/v1"), selector), 0, 16);
  const auto counter = [&suffix](std::uint8_t last) {
    Bytes block = suffix;
    append(block, Bytes{0, 0, 0, last});
    return block;
  };
  const Bytes ciphertext = part(sealed, 35, plaintext.size());
  RC_ASSERT(sm4_ctr(message_key, counter(2), ciphertext) == plaintext);
  const Bytes hash_key = sm4_ctr(message_key, Bytes(16), Bytes(16));
  const Block hashed = ghash(hash_key, aad, ciphertext);
  const Bytes tag = sm4_ctr(message_key, counter(1), Bytes(hashed.begin(), hashed.end()));
  RC_ASSERT(part(sealed, 35 + plaintext.size(), 16) == tag);
  RC_ASSERT(sealed.size() == 51 + plaintext.size());
}

TEST(Suite2, IsWhatItsSpecificationSaysAccordingToOpenSsl) {
  EXPECT_TRUE(rc::check(
      "any key, plaintext and randomness", [](const Bytes& plaintext, std::uint64_t seed) {
        const auto material = *rc::gen::container<Bytes>(32, rc::gen::arbitrary<std::uint8_t>());
        check_against_specification(material, plaintext, seed);
      }));
}

}  // namespace
}  // namespace theriac::seal
