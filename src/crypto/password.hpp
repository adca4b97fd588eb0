// Passphrases to keys: Argon2id (RFC 9106).
#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace theriac::crypto {

struct Argon2Cost {
  std::uint32_t memory_kib = 65536;  ///< RFC 9106 section 4, second recommended option
  std::uint32_t passes = 3;
  std::uint32_t lanes = 4;
};
inline constexpr std::uint32_t kArgon2MemoryKibMax = 1U << 20U;
inline constexpr std::uint32_t kArgon2PassesMax = 64;
inline constexpr std::uint32_t kArgon2LanesMax = 64;

/// Blocking, a tenth of a second or more: not on an event loop. Refuses costs beyond the limits
/// above (Code::kOutOfRange), since costs are read from files.
Result<Key256> derive_argon2id(const SecretBytes& passphrase, ByteView salt_16_bytes,
                               const Argon2Cost& cost);

}  // namespace theriac::crypto
