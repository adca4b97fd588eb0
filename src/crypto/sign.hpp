// Ed25519 signatures (RFC 8032), for logs and certificates.
#pragma once

#include <array>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace theriac::crypto {

using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

class Ed25519Key {
 public:
  /// `seed` is RFC 8032's 32-byte private key.
  explicit Ed25519Key(Key256 seed);
  static Ed25519Key generate();
  [[nodiscard]] const Ed25519PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] const Key256& seed() const { return seed_; }
  [[nodiscard]] Ed25519Signature sign(ByteView message) const;

 private:
  Key256 seed_;
  Ed25519PublicKey public_key_{};
};

[[nodiscard]] bool verify_ed25519(const Ed25519PublicKey& key, ByteView message,
                                  ByteView signature);

}  // namespace theriac::crypto
