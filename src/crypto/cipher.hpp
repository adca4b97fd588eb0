// Block ciphers as the seals use them: GCM with kept key (SP 800-38D), CMAC (SP 800-38B).
// AES-256 takes the 32 key bytes; SM4 (GB/T 32907) takes the first 16, the rest must be absent: SM4
// keys are Secret<16>. Over libgcrypt (docs/adr/0003).
// Threading: an object belongs to one thread at a time.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace theriac::crypto {

inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

class GcmKey {
 public:
  explicit GcmKey(const Key256& aes256);
  explicit GcmKey(const Secret<16>& sm4);
  ~GcmKey();
  GcmKey(GcmKey&&) noexcept;
  GcmKey& operator=(GcmKey&&) noexcept;

  /// Takes another key of the same cipher, without allocating. The old one is overwritten.
  void set_key(const Key256& aes256);
  void set_key(const Secret<16>& sm4);

  /// `out` receives plaintext.size() bytes of ciphertext and then the 16-byte tag; its size must be
  /// exactly that. `plaintext` may be the same memory as the start of `out`.
  void seal(std::span<const std::uint8_t, kGcmNonceBytes> nonce, ByteView aad, ByteView plaintext,
            MutableBytes out);
  /// `sealed` = ciphertext and tag. On Code::kNotAuthentic `out` is wiped. out.size() must be
  /// sealed.size() - 16.
  Status open(std::span<const std::uint8_t, kGcmNonceBytes> nonce, ByteView aad, ByteView sealed,
              MutableBytes out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

using Block = std::array<std::uint8_t, 16>;

class CmacKey {
 public:
  explicit CmacKey(const Key256& aes256);
  explicit CmacKey(const Secret<16>& sm4);
  ~CmacKey();
  CmacKey(CmacKey&&) noexcept;
  CmacKey& operator=(CmacKey&&) noexcept;
  Block mac(ByteView data);
  /// Of the two one after the other, without joining them.
  Block mac(ByteView first, ByteView second);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace theriac::crypto
