#include "crypto/ff1.hpp"

#include "crypto/cipher.hpp"
#include "crypto/gcrypt.hpp"
#include "crypto/secret_access.hpp"

namespace theriac::crypto {
namespace {

constexpr int kRounds = 10;
constexpr std::size_t kBlockBytes = 16;
/// Texts that share one call of the block cipher: their blocks stay in the first-level cache.
constexpr std::size_t kTogether = 64;

int bytes_of(Uint128 most) {
  int bytes = 0;
  for (; most != 0; most >>= 8U) ++bytes;
  return bytes;
}

/// The last `size` bytes of `value`, most significant first.
void put(std::uint8_t* to, Uint128 value, std::size_t size) {
  for (std::size_t i = size; i-- > 0; value >>= 8U) to[i] = static_cast<std::uint8_t>(value);
}

Uint128 number(const std::uint8_t* from, std::size_t size) {
  Uint128 value = 0;
  for (std::size_t i = 0; i < size; ++i) value = (value << 8U) | from[i];
  return value;
}

}  // namespace

struct Ff1::State {
  gcry_cipher_hd_t cipher = nullptr;
  Uint128 left = 1, right = 1;  ///< radix^u, radix^v
  std::size_t half_bytes = 0;   ///< b of the standard
  std::size_t taken_bytes = 0;  ///< d: what a round takes of its block
  /// P and what of Q is the same in all rounds, up to Q's last block.
  Block chained{};
  /// Q's last block: the tail of the tweak and zeros; round and half are put behind them.
  Block last{};
  std::array<Block, kTogether> blocks{};

  State(int algorithm, ByteView key) {
    gcrypt_ready();
    gcrypt_must(gcry_cipher_open(&cipher, algorithm, GCRY_CIPHER_MODE_ECB, 0));
    gcrypt_must(gcry_cipher_setkey(cipher, key.data(), key.size()));
  }
  ~State() {
    gcry_cipher_close(cipher);
    wipe({blocks.data()->data(), sizeof blocks});
    wipe(chained);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void chain(const Block& block) {
    for (std::size_t i = 0; i < kBlockBytes; ++i) chained[i] ^= block[i];
    gcrypt_must(gcry_cipher_encrypt(cipher, chained.data(), kBlockBytes, nullptr, 0));
  }

  /// Steps 5 and 6.i of the standard, as far as they do not depend on text and round.
  void begin(int radix, int length, ByteView tweak) {
    const int first = length / 2;
    Block head{1, 2, 1};
    put(head.data() + 3, static_cast<Uint128>(radix), 3);
    head[6] = 10;
    head[7] = static_cast<std::uint8_t>(first % 256);
    put(head.data() + 8, static_cast<Uint128>(length), 4);
    put(head.data() + 12, tweak.size(), 4);
    chain(head);
    // Q = T || 0... || round || NUM(B), a multiple of 16 bytes; round and B end the last block.
    Bytes padded(tweak.begin(), tweak.end());
    const auto zeros = (kBlockBytes - (tweak.size() + half_bytes + 1) % kBlockBytes) % kBlockBytes;
    padded.insert(padded.end(), zeros, 0);
    const auto whole = padded.size() + 1 + half_bytes - kBlockBytes;
    for (std::size_t at = 0; at < whole; at += kBlockBytes) {
      Block block;
      std::copy_n(padded.begin() + static_cast<std::ptrdiff_t>(at), kBlockBytes, block.begin());
      chain(block);
    }
    std::copy(padded.begin() + static_cast<std::ptrdiff_t>(whole), padded.end(), last.begin());
  }

  /// NUM(S) of each text's round: of the half given by `half`.
  template <typename Half>
  void round(int number_of_round, std::span<const Ff1Text> texts, Half half) {
    Block start = last;
    start[kBlockBytes - 1 - half_bytes] = static_cast<std::uint8_t>(number_of_round);
    for (std::size_t i = 0; i < kBlockBytes; ++i) start[i] ^= chained[i];
    for (std::size_t i = 0; i < texts.size(); ++i) {
      Block input{};
      put(input.data() + kBlockBytes - half_bytes, half(texts[i]), half_bytes);
      for (std::size_t k = 0; k < kBlockBytes; ++k) blocks[i][k] = start[k] ^ input[k];
    }
    gcrypt_must(
        gcry_cipher_encrypt(cipher, blocks.data()->data(), texts.size() * kBlockBytes, nullptr, 0));
  }

  /// In even rounds A has u numerals, in odd ones v (step 6.v).
  [[nodiscard]] Uint128 modulus(int number_of_round) const {
    return number_of_round % 2 == 0 ? left : right;
  }

  void encrypt(std::span<Ff1Text> texts) {
    for (int i = 0; i < kRounds; ++i) {
      round(i, texts, [](const Ff1Text& text) { return text.right; });
      const auto most = modulus(i);
      for (std::size_t k = 0; k < texts.size(); ++k) {
        const auto drawn = number(blocks[k].data(), taken_bytes) % most;
        texts[k] = {texts[k].right, (texts[k].left + drawn) % most};
      }
    }
  }

  void decrypt(std::span<Ff1Text> texts) {
    for (int i = kRounds; i-- > 0;) {
      round(i, texts, [](const Ff1Text& text) { return text.left; });
      const auto most = modulus(i);
      for (std::size_t k = 0; k < texts.size(); ++k) {
        const auto drawn = number(blocks[k].data(), taken_bytes) % most;
        texts[k] = {(texts[k].right + most - drawn) % most, texts[k].left};
      }
    }
  }
};

Ff1::Ff1(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ff1::~Ff1() = default;
Ff1::Ff1(Ff1&&) noexcept = default;
Ff1& Ff1::operator=(Ff1&&) noexcept = default;

Result<Ff1> Ff1::make(const Key256& aes256, int radix, int length, ByteView tweak) {
  return make(GCRY_CIPHER_AES256, CryptoSecretAccess::bytes(aes256), radix, length, tweak);
}

Result<Ff1> Ff1::make(const Secret<16>& sm4, int radix, int length, ByteView tweak) {
  return make(GCRY_CIPHER_SM4, CryptoSecretAccess::bytes(sm4), radix, length, tweak);
}

Result<Ff1> Ff1::make(int algorithm, ByteView key, int radix, int length, ByteView tweak) {
  constexpr auto kHalfMost = Uint128{1} << (8 * kFf1HalfBytesMax);
  if (radix < 2 || radix > 65'536) return fail(Code::kOutOfRange, "FF1 radix");
  if (length < 2) return fail(Code::kOutOfRange, "FF1 length");
  if (tweak.size() > kFf1TweakBytesMax) return fail(Code::kTooLarge, "FF1 tweak");
  auto state = std::make_unique<State>(algorithm, key);
  for (int i = 0; i < length; ++i) {
    auto& half = i < length / 2 ? state->left : state->right;
    half *= static_cast<Uint128>(radix);
    if (half > kHalfMost) return fail(Code::kOutOfRange, "FF1 length");
  }
  // Halves of a million or more already are; smaller ones multiply without overflow.
  const bool enough = state->right >= kFf1DomainMin || state->left * state->right >= kFf1DomainMin;
  if (!enough) return fail(Code::kOutOfRange, "FF1 domain");
  state->half_bytes = static_cast<std::size_t>(bytes_of(state->right - 1));
  state->taken_bytes = 4 * ((state->half_bytes + 3) / 4) + 4;
  state->begin(radix, length, tweak);
  return Ff1(std::move(state));
}

void Ff1::encrypt(std::span<Ff1Text> texts) {
  for (const auto& text : texts) {
    THERIAC_ASSERT(text.left < state_->left && text.right < state_->right);
  }
  for (; !texts.empty(); texts = texts.subspan(std::min(kTogether, texts.size()))) {
    state_->encrypt(texts.first(std::min(kTogether, texts.size())));
  }
}

void Ff1::decrypt(std::span<Ff1Text> texts) {
  for (const auto& text : texts) {
    THERIAC_ASSERT(text.left < state_->left && text.right < state_->right);
  }
  for (; !texts.empty(); texts = texts.subspan(std::min(kTogether, texts.size()))) {
    state_->decrypt(texts.first(std::min(kTogether, texts.size())));
  }
}

Uint128 Ff1::left_count() const { return state_->left; }
Uint128 Ff1::right_count() const { return state_->right; }

}  // namespace theriac::crypto
