// Key derivation of the seals: docs/design/sealed-values.md, section 3. Internal to src/seal.
#pragma once

#include "crypto/hash.hpp"
#include "seal/keys.hpp"

namespace theriac::seal {

inline crypto::HashKind hash_of(Suite suite) {
  return suite == Suite::kXaes256Gcm ? crypto::HashKind::kSha256 : crypto::HashKind::kSm3;
}

/// HKDF(key, salt absent, info = label | suite | purpose | context), 32 bytes.
Key256 derive(Suite suite, Purpose purpose, const Key256& key, std::string_view label,
              ByteView context = {});

/// SM4 keys are the first 16 bytes of a 32-byte key.
Secret<16> first_half(const Key256& key);

/// All 32 bytes of which the key id is the first 8.
crypto::Digest commitment(Suite suite, Purpose purpose, const Key256& key);

/// Code::kUnknownKey when the key is for something else, Code::kKeyCollision when its id is not its
/// commitment.
Status check_key(const LeasedKey& key, Purpose wanted);

}  // namespace theriac::seal
