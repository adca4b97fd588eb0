// The vectors printed in https://c2sp.org/XAES-256-GCM.
#include "seal/xaes.hpp"

#include <openssl/evp.h>

#include "crypto/testing.hpp"

namespace theriac::seal {
namespace {

using theriac::testing_support::hex;
using theriac::testing_support::key256;

std::span<const std::uint8_t, 24> nonce_of(ByteView bytes) { return bytes.first<24>(); }

struct Printed {
  std::uint8_t key;
  const char *derived, *aad, *sealed;
};
// In the first the most significant bit of AES(0) is 0, in the second 1.
constexpr std::array kPrinted = {
    Printed{1, "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b", "",
            "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
    Printed{3, "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8",
            "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"}};

TEST(Xaes, PrintedVectors) {
  const Bytes nonce = bytes_of("ABCDEFGHIJKLMNOPQRSTUVWX");
  const Bytes plaintext = bytes_of("XAES-256-GCM");
  for (const Printed& vector : kPrinted) {
    const Key256 key = key256(vector.key);
    NoncePrefix prefix;
    std::copy_n(nonce.begin(), prefix.size(), prefix.begin());
    EXPECT_EQ(to_hex(TestSecretAccess::bytes(XaesKey(key).derive(prefix))), vector.derived);
    Bytes sealed(plaintext.size() + 16);
    xaes_seal(key, nonce_of(nonce), view_of(vector.aad), plaintext, sealed);
    EXPECT_EQ(to_hex(sealed), vector.sealed);
    Bytes opened(plaintext.size());
    ASSERT_TRUE(xaes_open(key, nonce_of(nonce), view_of(vector.aad), sealed, opened));
    EXPECT_EQ(opened, plaintext);
    sealed.back() ^= 1U;
    const Status refused = xaes_open(key, nonce_of(nonce), view_of(vector.aad), sealed, opened);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kNotAuthentic);
  }
}

/// SHAKE-128 of nothing, as a stream of `size` bytes. OpenSSL 3.0 squeezes once, so the whole
/// stream is made at once.
Bytes shake128_stream(std::size_t size) {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EXPECT_EQ(EVP_DigestInit_ex(context, EVP_shake128(), nullptr), 1);
  Bytes out(size);
  EXPECT_EQ(EVP_DigestFinalXOF(context, out.data(), out.size()), 1);
  EVP_MD_CTX_free(context);
  return out;
}

TEST(Xaes, AccumulatedRandomizedTestOf10000) {
  constexpr int kRounds = 10'000;
  constexpr std::size_t kRoundBytesMax = 32 + 24 + 1 + 255 + 1 + 255;
  const Bytes stream = shake128_stream(kRounds * kRoundBytesMax);
  ASSERT_EQ(to_hex(ByteView(stream).first(16)), "7f9c2ba4e88f827d616045507605853e");
  ByteView rest = stream;
  const auto take = [&rest](std::size_t size) {
    const ByteView taken = rest.first(size);
    rest = rest.subspan(size);
    return taken;
  };
  EVP_MD_CTX* const accumulated = EVP_MD_CTX_new();
  ASSERT_EQ(EVP_DigestInit_ex(accumulated, EVP_shake128(), nullptr), 1);
  for (int round = 0; round < kRounds; ++round) {
    const Key256 key = key256(take(32));
    const ByteView nonce = take(24);
    const ByteView plaintext = take(take(1)[0]);
    const ByteView aad = take(take(1)[0]);
    Bytes sealed(plaintext.size() + 16);
    xaes_seal(key, nonce_of(nonce), aad, plaintext, sealed);
    Bytes opened(plaintext.size());
    ASSERT_TRUE(xaes_open(key, nonce_of(nonce), aad, sealed, opened));
    ASSERT_EQ(opened, Bytes(plaintext.begin(), plaintext.end()));
    ASSERT_EQ(EVP_DigestUpdate(accumulated, sealed.data(), sealed.size()), 1);
  }
  Bytes digest(32);
  ASSERT_EQ(EVP_DigestFinalXOF(accumulated, digest.data(), digest.size()), 1);
  EVP_MD_CTX_free(accumulated);
  EXPECT_EQ(to_hex(digest), "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

}  // namespace
}  // namespace theriac::seal
