#include "crypto/ff1.hpp"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <rapidcheck.h>

#include "crypto/testing.hpp"

namespace theriac::crypto {
namespace {

using testing_support::hex;
using testing_support::key256;

using Numerals = std::vector<int>;

Uint128 number(std::span<const int> numerals, int radix) {
  Uint128 value = 0;
  for (const int one : numerals)
    value = value * static_cast<Uint128>(radix) + static_cast<Uint128>(one);
  return value;
}

void write(Uint128 value, std::span<int> numerals, int radix) {
  for (std::size_t i = numerals.size(); i-- > 0; value /= static_cast<Uint128>(radix)) {
    numerals[i] = static_cast<int>(value % static_cast<Uint128>(radix));
  }
}

Ff1Text text_of_numerals(const Numerals& x, int radix) {
  const auto all = std::span(x);
  return {number(all.first(x.size() / 2), radix), number(all.subspan(x.size() / 2), radix)};
}

Numerals numerals_of(const Ff1Text& text, std::size_t length, int radix) {
  Numerals x(length);
  write(text.left, std::span(x).first(length / 2), radix);
  write(text.right, std::span(x).subspan(length / 2), radix);
  return x;
}

Numerals digits(std::string_view text) {
  Numerals x;
  for (const char c : text) x.push_back(c <= '9' ? c - '0' : c - 'a' + 10);
  return x;
}

/// Algorithm 7 step by step, in big numbers and with OpenSSL's ciphers.
class Witness {
 public:
  Witness(const EVP_CIPHER* cipher, Bytes key) : cipher_(cipher), key_(std::move(key)) {}

  Numerals encrypt(const Numerals& x, int radix, ByteView tweak) {
    const std::size_t n = x.size(), u = n / 2, v = n - u;
    Numerals a(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(u));
    Numerals b(x.begin() + static_cast<std::ptrdiff_t>(u), x.end());
    const std::size_t half = (static_cast<std::size_t>(BN_num_bits(most(radix, v))) + 7) / 8;
    const std::size_t d = 4 * ((half + 3) / 4) + 4;
    Bytes p{1, 2, 1};
    append_number(p, static_cast<std::uint64_t>(radix), 3);
    append_number(p, 10, 1);
    append_number(p, u % 256, 1);
    append_number(p, n, 4);
    append_number(p, tweak.size(), 4);
    for (std::size_t i = 0; i < 10; ++i) {
      Bytes q(tweak.begin(), tweak.end());
      while ((q.size() + 1 + half) % 16 != 0) q.push_back(0);
      append_number(q, i, 1);
      Bytes tail(half);
      BN_bn2binpad(value(b, radix), tail.data(), static_cast<int>(half));
      append(q, tail);
      Bytes pq = p;
      append(pq, q);
      Bytes s = prf(pq);
      for (std::uint64_t j = 1; s.size() < d; ++j) {
        Bytes block(s.begin(), s.begin() + 16);
        for (int k = 0; k < 8; ++k)
          block[15U - static_cast<unsigned>(k)] ^= static_cast<std::uint8_t>(j >> (8 * k));
        append(s, prf(block));
      }
      s.resize(d);
      const std::size_t m = i % 2 == 0 ? u : v;
      auto* modulus = most(radix, m);
      BN_add_word(modulus, 1);
      auto* sum = BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr);
      auto* c = BN_new();
      BN_mod_add(c, sum, value(a, radix), modulus, context_);
      a = b;
      b = Numerals(m);
      for (std::size_t k = m; k-- > 0;)
        b[k] = static_cast<int>(BN_div_word(c, static_cast<BN_ULONG>(radix)));
      BN_free(sum);
      BN_free(c);
    }
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  ~Witness() {
    for (auto* one : made_) BN_free(one);
    BN_CTX_free(context_);
  }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

 private:
  static void append_number(Bytes& out, std::uint64_t value, int bytes) {
    for (int i = bytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  BIGNUM* kept(BIGNUM* one) {
    made_.push_back(one);
    return one;
  }
  /// radix^m - 1
  BIGNUM* most(int radix, std::size_t m) {
    auto* value = kept(BN_new());
    BN_one(value);
    for (std::size_t i = 0; i < m; ++i) BN_mul_word(value, static_cast<BN_ULONG>(radix));
    BN_sub_word(value, 1);
    return value;
  }
  BIGNUM* value(const Numerals& x, int radix) {
    auto* out = kept(BN_new());
    BN_zero(out);
    for (const int one : x) {
      BN_mul_word(out, static_cast<BN_ULONG>(radix));
      BN_add_word(out, static_cast<BN_ULONG>(one));
    }
    return out;
  }
  /// The last block of CBC with an IV of zeros.
  Bytes prf(ByteView data) {
    auto* context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex2(context, cipher_, key_.data(), nullptr, nullptr);
    EVP_CIPHER_CTX_set_padding(context, 0);
    Bytes chained(16, 0);
    for (std::size_t at = 0; at < data.size(); at += 16) {
      for (std::size_t k = 0; k < 16; ++k) chained[k] ^= data[at + k];
      int size = 0;
      EVP_EncryptUpdate(context, chained.data(), &size, chained.data(), 16);
    }
    EVP_CIPHER_CTX_free(context);
    return chained;
  }

  const EVP_CIPHER* cipher_;
  Bytes key_;
  BN_CTX* context_ = BN_CTX_new();
  std::vector<BIGNUM*> made_;
};

// NIST, "FF1 Samples" (cryptographic standards and guidelines, example values), those of AES-256.
TEST(Ff1, NistSamples) {
  const auto key = hex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94");
  struct Sample {
    int radix;
    std::string_view tweak, plain, sealed;
  };
  for (const auto& [radix, tweak, plain, sealed] :
       {Sample{10, "", "0123456789", "6657667009"},
        Sample{10, "39383736353433323130", "0123456789", "1001623463"},
        Sample{36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"}}) {
    auto ff1 =
        Ff1::make(key256(key), radix, static_cast<int>(plain.size()), hex(std::string(tweak)));
    ASSERT_TRUE(ff1);
    std::vector<Ff1Text> texts{text_of_numerals(digits(plain), radix)};
    ff1->encrypt(texts);
    EXPECT_EQ(numerals_of(texts[0], plain.size(), radix), digits(sealed)) << plain;
    ff1->decrypt(texts);
    EXPECT_EQ(texts[0], text_of_numerals(digits(plain), radix));
  }
}

TEST(Ff1, AgreesWithTheStandardStepByStep) {
  EXPECT_TRUE(rc::check([] {
    const auto key = *rc::gen::container<Bytes>(32, rc::gen::arbitrary<std::uint8_t>());
    const auto tweak = *rc::gen::resize(40, rc::gen::arbitrary<Bytes>());
    const int radix = *rc::gen::element(2, 10, 16, 26, 32, 36, 64, 82, 1000, 65536);
    int least = 2;
    for (double texts = std::pow(radix, 2); texts < kFf1DomainMin; texts *= radix) ++least;
    int most = least;
    while (std::log2(radix) * ((most + 2) / 2) <= 8 * kFf1HalfBytesMax) ++most;
    const int length = *rc::gen::inRange(least, most + 1);
    const bool sm4 = *rc::gen::arbitrary<bool>();
    auto ff1 = sm4 ? Ff1::make(Secret<16>(ByteView(key).first<16>()), radix, length, tweak)
                   : Ff1::make(key256(key), radix, length, tweak);
    RC_ASSERT(ff1.has_value());
    Witness witness(sm4 ? EVP_sm4_ecb() : EVP_aes_256_ecb(), key);
    std::vector<Numerals> plain(*rc::gen::inRange<std::size_t>(1, 4));
    std::vector<Ff1Text> texts;
    for (auto& x : plain) {
      x = *rc::gen::container<Numerals>(static_cast<std::size_t>(length),
                                        rc::gen::inRange(0, radix));
      texts.push_back(text_of_numerals(x, radix));
    }
    const auto before = texts;
    ff1->encrypt(texts);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      RC_ASSERT(numerals_of(texts[i], plain[i].size(), radix) ==
                witness.encrypt(plain[i], radix, tweak));
    }
    ff1->decrypt(texts);
    RC_ASSERT(texts == before);
  }));
}

TEST(Ff1, IsAPermutationOfAMillionTexts) {
  auto ff1 = Ff1::make(key256(Bytes(32, 7)), 10, 6, bytes_of("tweak"));
  ASSERT_TRUE(ff1);
  std::vector<Ff1Text> texts;
  for (unsigned i = 0; i < 1'000'000; ++i) texts.push_back({i / 1000, i % 1000});
  ff1->encrypt(texts);
  std::vector<bool> seen(1'000'000);
  std::size_t at_home = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_LT(texts[i].left, 1000U);
    ASSERT_LT(texts[i].right, 1000U);
    const auto at = static_cast<std::size_t>(texts[i].left * 1000 + texts[i].right);
    EXPECT_FALSE(seen[at]);
    seen[at] = true;
    if (at == i) ++at_home;
  }
  EXPECT_LT(at_home, 12U);  // a random permutation has one on average
}

TEST(Ff1, Limits) {
  const auto make = [](int radix, int length, std::size_t tweak = 0) {
    auto made = Ff1::make(key256(Bytes(32, 1)), radix, length, Bytes(tweak, 0));
    return made ? std::string("made") : made.error().message();
  };
  EXPECT_NE(make(1, 30), "made");
  EXPECT_NE(make(65537, 2), "made");
  EXPECT_EQ(make(65536, 2), "made");
  EXPECT_NE(make(10, 1), "made");
  EXPECT_NE(make(10, 5), "made");  // 100,000 texts
  EXPECT_EQ(make(10, 6), "made");
  EXPECT_EQ(make(2, 192), "made");  // halves of exactly twelve bytes
  EXPECT_NE(make(2, 193), "made");
  EXPECT_NE(make(36, 1'000'000'000), "made");
  EXPECT_EQ(make(36, 12, kFf1TweakBytesMax), "made");
  EXPECT_NE(make(36, 12, kFf1TweakBytesMax + 1), "made");
}

}  // namespace
}  // namespace theriac::crypto
