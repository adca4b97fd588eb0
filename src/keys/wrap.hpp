// Wrapped secrets: AES-256-GCM under a key derived afresh for every wrap, metadata as AAD.
//
//   wrapped = version(1)=1 | salt(32) | ciphertext | tag(16)
//   key     = HKDF-SHA-256(wrapping key, salt, "theriac/wrap/v1"), nonce = twelve zero bytes
//
// The derived key is used once, so the fixed nonce never repeats under one key, and no count of
// wraps has to be kept.
#pragma once

#include "base/random.hpp"
#include "base/secret.hpp"

namespace theriac::keys {

inline constexpr std::size_t kWrapSaltBytes = 32;
inline constexpr std::size_t kWrapOverheadBytes = 1 + kWrapSaltBytes + 16;

Bytes wrap_bytes(const Key256& wrapping, const SecretBytes& secret, ByteView aad, Random& random);
/// Code::kNotAuthentic when wrapped bytes or metadata were altered, or under another key.
Result<SecretBytes> unwrap_bytes(const Key256& wrapping, ByteView wrapped, ByteView aad);

Bytes wrap_key(const Key256& wrapping, const Key256& secret, ByteView aad, Random& random);
Result<Key256> unwrap_key(const Key256& wrapping, ByteView wrapped, ByteView aad);

}  // namespace theriac::keys
