// XAES-256-GCM (C2SP, https://c2sp.org/XAES-256-GCM): AES-256-GCM with a 24-byte nonce whose first
// half selects a derived key. Internal to src/seal; the one-shot functions serve the test vectors.
#pragma once

#include "crypto/cipher.hpp"

namespace theriac::seal {

inline constexpr std::size_t kNoncePrefixBytes = 12;
using NoncePrefix = std::array<std::uint8_t, kNoncePrefixBytes>;

/// The key derivation with a kept input key. Belongs to one thread at a time.
class XaesKey {
 public:
  explicit XaesKey(const Key256& key) : cmac_(key) {}
  /// K_x of the specification, for the first half of a nonce.
  Key256 derive(const NoncePrefix& prefix);

 private:
  crypto::CmacKey cmac_;
};

/// `out` = ciphertext and 16-byte tag; exactly plaintext.size() + 16 bytes.
void xaes_seal(const Key256& key, std::span<const std::uint8_t, 24> nonce, ByteView aad,
               ByteView plaintext, MutableBytes out);
/// Code::kNotAuthentic; out.size() must be sealed.size() - 16.
Status xaes_open(const Key256& key, std::span<const std::uint8_t, 24> nonce, ByteView aad,
                 ByteView sealed, MutableBytes out);

}  // namespace theriac::seal
